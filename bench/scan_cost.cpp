// What does it cost to look at every peer?
//
// The scan of the heartbeat words, beside its physical limit (summing the same array) and the usual design (a mutex, a map from node id
// to the time of its last heartbeat, a walk that compares each). All peers are alive, which is what a detector sees nearly always.
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>

#include "shm/scan.hpp"
#include "shm/word.hpp"

namespace {

using namespace rollcall;

constexpr std::uint64_t now = 1'000'000, timeout = 366'211;  // 3 s in stamp units

std::vector<shm::Word> make_words(std::size_t count) {
    std::vector<shm::Word> words(count);
    for (std::size_t i = 0; i < count; ++i) words[i].store(shm::make_word(Stamp{now - i % (timeout / 3)}, shm::first_generation), std::memory_order_relaxed);
    return words;
}

void per_peer(benchmark::State& state) {
    state.counters["per_peer"] = benchmark::Counter(static_cast<double>(state.range(0)), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void Scan(benchmark::State& state) {
    const auto words = make_words(static_cast<std::size_t>(state.range(0)));
    std::vector<std::uint32_t> found(words.size());
    for (auto _ : state) benchmark::DoNotOptimize(shm::collect_below(words.data(), words.size(), shm::threshold_word(Stamp{now - timeout}), found.data()));
    per_peer(state);
}

// The limit: whoever looks at every word has to read it.
void ReadTheSameArray(benchmark::State& state) {
    const std::vector<std::int64_t> words(static_cast<std::size_t>(state.range(0)), 1);
    for (auto _ : state) {
        std::int64_t sum = 0;
        for (const std::int64_t word : words) sum += word;
        benchmark::DoNotOptimize(sum);
    }
    per_peer(state);
}

void UsualDesign(benchmark::State& state) {
    std::mutex mutex;
    std::unordered_map<std::string, std::uint64_t> last_heartbeat;
    for (std::int64_t i = 0; i < state.range(0); ++i) last_heartbeat.emplace("node-" + std::to_string(i), now);
    for (auto _ : state) {
        const std::lock_guard lock(mutex);
        std::size_t silent = 0;
        for (const auto& [node, beat] : last_heartbeat) silent += now - beat > timeout;
        benchmark::DoNotOptimize(silent);
    }
    per_peer(state);
}

#define SIZES ->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)
BENCHMARK(Scan) SIZES;
BENCHMARK(ReadTheSameArray) SIZES;
BENCHMARK(UsualDesign) SIZES;

}  // namespace

BENCHMARK_MAIN();
