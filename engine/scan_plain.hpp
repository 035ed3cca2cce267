// The kernels of scan.hpp as plain loops: what they must equal, and what ThreadSanitizer sees.
#pragma once

#include <algorithm>
#include <atomic>

#include "engine/scan.hpp"
#include "shm/word.hpp"

namespace rollcall::engine::plain {

inline bool has(const BlockMask& mask, std::size_t i) noexcept { return mask[i / 64] >> i % 64 & 1; }
inline void put(BlockMask& mask, std::size_t i) noexcept { mask[i / 64] |= std::uint64_t{1} << i % 64; }

inline Selection select(const shm::Word* block, const BlockMask& among, std::int64_t threshold) noexcept {
    Selection s;
    for (std::size_t i = 0; i < shm::block_words; ++i) {
        if (!has(among, i)) continue;
        const std::int64_t word = block[i].load(std::memory_order_relaxed);  // relaxed: judged again with acquire
        if (word < threshold) put(s.below, i);
        else s.lowest = std::min(s.lowest, word);
    }
    return s;
}

inline std::size_t look(const shm::Word* words, std::size_t blocks, const BlockMask* expected, std::int64_t threshold, std::int64_t* lowest, std::uint32_t* differing) noexcept {
    BlockMask all;
    all.fill(~std::uint64_t{0});
    std::size_t found = 0;
    for (std::size_t b = 0; b < blocks; ++b) {
        const Selection s = plain::select(words + b * shm::block_words, all, threshold);
        lowest[b] = s.lowest;
        if (s.below != expected[b]) differing[found++] = static_cast<std::uint32_t>(b);
    }
    return found;
}

inline bool find_damaged(const shm::Word* block, const std::uint16_t* generations, std::int64_t latest, BlockMask& out) noexcept {
    BlockMask damaged{};
    for (std::size_t i = 0; i < shm::block_words; ++i) {
        const std::int64_t word = block[i].load(std::memory_order_relaxed);  // relaxed: looked at again before it is repaired
        const bool is_free = generations[i] == 0xFFFF;
        if (is_free ? word != shm::free_word : word < 0 || word > latest || shm::generation_of(word).value != generations[i]) put(damaged, i);
    }
    if (damaged == BlockMask{}) return false;
    out = damaged;
    return true;
}

inline std::size_t collect_below(const std::int64_t* values, std::size_t count, std::int64_t threshold, std::uint32_t* out) noexcept {
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i)
        if (values[i] < threshold) out[found++] = static_cast<std::uint32_t>(i);
    return found;
}

}  // namespace rollcall::engine::plain
