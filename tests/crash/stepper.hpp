// A child process that is run one instruction at a time (PTRACE_SINGLESTEP), between the stops that it makes itself.
#pragma once

#include <cstdint>
#include <functional>

#include <sched.h>
#include <sys/types.h>

namespace rollcall::test {

class SteppedProcess {
public:
    // Called by the child: stops it until its parent lets it go on.
    using Stop = std::function<void()>;

    // Forks, and lets the child run `life` up to its first stop. The calling process must have one thread. Throws if the child ends
    // instead of stopping.
    explicit SteppedProcess(const std::function<void(const Stop&)>& life);
    // Kills the child, at whatever instruction it is.
    ~SteppedProcess();
    SteppedProcess(const SteppedProcess&) = delete;
    SteppedProcess& operator=(const SteppedProcess&) = delete;

    // Lets the child run on to its next stop. Throws if it ends instead.
    void run_to_stop();
    // One instruction; a system call is one. False: that was the child's next stop. Throws if the child ended.
    bool step();
    std::uint64_t instructions() const noexcept { return instructions_; }
    pid_t pid() const noexcept { return pid_; }

private:
    // Parent and child take turns: on one core a step is two cheap switches.
    class OneCore {
    public:
        OneCore() noexcept;
        ~OneCore();

    private:
        cpu_set_t before_;
    };
    int wait_for_signal();
    void wait_for_stop();

    OneCore while_it_lives_;
    pid_t pid_ = -1;
    std::uint64_t instructions_ = 0;
};

}  // namespace rollcall::test
