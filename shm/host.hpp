// Where and since when this process runs: what decides whether stamps and pids in a memory mean anything here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace rollcall::shm {

struct HostIdentity {
    std::array<std::uint64_t, 2> boot_id{};  // 0, 0 where the kernel does not tell
    std::uint64_t time_namespace = 0;        // inode; 0 before Linux 5.6
    std::uint64_t pid_namespace = 0;

    static HostIdentity current();
};

// Ticks since boot at which `pid` started, as in field 22 of /proc/PID/stat: with the pid it names one process for ever. Nothing if
// there is no such process or it cannot be seen.
std::optional<std::uint64_t> start_ticks_of(std::uint32_t pid);

// What /proc/PID/stat says behind the command's name, which may contain anything: " S 1 ...". Empty if there is no such process, or it was
// reaped at this very moment.
std::string stat_of(std::uint32_t pid);

// 64 random bits from the kernel.
std::uint64_t random_bits();

}  // namespace rollcall::shm
