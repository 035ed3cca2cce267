// What is found of the machine: from what was seen to a verdict, without looking at anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shm/units.hpp"
#include "tools/rollcall/doctor/finding.hpp"

namespace rollcall::cli::doctor {

// `release` as uname says it. Linux 5.4 is the least: pidfd_open is of 5.3, waiting for a pidfd of 5.4.
Finding kernel(const std::string& release);

// What pidfd_open of ourselves answered: 0, or an errno. A container's seccomp profile may forbid what the kernel could.
Finding watching(int error);

// Files are mapped, and sockets reached, through /proc/self/fd.
Finding proc(bool is_mounted);

struct ClockSeen {
    std::string source;                  // of the kernel's clock; empty: it does not say
    std::optional<Duration> cost;        // of reading CLOCK_MONOTONIC once
};
Finding clock(const ClockSeen& seen);

struct LimitSeen {
    std::uint64_t hard = 0;  // RLIMIT_NOFILE; UINT64_MAX: none
    bool of_engine = false;  // of the running one's, else of us, which an engine started here would inherit
};
Finding descriptors(const LimitSeen& seen, std::uint32_t capacity);

struct FolderSeen {
    std::string dir;                     // where the cluster's folder lies, or would
    bool exists = false;
    std::string standing;                // the nearest folder above that exists: `dir` itself if it does
    bool may_make = false;               // we may make folders in `standing`
    std::optional<std::string> refused;  // why it is not trusted
};
Finding folder(const FolderSeen& seen);

struct FilesystemSeen {
    std::string at;
    std::int64_t type = 0;  // f_type of statfs
    int error = 0;          // statfs failed
    std::uint64_t total = 0, free = 0;  // bytes; total 0: no limit of its own
    bool has_inodes = true;
};
Finding filesystem(const FilesystemSeen& seen);

struct Needs {
    bool exists = false;                // the memory is there, and this is what it still may take
    std::uint32_t capacity = 0, ring = 0;
    std::uint64_t to_start = 0, to_be_full = 0;  // bytes more than are taken now
};
Finding space(const FilesystemSeen& seen, const Needs& needs);

// What a cluster of this capacity takes; `taken` bytes of it are there already.
Needs needs_of(std::uint32_t capacity, std::uint32_t ring, bool exists, std::uint64_t taken);

// "22 MB"
std::string in_bytes(std::uint64_t bytes);

}  // namespace rollcall::cli::doctor
