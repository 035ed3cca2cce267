#include "tools/rollcall/doctor/probes.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/client/session.hpp"
#include "shm/descriptor.hpp"
#include "shm/trust.hpp"

namespace rollcall::cli::doctor {

std::string kernel_release() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "";
}

int try_pidfd() {
    const shm::Descriptor own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    return own ? 0 : errno;
}

bool is_proc_mounted() { return ::access("/proc/self/fd", F_OK) == 0; }

ClockSeen look_at_clock() {
    ClockSeen seen;
    std::ifstream("/sys/devices/system/clocksource/clocksource0/current_clocksource") >> seen.source;
    constexpr int rounds = 20, readings = 1000;
    for (int round = 0; round < rounds; ++round) {  // the fastest round: the others were interrupted
        timespec now{};
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < readings; ++i)
            if (::clock_gettime(CLOCK_MONOTONIC, &now) != 0) return seen;
        const Duration each = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin) / readings;
        seen.cost = std::min(seen.cost.value_or(each), each);
    }
    return seen;
}

namespace {

// "Max open files            1024                 524288               files"
std::optional<std::uint64_t> limit_of(std::uint32_t pid) {
    std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
    for (std::string line; std::getline(limits, line);) {
        if (!line.starts_with("Max open files")) continue;
        std::istringstream fields(line.substr(14));
        std::string soft, hard;
        if (!(fields >> soft >> hard)) return std::nullopt;
        if (hard == "unlimited") return std::numeric_limits<std::uint64_t>::max();
        return std::strtoull(hard.c_str(), nullptr, 10);
    }
    return std::nullopt;
}

}  // namespace

LimitSeen look_at_limit(std::uint32_t engine_pid) {
    if (engine_pid != 0)
        if (const auto hard = limit_of(engine_pid)) return {*hard, true};
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return {std::numeric_limits<std::uint64_t>::max(), false};
    return {limit.rlim_max, false};
}

shm::Paths place_of(const std::string& cluster, const std::string& dir) {
    const auto folders = shm::client_folders(dir);
    for (const std::string& folder : folders) {
        auto paths = shm::Paths::of(folder, cluster);
        struct stat roster{};
        if (::lstat(paths.roster().c_str(), &roster) == 0 || errno == EACCES) return paths;
    }
    return shm::Paths::of(folders.front(), cluster);
}

namespace {

bool is_folder(const std::string& path) {
    struct stat s{};
    return ::stat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
}

bool is_anything(const std::string& path) {
    struct stat s{};
    return ::lstat(path.c_str(), &s) == 0;
}

}  // namespace

FolderSeen look_at_folder(const shm::Paths& paths) {
    FolderSeen seen;
    seen.dir = paths.dir;
    seen.exists = is_folder(paths.dir);
    std::filesystem::path above = std::filesystem::path(paths.dir).lexically_normal();
    while (!is_folder(above.string()) && above.has_relative_path()) above = above.has_filename() ? above.parent_path() : above.parent_path().parent_path();
    seen.standing = above.empty() ? "." : above.string();
    // What is there and no folder is named by the check of trust; of what is not there, nothing can be said.
    if (is_anything(paths.folder)) {
        if (const auto trust = shm::trust_in(paths); !trust) seen.refused = trust.error().message;
    } else if (is_anything(paths.dir)) {
        if (const auto trust = shm::trust_in_dir(paths.dir); !trust) seen.refused = trust.error().message;
    }
    seen.may_make = ::faccessat(AT_FDCWD, seen.standing.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
    return seen;
}

FilesystemSeen look_at_filesystem(const std::string& at) {
    FilesystemSeen seen;
    seen.at = at;
    struct statfs fs{};
    if (::statfs(at.c_str(), &fs) != 0) {
        seen.error = errno;
        return seen;
    }
    const auto block = static_cast<std::uint64_t>(fs.f_bsize);
    seen.type = static_cast<std::int64_t>(static_cast<std::uint32_t>(fs.f_type));
    seen.total = static_cast<std::uint64_t>(fs.f_blocks) * block;
    seen.free = static_cast<std::uint64_t>(fs.f_bavail) * block;
    seen.has_inodes = fs.f_files == 0 || fs.f_ffree != 0;
    return seen;
}

std::uint64_t taken_by(const shm::Paths& paths, std::uint64_t instance) {
    std::uint64_t bytes = 0;
    for (const std::string& path : {paths.roster(), paths.pulse(instance)}) {
        struct stat s{};
        if (::lstat(path.c_str(), &s) == 0) bytes += static_cast<std::uint64_t>(s.st_blocks) * 512;
    }
    return bytes;
}

PulseSeen look_at_pulse(const std::string& path) {
    struct stat s{};
    PulseSeen seen;
    seen.may_write = ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
    if (::lstat(path.c_str(), &s) != 0) return seen;
    seen.group = s.st_gid;
    seen.group_may = (s.st_mode & S_IWGRP) != 0;
    return seen;
}

std::optional<Error> try_socket(const shm::Paths& paths) {
    const auto session = Session::connect(paths);
    return session ? std::nullopt : std::optional<Error>(session.error());
}

std::optional<char> state_of(std::uint32_t pid, std::uint64_t start_ticks) {
    if (pid == 0 || shm::start_ticks_of(pid) != start_ticks) return std::nullopt;
    const std::string fields = shm::stat_of(pid);
    return fields.size() > 1 ? std::optional<char>(fields[1]) : std::nullopt;
}

}  // namespace rollcall::cli::doctor
