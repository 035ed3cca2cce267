// What is found of the machine: from what was seen to a verdict, without looking at anything.
#pragma once

#include <cstdint>
#include <limits>
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

inline constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

struct LimitSeen {
    std::uint64_t most = no_limit;  // what counts: of a running engine the soft limit; here the hard one of open files, which `run` raises itself to
    bool of_engine = false;         // of the running one's, else of us, which an engine started here would inherit
};
Finding descriptors(const LimitSeen& seen, std::uint32_t capacity);
// The largest file that may be made, and the largest one of a cluster.
Finding file_size(const LimitSeen& seen, std::uint64_t wanted, bool exists);

struct FolderSeen {
    std::string dir;                     // where the cluster's folder lies, or would
    bool exists = false;
    std::string standing;                // the nearest folder above that exists: `dir` itself if it does
    int make_error = 0;                  // errno of making folders in `standing`; 0: we may
    std::optional<std::string> refused;  // why it is not trusted, or can be no folder
    std::uint64_t to_make = 0;           // folders and files that an engine would make

    bool has_cluster = false;            // and in it lies the cluster's folder
    bool is_mount = false;               // on another filesystem than `dir`
    int write_error = 0;                 // errno of making files in that; 0: we may
    bool is_own = true;                  // it is this user's
    std::uint32_t owner = 0;
    bool is_lock_held = false;           // an engine is in it, and we need not write
};
Finding folder(const FolderSeen& seen);

struct FilesystemSeen {
    std::string at;
    std::int64_t type = 0;  // f_type of statfs
    int error = 0;          // statfs failed
    std::uint64_t total = 0, free = 0;  // bytes; total 0: no limit of its own
    std::uint64_t inodes = no_limit;           // free
    std::uint64_t memory_left = no_limit;      // of the cgroup of whoever writes there: pages of a tmpfs count as its memory
};
Finding filesystem(const FilesystemSeen& seen);

struct Needs {
    bool exists = false;                // the memory is there, and this is what it still may take
    std::uint32_t capacity = 0, ring = 0;
    std::uint64_t to_start = 0, to_be_full = 0;  // bytes more than are taken now
    std::uint64_t inodes = 0;                    // to start
};
Finding space(const FilesystemSeen& seen, const Needs& needs);

// What a cluster of this capacity takes; `taken` bytes of it are there already. To start, an engine makes `inodes` where there is none yet.
Needs needs_of(std::uint32_t capacity, std::uint32_t ring, bool exists, std::uint64_t taken, std::uint64_t inodes);

// "22 MB"
std::string in_bytes(std::uint64_t bytes);

}  // namespace rollcall::cli::doctor
