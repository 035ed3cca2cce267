#include "engine/control/process.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/host.hpp"

namespace rollcall::control {

namespace {

// The fields of /proc/PID/stat behind the command's name: [0] is the state, field 3.
std::vector<std::string> stat_fields(std::uint32_t pid) {
    std::istringstream rest(shm::stat_of(pid));
    std::vector<std::string> fields;
    for (std::string field; rest >> field;) fields.push_back(field);
    return fields;
}

ExitStatus from_wait_status(int status) noexcept {
    if (WIFSIGNALED(status)) return {true, static_cast<std::uint8_t>(WTERMSIG(status))};
    return {false, static_cast<std::uint8_t>(WEXITSTATUS(status))};
}

// linux/pidfd.h of Linux 6.15; Debian 12's headers are older than the kernels it may run on.
struct PidfdInfo {
    std::uint64_t mask, cgroup;
    std::uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    std::int32_t exit_code;
};
constexpr std::uint64_t pidfd_info_exit = 1u << 3;
constexpr unsigned long pidfd_get_info = _IOWR(0xFF, 11, PidfdInfo);
static_assert(sizeof(PidfdInfo) == 64);

// "Pid:" of /proc/self/fdinfo/N: -1 once it was reaped, 0 outside our pid namespace.
std::optional<long> pid_of(int pidfd) {
    std::ifstream file("/proc/self/fdinfo/" + std::to_string(pidfd));
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("Pid:")) return std::strtol(line.c_str() + 4, nullptr, 10);
    return std::nullopt;
}

}  // namespace

shm::Descriptor open_pidfd(std::uint32_t pid) noexcept { return shm::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0))); }

bool has_descriptor_left() noexcept { return static_cast<bool>(shm::Descriptor(::open("/", O_PATH | O_CLOEXEC))); }

bool is_pidfd(int fd) noexcept { return pid_of(fd).has_value(); }

bool has_exited(int pidfd) noexcept {
    pollfd p{pidfd, POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
}

std::optional<engine::ProcessFacts> facts_of(int pidfd) {
    const auto pid = pid_of(pidfd);
    if (!pid || *pid < 0) return std::nullopt;
    engine::ProcessFacts facts;
    facts.pid = static_cast<std::uint32_t>(*pid);
    if (facts.pid != 0) {
        facts.start_ticks = shm::start_ticks_of(facts.pid).value_or(0);
        struct stat owner{};
        if (::stat(("/proc/" + std::to_string(facts.pid)).c_str(), &owner) == 0) {
            facts.uid = owner.st_uid;
            facts.gid = owner.st_gid;
        }
    }
    if (has_exited(pidfd)) return std::nullopt;  // the pid may already be another's
    return facts;
}

std::optional<ExitStatus> exit_status_of(int pidfd, const engine::ProcessFacts& facts) {
    PidfdInfo info{};
    info.mask = pidfd_info_exit;
    if (::ioctl(pidfd, pidfd_get_info, &info) == 0 && (info.mask & pidfd_info_exit) != 0) return from_wait_status(info.exit_code);
    if (facts.pid == 0) return std::nullopt;
    const auto fields = stat_fields(facts.pid);
    constexpr std::size_t start_ticks = 22 - 3, exit_code = 52 - 3;
    if (fields.size() <= exit_code || fields[0] != "Z" || fields[start_ticks] != std::to_string(facts.start_ticks)) return std::nullopt;
    const int status = std::atoi(fields[exit_code].c_str());
    // The kernel shows 0 to whoever may not know, which looks like a clean exit: only root can tell the two apart.
    if (status == 0 && ::geteuid() != 0) return std::nullopt;
    return from_wait_status(status);
}

namespace {

bool is_cgroup_frozen(std::uint32_t pid) {
    std::ifstream membership("/proc/" + std::to_string(pid) + "/cgroup");
    for (std::string line; std::getline(membership, line);) {
        if (!line.starts_with("0::")) continue;  // cgroup v2
        std::ifstream events("/sys/fs/cgroup" + line.substr(3) + "/cgroup.events");
        for (std::string event; std::getline(events, event);)
            if (event == "frozen 1") return true;
    }
    return false;
}

}  // namespace

bool is_held_still(std::uint32_t pid) {
    // A first thread that has ended before the others (Z), and a /proc that does not show it, say nothing: the pidfd tells an end.
    const auto fields = stat_fields(pid);
    const char state = fields.empty() ? '?' : fields[0][0];
    return state == 'T' || state == 't' || is_cgroup_frozen(pid);
}

}  // namespace rollcall::control
