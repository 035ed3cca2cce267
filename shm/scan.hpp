// The scan: one signed compare a word over dense words.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shm/layout.hpp"

namespace rollcall::shm {

// Writes to `out` the indexes (ascending) of the words below `threshold` and returns how many there are. `out` has room for `count`.
// Reads each word once, relaxed: a word is judged again, with acquire, before anything follows from it.
std::size_t collect_below(const Word* words, std::size_t count, std::int64_t threshold, std::uint32_t* out) noexcept;

// The same, counted only.
std::size_t count_below(const Word* words, std::size_t count, std::int64_t threshold) noexcept;

}  // namespace rollcall::shm
