#include "shm/futex.hpp"

#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rollcall::shm {

void futex_wait(const std::atomic<std::uint64_t>& word, std::uint32_t seen, Duration timeout) noexcept {
    if (timeout <= Duration::zero()) return;
    const timespec limit{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
    ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), FUTEX_WAIT, seen, &limit, nullptr, 0);  // little-endian: the low half is first
}

void futex_wake_all(const std::atomic<std::uint64_t>& word) noexcept {
    ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

bool futex_wake_one(const std::atomic<std::uint64_t>& word) noexcept {
    return ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word), FUTEX_WAKE, 1, nullptr, nullptr, 0) > 0;
}

}  // namespace rollcall::shm
