// What the benchmarks share: memory as a mapping has it, figures by the item, the physical limits.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <sys/mman.h>

#include <benchmark/benchmark.h>

namespace rollcall::bench {

struct Unmap {
    std::size_t bytes;
    void operator()(void* memory) const noexcept { ::munmap(memory, bytes); }
};
template <class T>
using Memory = std::unique_ptr<T[], Unmap>;

// Zeroed pages of its own, present from the start.
template <class T>
Memory<T> allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return Memory<T>(static_cast<T*>(memory), Unmap{bytes});
}

// The time of one iteration divided by what it looked at.
inline void per_item(benchmark::State& state, std::int64_t items) {
    state.counters["per_item"] = benchmark::Counter(static_cast<double>(items), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// The mean is the benchmark's time where it times itself; how the times are spread stands beside it.
class Spread {
public:
    void add(std::int64_t ns) { times_.push_back(ns); }
    double at(double quantile) {
        std::sort(times_.begin(), times_.end());
        return static_cast<double>(times_[static_cast<std::size_t>(quantile * static_cast<double>(times_.size() - 1) + 0.5)]);
    }
    void report(benchmark::State& state) {
        for (const auto& [name, quantile] : {std::pair{"p50_ns", 0.5}, {"p90_ns", 0.9}, {"p99_ns", 0.99}, {"p999_ns", 0.999}, {"longest_ns", 1.0}}) state.counters[name] = at(quantile);
    }

private:
    std::vector<std::int64_t> times_;
};

// The fastest way to have read an array, with the widest vectors of this machine.
std::int64_t sum(const std::int64_t* values, std::size_t count) noexcept;

inline std::int64_t now_ns() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace rollcall::bench
