// What does it cost to look at every peer?
//
// The scan of the heartbeat words, beside its physical limit (reading the same array), a line of its own for each peer, and the usual design:
// a mutex, a map from node id to the time of its last heartbeat, a walk that compares each and calls back. All peers are alive, which is
// what a detector sees nearly always. The usual design is itself shown beside a bare walk of its map: it is no straw man.
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/bench.hpp"
#include "engine/scan.hpp"
#include "shm/word.hpp"

namespace {

using namespace rollcall;

constexpr std::uint64_t now = 1'000'000, timeout = 366'211;  // 3 s in stamp units
const std::int64_t threshold = shm::threshold_word(Stamp{now - timeout});

Stamp beat_of(std::size_t i) { return Stamp{now - i % (timeout / 3)}; }

// Words as the engine has them: dense, in whole blocks, aligned like a mapping.
struct Words {
    explicit Words(std::size_t count) : blocks((count + shm::block_words - 1) / shm::block_words), words(bench::allocate<shm::Word>(blocks * shm::block_words)) {
        for (std::size_t i = 0; i < blocks * shm::block_words; ++i) words[i].store(i < count ? shm::make_word(beat_of(i), shm::first_generation) : shm::free_word, std::memory_order_relaxed);
    }
    std::size_t blocks;
    bench::Memory<shm::Word> words;
};

void Scan(benchmark::State& state) {
    const Words w(static_cast<std::size_t>(state.range(0)));
    const std::vector<engine::BlockMask> nobody_is_silent(w.blocks);
    std::vector<std::int64_t> lowest(w.blocks);
    std::vector<std::uint32_t> differing(w.blocks);
    for (auto _ : state) benchmark::DoNotOptimize(engine::look(w.words.get(), w.blocks, nobody_is_silent.data(), threshold, lowest.data(), differing.data()));
    bench::per_item(state, state.range(0));
}

// A million suspects that stay so: their words are expected to be old.
void ScanOfTheSilent(benchmark::State& state) {
    const Words w(static_cast<std::size_t>(state.range(0)));
    for (std::size_t i = 0; i < w.blocks * shm::block_words; ++i) w.words[i].store(1, std::memory_order_relaxed);
    engine::BlockMask all;
    all.fill(~std::uint64_t{0});
    const std::vector<engine::BlockMask> everybody(w.blocks, all);
    std::vector<std::int64_t> lowest(w.blocks);
    std::vector<std::uint32_t> differing(w.blocks);
    for (auto _ : state) benchmark::DoNotOptimize(engine::look(w.words.get(), w.blocks, everybody.data(), threshold, lowest.data(), differing.data()));
    bench::per_item(state, state.range(0));
}

// The limit: whoever looks at every word has to read it.
void ReadTheSameArray(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const auto words = bench::allocate<std::int64_t>(count);
    for (std::size_t i = 0; i < count; ++i) words[i] = static_cast<std::int64_t>(i);
    for (auto _ : state) benchmark::DoNotOptimize(bench::sum(words.get(), count));
    bench::per_item(state, state.range(0));
}

void ALineForEachPeer(benchmark::State& state) {
    struct alignas(64) Line {
        std::atomic<std::int64_t> word;
    };
    const auto count = static_cast<std::size_t>(state.range(0));
    const auto lines = bench::allocate<Line>(count);
    for (std::size_t i = 0; i < count; ++i) lines[i].word.store(shm::make_word(beat_of(i), shm::first_generation), std::memory_order_relaxed);
    for (auto _ : state) {
        std::size_t silent = 0;
        for (std::size_t i = 0; i < count; ++i) silent += lines[i].word.load(std::memory_order_relaxed) < threshold;
        benchmark::DoNotOptimize(silent);
    }
    bench::per_item(state, state.range(0));
}

struct UsualPeer {
    std::uint64_t last_heartbeat;
    int state = 0;
};
using UsualMap = std::unordered_map<std::string, UsualPeer>;

// Registered in no particular order, as peers are.
UsualMap make_map(std::int64_t count) {
    UsualMap map;
    for (std::int64_t i = 0; i < count; ++i) map.emplace("node-" + std::to_string(i), UsualPeer{beat_of(static_cast<std::size_t>(i)).value});
    return map;
}

void UsualDesign(benchmark::State& state) {
    std::mutex mutex;
    UsualMap peers = make_map(state.range(0));
    std::vector<std::function<void(const std::string&)>> callbacks(1, [](const std::string&) {});
    for (auto _ : state) {
        const std::lock_guard lock(mutex);
        for (auto& [node, peer] : peers) {
            const std::uint64_t age = now - peer.last_heartbeat;
            if (age <= timeout || peer.state != 0) continue;
            peer.state = 1;
            for (const auto& callback : callbacks) callback(node);
        }
        benchmark::ClobberMemory();
    }
    bench::per_item(state, state.range(0));
}

void BareWalkOfItsMap(benchmark::State& state) {
    std::mutex mutex;
    const UsualMap peers = make_map(state.range(0));
    for (auto _ : state) {
        const std::lock_guard lock(mutex);
        std::uint64_t sum = 0;
        for (const auto& [node, peer] : peers) sum += peer.last_heartbeat;
        benchmark::DoNotOptimize(sum);
    }
    bench::per_item(state, state.range(0));
}

#define UP_TO_A_MILLION ->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)
BENCHMARK(Scan) UP_TO_A_MILLION->Arg(16'000'000);
BENCHMARK(ReadTheSameArray) UP_TO_A_MILLION->Arg(16'000'000);
BENCHMARK(ScanOfTheSilent)->Arg(1'000'000);
BENCHMARK(ALineForEachPeer) UP_TO_A_MILLION;
BENCHMARK(UsualDesign) UP_TO_A_MILLION;
BENCHMARK(BareWalkOfItsMap) UP_TO_A_MILLION;

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::AddCustomContext("scan", rollcall::engine::scan_target());
    benchmark::RunSpecifiedBenchmarks();
}
