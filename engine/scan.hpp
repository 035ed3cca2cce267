// The scan: what a detector has to know of whole blocks of heartbeat words, as vector kernels (Google Highway, chosen at run time).
//
// Every kernel reads each word once, relaxed: who is told to be silent is judged again, with acquire, before anything follows from it.
// Lanes of a vector load are atomic on all machines that Highway knows, one by one; that is all that is asked of them. Under
// ThreadSanitizer, which cannot know this, plain loops over atomics do the same (scan_plain.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shm/layout.hpp"

namespace rollcall::engine {

// A bit a word of a block; bit i % 64 of element i / 64.
using BlockMask = std::array<std::uint64_t, shm::block_words / 64>;

// How many blocks hold so many words.
constexpr std::uint32_t blocks_of(std::uint32_t words) noexcept { return (words + shm::block_words - 1) / shm::block_words; }

// Looks at `blocks` consecutive blocks from `words`. A block differs if the words below `threshold` are not exactly those in its mask of
// `expected`; `differing` gets the indexes of these, ascending, and has room for all. `lowest[b]` gets the lowest word of block b that is
// not below the threshold (INT64_MAX: none), unless it differs: then it may be any lower bound. Returns how many differ.
std::size_t look(const shm::Word* words, std::size_t blocks, const BlockMask* expected, std::int64_t threshold, std::int64_t* lowest, std::uint32_t* differing) noexcept;

struct Selection {
    BlockMask below{};                // those among whom one asked whose words are below the threshold
    std::int64_t lowest = INT64_MAX;  // of the others among them
};

// One block, and of it only the words in `among`.
Selection select(const shm::Word* block, const BlockMask& among, std::int64_t threshold) noexcept;

// Words of a block that are not what they should be: not of the generation in `generations` (0xFFFF: free, and nothing but free), or above
// `latest`, or with their sign set. False: there is none, and `out` is not touched.
bool find_damaged(const shm::Word* block, const std::uint16_t* generations, std::int64_t latest, BlockMask& out) noexcept;

// Writes to `out` the indexes (ascending) of the values below `threshold` and returns how many there are. `out` has room for `count`.
std::size_t collect_below(const std::int64_t* values, std::size_t count, std::int64_t threshold, std::uint32_t* out) noexcept;

// The instruction set in use, for people.
const char* scan_target() noexcept;

}  // namespace rollcall::engine
