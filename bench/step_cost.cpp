// What does one whole step of the engine cost?
//
// The engine as it runs, with moved time: requests, observed time, scan, judgement, records, events, publication. A step in ordinary
// times, when everybody beats once a heartbeat; with one peer in a hundred falling silent and coming back; with a million that stay suspect;
// and when everybody falls silent at once, at the same stamp or spread over a heartbeat. All beside one scan of all words.
#include <algorithm>
#include <vector>

#include "bench/population.hpp"
#include "engine/scan.hpp"

namespace {

using namespace rollcall;
using namespace std::chrono_literals;
using bench::Population;

constexpr Duration scan = 10ms;
constexpr std::uint32_t steps_a_heartbeat = 100;

// The yardstick: reading the words of all, from the engine's own memory.
void FullScan(benchmark::State& state) {
    Population p(static_cast<std::uint32_t>(state.range(0)));
    const std::uint32_t blocks = (p.peers() + shm::block_words - 1) / shm::block_words;
    const std::vector<engine::BlockMask> nobody(blocks);
    std::vector<std::int64_t> lowest(blocks);
    std::vector<std::uint32_t> differing(blocks);
    const shm::Word* words = &p.core().roster().word(Slot{0});
    for (auto _ : state) benchmark::DoNotOptimize(engine::look(words, blocks, nobody.data(), 1, lowest.data(), differing.data()));
}

template <class Pass>
void time_each(benchmark::State& state, Pass pass) {
    bench::Spread spread;
    for (auto _ : state) {
        const std::int64_t ns = pass();
        spread.add(ns);
        state.SetIterationTime(static_cast<double>(ns) * 1e-9);
    }
    spread.report(state);
}

// Peers beat one after the other, so that each does once a heartbeat.
void QuietStep(benchmark::State& state) {
    Population p(static_cast<std::uint32_t>(state.range(0)));
    const auto pass = [&] {
        p.advance(scan);
        p.beat_in_turn(p.peers() / steps_a_heartbeat);
        return p.step();
    };
    for (std::uint32_t i = 0; i < 4 * steps_a_heartbeat; ++i) pass();
    const std::uint64_t read = p.core().blocks_read();
    time_each(state, pass);
    const double blocks = (p.peers() + shm::block_words - 1.0) / shm::block_words;
    state.counters["blocks_read"] = static_cast<double>(p.core().blocks_read() - read) / static_cast<double>(state.iterations()) / blocks;
}

// One in a hundred is silent for long enough to be suspected, and comes back.
void ChangingStep(benchmark::State& state) {
    Population p(static_cast<std::uint32_t>(state.range(0)));
    std::uint32_t round = 0;
    const auto pass = [&] {
        p.advance(scan);
        for (std::uint32_t i = round % steps_a_heartbeat; i < p.peers(); i += steps_a_heartbeat)
            if (i / steps_a_heartbeat % 100 != round / (4 * steps_a_heartbeat) % 100) p.beat(Slot{i});
        ++round;
        return p.step();
    };
    for (std::uint32_t i = 0; i < 4 * steps_a_heartbeat; ++i) pass();
    time_each(state, pass);
}

void StepWithAllSuspect(benchmark::State& state) {
    Settings patient;
    patient.dead = patient.evict = std::chrono::hours(1);
    patient.evict += 1h;
    Population p(static_cast<std::uint32_t>(state.range(0)), patient);
    p.step();
    for (std::uint32_t i = 0; i < 500; ++i) p.advance(scan), p.step();
    for (auto _ : state) {
        p.advance(scan);
        state.SetIterationTime(static_cast<double>(p.step()) * 1e-9);
    }
    state.counters["suspect"] = static_cast<double>(shm::load_head(p.core().roster().header()).value) - 2.0 * p.peers();
}

// Nanoseconds a peer for each of the three judgements, from the first step that judges until all are judged.
void Silence(benchmark::State& state, bool spread) {
    for (auto _ : state) {
        Population p(static_cast<std::uint32_t>(state.range(0)));
        p.step();
        for (std::uint32_t i = 0; i < steps_a_heartbeat; ++i) {
            p.advance(scan);
            if (spread) p.beat_in_turn(p.peers() / steps_a_heartbeat);
            else if (i + 1 == steps_a_heartbeat) p.beat_in_turn(p.peers());
            p.step();
        }
        using Counter = engine::Counter;
        std::int64_t longest = 0;
        const auto until = [&](const char* name, Counter counter) {
            std::int64_t total = 0;
            while (p.core().counter(counter) < p.peers()) {
                if (!p.core().has_more()) p.advance(scan);
                const std::uint64_t before = p.core().counter(counter);
                const std::int64_t took = p.step();
                if (p.core().counter(counter) == before) continue;
                total += took;
                longest = std::max(longest, took);
            }
            state.counters[name] = static_cast<double>(total) / p.peers();
        };
        until("suspect_ns", Counter::suspected);
        until("dead_ns", Counter::dead);
        until("evicted_ns", Counter::evicted);
        state.counters["longest_ns"] = static_cast<double>(longest);
        state.SetIterationTime(static_cast<double>(longest) * 1e-9);
    }
}
void AllSilentAtOnce(benchmark::State& state) { Silence(state, false); }
void AllSilentSpread(benchmark::State& state) { Silence(state, true); }

#define SIZES ->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)
BENCHMARK(FullScan) SIZES;
BENCHMARK(QuietStep) SIZES->UseManualTime()->Iterations(2'000);
BENCHMARK(ChangingStep) SIZES->UseManualTime()->Iterations(800);
BENCHMARK(StepWithAllSuspect)->Arg(1'000'000)->UseManualTime()->Iterations(200);
BENCHMARK(AllSilentAtOnce) SIZES->UseManualTime()->Iterations(1);
BENCHMARK(AllSilentSpread) SIZES->UseManualTime()->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
