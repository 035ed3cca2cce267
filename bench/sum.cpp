#include "bench/bench.hpp"

namespace rollcall::bench {

// Eight sums side by side, so that no addition waits for another; compiled for what this machine has.
__attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3"))) std::int64_t sum(const std::int64_t* values, std::size_t count) noexcept {
    std::int64_t sums[32] = {};
    std::size_t i = 0;
    for (; i + 32 <= count; i += 32)
        for (std::size_t lane = 0; lane < 32; ++lane) sums[lane] += values[i + lane];
    for (; i < count; ++i) sums[0] += values[i];
    std::int64_t all = 0;
    for (const std::int64_t s : sums) all += s;
    return all;
}

}  // namespace rollcall::bench
