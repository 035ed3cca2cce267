// The gate is a pair of sockets. What goes through it:
//   to the child     the watchdog time: run the command         end of file: we are gone or do not want it any more, exit
//   from the child   errno: the command could not be run        end of file: exec has closed the child's end, the command runs
#include "tools/rollcall/program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/rollcall/signals.hpp"

namespace rollcall::cli {

namespace {

struct Pair {
    shm::Descriptor ours, childs;
};

Result<Pair> make_gate() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return fail(ErrorKind::full, std::string("cannot prepare the command: ") + std::strerror(errno));
    return Pair{shm::Descriptor(ends[0]), shm::Descriptor(ends[1])};
}

// False at the end of file.
template <class T>
bool receive(int gate, T& value) {
    ssize_t size;
    do size = ::recv(gate, &value, sizeof value, 0);
    while (size < 0 && errno == EINTR);
    return size == static_cast<ssize_t>(sizeof value);
}

// What a supervisor tells the one process that it started, by pid, is meant for the program: it shall notice no wrapper.
void hand_down(const char* variable, pid_t wrapper) {
    const char* value = std::getenv(variable);
    if (value != nullptr && std::to_string(wrapper) == value) ::setenv(variable, std::to_string(::getpid()).c_str(), 1);
}

void set_environment(const std::string& notify_address, std::uint64_t watchdog_us, pid_t wrapper) {
    hand_down("LISTEN_PID", wrapper);
    if (notify_address.empty()) return hand_down("WATCHDOG_PID", wrapper);
    ::setenv("NOTIFY_SOCKET", notify_address.c_str(), 1);
    ::setenv("WATCHDOG_USEC", std::to_string(watchdog_us).c_str(), 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
}

// The child. It never comes back; everything that waits in here ends when the parent does.
[[noreturn]] void run(int gate, std::vector<std::string>& command, const std::string& notify_address, const SignalFeed& signals, pid_t wrapper) {
    std::uint64_t watchdog_us = 0;
    if (!receive(gate, watchdog_us)) ::_exit(EXIT_FAILURE);
    set_environment(notify_address, watchdog_us, wrapper);
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    signals.restore();
    restore_the_limit_of_file_sizes();
    ::execvp(argv[0], argv.data());
    const int error = errno;
    ::send(gate, &error, sizeof error, MSG_NOSIGNAL);
    // Lives on until its parent has said goodbye for it: an exit would be taken for a death.
    receive(gate, watchdog_us);
    ::_exit(EXIT_FAILURE);
}

ExitStatus status_of(const siginfo_t& info) {
    return {info.si_code != CLD_EXITED, static_cast<std::uint8_t>(info.si_status)};
}

}  // namespace

Result<Program> Program::hold(std::vector<std::string> command, std::string notify_address, const SignalFeed& signals) {
    Result<Pair> gate = make_gate();
    if (!gate) return fail(gate.error());
    const pid_t wrapper = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return fail(ErrorKind::full, std::string("cannot start a process: ") + std::strerror(errno));
    if (pid == 0) {
        gate->ours.reset();  // or it would never see the end of file
        run(gate->childs.get(), command, notify_address, signals, wrapper);
    }
    // Certain to be our child: nobody but us reaps it.
    Program program(pid, shm::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), std::move(gate->ours));
    if (!program.pidfd_) return fail(ErrorKind::system, std::string("cannot watch the command (pidfd_open: ") + std::strerror(errno) + "); Linux 5.4 or newer is needed");
    return program;
}

Program::~Program() {
    if (child_.pid <= 0 || has_run_) return;
    // By force, since it may be stopped: it has done nothing yet that could be lost.
    ::kill(child_.pid, SIGKILL);
    reap();
}

void Program::open_gate(Duration watchdog) {
    const std::uint64_t watchdog_us = static_cast<std::uint64_t>(watchdog.count() / 1000);
    has_run_ = true;
    // Fails only if it was killed at the gate: then there is an ending to report.
    (void)::send(gate_.get(), &watchdog_us, sizeof watchdog_us, MSG_NOSIGNAL);
}

std::optional<int> Program::why_not_running() {
    int error = 0;
    const ssize_t size = gate_ ? ::recv(gate_.get(), &error, sizeof error, MSG_DONTWAIT) : 0;
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (size == static_cast<ssize_t>(sizeof error)) {
        has_run_ = false;
        return error;
    }
    gate_.reset();
    return std::nullopt;
}

bool Program::has_continued() {
    bool continued = false;
    for (siginfo_t info{}; ::waitid(P_PID, static_cast<id_t>(child_.pid), &info, WSTOPPED | WCONTINUED | WNOHANG) == 0 && info.si_pid != 0; info = {}) {
        continued = info.si_code == CLD_CONTINUED;
        stopped_ = !continued;
    }
    return continued;
}

bool Program::is_over() const noexcept {
    pollfd p{pidfd_.get(), POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
}

std::optional<ExitStatus> Program::ending() const {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child_.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return std::nullopt;
    return status_of(info);
}

void Program::reap() {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(child_.pid), &info, WEXITED) != 0 && errno == EINTR) {}
    child_.pid = 0;
}

void Program::send(int signal) const noexcept {
    if (child_.pid > 0) ::kill(child_.pid, signal);
}

void reap_others(pid_t ours) {
    for (siginfo_t info{}; ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 && info.si_pid != ours; info = {})
        ::waitid(P_PID, static_cast<id_t>(info.si_pid), nullptr, WEXITED | WNOHANG);
}

}  // namespace rollcall::cli
