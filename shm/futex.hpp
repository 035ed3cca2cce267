// Sleeping on a word in shared memory. FUTEX_WAIT works on a read-only mapping; std::atomic::wait does not cross processes.
#pragma once

#include <atomic>
#include <cstdint>

#include "shm/units.hpp"

namespace rollcall::shm {

// Sleeps while the low half of `word` is `seen`, at most `timeout`. May return for no reason; the caller looks again.
void futex_wait(const std::atomic<std::uint64_t>& word, std::uint32_t seen, Duration timeout) noexcept;
// Wakes everybody who sleeps on `word`, in any process.
void futex_wake_all(const std::atomic<std::uint64_t>& word) noexcept;
// The one that has slept longest; false: nobody sleeps. Its cost does not depend on how many there are.
bool futex_wake_one(const std::atomic<std::uint64_t>& word) noexcept;

}  // namespace rollcall::shm
