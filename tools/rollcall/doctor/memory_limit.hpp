// What cgroups leave of memory: pages of a tmpfs count as memory of whoever writes them first, whatever the filesystem has free.
#pragma once

#include <cstdint>
#include <string>

namespace rollcall::cli::doctor {

// `cgroups` is what /proc/PID/cgroup says, `mount` where they are mounted (/sys/fs/cgroup). Version 1 or 2; the least that any group on the way
// up leaves, file cache excepted, which gives way. UINT64_MAX: there is no limit, or none can be seen.
std::uint64_t memory_left(const std::string& cgroups, const std::string& mount);

}  // namespace rollcall::cli::doctor
