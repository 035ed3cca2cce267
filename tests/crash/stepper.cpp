#include "tests/crash/stepper.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rollcall::test {

namespace {

[[noreturn]] void live(const std::function<void(const SteppedProcess::Stop&)>& life) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
        std::perror("this process may not be traced");
        ::_exit(3);
    }
    try {
        life([] { ::kill(::getpid(), SIGSTOP); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "the stepped process: %s\n", e.what());
        ::_exit(2);
    }
    ::_exit(0);
}

}  // namespace

SteppedProcess::OneCore::OneCore() noexcept {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
    ::sched_setaffinity(0, sizeof here, &here);
}

SteppedProcess::OneCore::~OneCore() { ::sched_setaffinity(0, sizeof before_, &before_); }

SteppedProcess::SteppedProcess(const std::function<void(const Stop&)>& life) {
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) live(life);
    wait_for_stop();
    ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, long{PTRACE_O_EXITKILL});
}

SteppedProcess::~SteppedProcess() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {}
}

// The signal at which the child now stands.
int SteppedProcess::wait_for_signal() {
    int status = 0;
    while (::waitpid(pid_, &status, __WALL) < 0)
        if (errno != EINTR) throw std::runtime_error("the stepped process cannot be waited for");
    if (WIFSTOPPED(status)) return WSTOPSIG(status);
    pid_ = -1;
    throw std::runtime_error(WIFSIGNALED(status) ? "the stepped process died of signal " + std::to_string(WTERMSIG(status))
                                                 : "the stepped process ended with " + std::to_string(WEXITSTATUS(status)));
}

void SteppedProcess::wait_for_stop() {
    for (int signal = wait_for_signal(); signal != SIGSTOP; signal = wait_for_signal())
        ::ptrace(PTRACE_CONT, pid_, nullptr, signal == SIGTRAP ? 0L : long{signal});  // a trap is the rest of a step
}

void SteppedProcess::run_to_stop() {
    ::ptrace(PTRACE_CONT, pid_, nullptr, 0L);
    wait_for_stop();
}

bool SteppedProcess::step() {
    ++instructions_;
    ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, 0L);
    const int signal = wait_for_signal();
    if (signal == SIGSTOP) return false;
    if (signal != SIGTRAP) throw std::runtime_error("the stepped process got signal " + std::to_string(signal));
    return true;
}

}  // namespace rollcall::test
