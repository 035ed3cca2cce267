#include "tools/rollcall/doctor/probes.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
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
#include "shm/lock.hpp"
#include "shm/trust.hpp"
#include "tools/rollcall/doctor/memory_limit.hpp"

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

struct Limits {
    std::uint64_t soft = no_limit, hard = no_limit;
};

std::uint64_t number_of(const std::string& text) { return text == "unlimited" ? no_limit : std::strtoull(text.c_str(), nullptr, 10); }

// "Max open files            1024                 524288               files"
std::optional<Limits> limits_of(std::uint32_t pid, const std::string& name) {
    std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
    for (std::string line; std::getline(limits, line);) {
        if (!line.starts_with(name)) continue;
        std::istringstream fields(line.substr(name.size()));
        std::string soft, hard;
        if (!(fields >> soft >> hard)) return std::nullopt;
        return Limits{number_of(soft), number_of(hard)};
    }
    return std::nullopt;
}

}  // namespace

LimitSeen look_at_open_files(std::uint32_t engine_pid) {
    const std::string name = "Max open files";
    if (engine_pid != 0)
        if (const auto engines = limits_of(engine_pid, name)) return {engines->soft, true};
    rlimit ours{};
    return {::getrlimit(RLIMIT_NOFILE, &ours) != 0 || ours.rlim_max == RLIM_INFINITY ? no_limit : ours.rlim_max, false};
}

LimitSeen look_at_file_size(std::uint32_t engine_pid) {
    const std::string name = "Max file size";
    if (engine_pid != 0)
        if (const auto engines = limits_of(engine_pid, name)) return {engines->soft, true};
    rlimit ours{};
    return {::getrlimit(RLIMIT_FSIZE, &ours) != 0 || ours.rlim_cur == RLIM_INFINITY ? no_limit : ours.rlim_cur, false};
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

int error_of_writing(const std::string& folder) { return ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno; }

// No folder can ever be there. Looking does not tell, for what is above it may be missing, too.
std::optional<std::string> why_no_folder(const std::string& dir) {
    if (dir.size() >= PATH_MAX) return "its path is longer than " + std::to_string(PATH_MAX - 1) + " bytes";
    for (const auto& part : std::filesystem::path(dir))
        if (part.native().size() > NAME_MAX) return "a name in its path is longer than " + std::to_string(NAME_MAX) + " bytes";
    return std::nullopt;
}

// What is there and no folder is named by the check of trust; of what is not there, nothing can be said.
std::optional<std::string> why_not_trusted(const shm::Paths& paths) {
    if (auto never = why_no_folder(paths.dir)) return never;
    const bool has_cluster = is_anything(paths.folder);
    if (!has_cluster && !is_anything(paths.dir)) return std::nullopt;
    const auto trust = has_cluster ? shm::trust_in(paths) : shm::trust_in_dir(paths.dir);
    return trust ? std::nullopt : std::optional<std::string>(trust.error().message);
}

void look_into_cluster(FolderSeen& seen, const shm::Paths& paths) {
    struct stat s{}, dir{};
    seen.has_cluster = ::stat(paths.folder.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
    if (!seen.has_cluster) return;
    seen.is_mount = ::stat(paths.dir.c_str(), &dir) == 0 && dir.st_dev != s.st_dev;
    seen.owner = s.st_uid;
    seen.is_own = s.st_uid == ::geteuid();
    seen.write_error = error_of_writing(paths.folder);
    seen.is_lock_held = shm::is_locked(paths.lock());
}

}  // namespace

FolderSeen look_at_folder(const shm::Paths& paths) {
    FolderSeen seen;
    seen.dir = paths.dir;
    seen.exists = is_folder(paths.dir);
    std::filesystem::path above = std::filesystem::path(paths.dir).lexically_normal();
    if (!above.has_filename()) above = above.parent_path();
    for (; !is_folder(above.string()) && above.has_relative_path(); above = above.parent_path()) ++seen.to_make;
    seen.standing = above.empty() ? "." : above.string();
    seen.refused = why_not_trusted(paths);
    seen.make_error = error_of_writing(seen.standing);
    look_into_cluster(seen, paths);
    for (const std::string& path : {paths.folder, paths.lock(), paths.socket()}) seen.to_make += is_anything(path) ? 0 : 1;
    seen.to_make += 2;  // roster and pulse
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
    if (fs.f_files != 0) seen.inodes = static_cast<std::uint64_t>(fs.f_ffree);
    return seen;
}

std::uint64_t look_at_memory_left(std::uint32_t engine_pid) {
    std::ostringstream cgroups;
    cgroups << std::ifstream("/proc/" + (engine_pid == 0 ? "self" : std::to_string(engine_pid)) + "/cgroup").rdbuf();
    return memory_left(cgroups.str(), "/sys/fs/cgroup");
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

LockSeen look_at_lock(const shm::Paths& paths) {
    LockSeen seen{shm::is_locked(paths.lock()), error_of_writing(paths.folder) == 0, std::nullopt};
    const auto trust = shm::trust_in(paths);
    if (!trust) return seen;  // 'folder' says why
    if (const auto fit = shm::check_lock(paths.lock(), *trust); !fit) seen.error = fit.error();
    return seen;
}

Lies look_at_socket(const shm::Paths& paths) {
    struct stat s{};
    if (::lstat(paths.socket().c_str(), &s) != 0) return Lies::nothing;
    return S_ISSOCK(s.st_mode) ? Lies::socket : S_ISDIR(s.st_mode) ? Lies::folder : Lies::other;
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
