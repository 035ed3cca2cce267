// A reader that is interrupted where it does not choose: a timer's signal stops the thread between any two of its instructions, and the
// writer goes on inside the signal's handler. So one processor is enough, and no luck with the scheduler is needed, for what two threads
// show only now and then. What runs in the handler must not allocate.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>

#include <sys/time.h>

namespace rollcall::test {

class Interruptions {
public:
    explicit Interruptions(std::function<void()> what) {
        what_ = std::move(what);
        count_ = 0;
        is_over_ = 0;
        struct sigaction action{};
        action.sa_handler = [](int) { interrupt(); };
        action.sa_flags = SA_RESTART;
        if (::sigaction(SIGALRM, &action, nullptr) != 0) std::abort();
        arm(pause_us);
    }
    // The handler stays: a signal that is still on its way finds nothing to do.
    ~Interruptions() {
        is_over_ = 1;
        arm(0);
    }
    Interruptions(const Interruptions&) = delete;
    Interruptions& operator=(const Interruptions&) = delete;

    int count() const noexcept { return count_; }

private:
    static constexpr int pause_us = 20;

    static void interrupt() noexcept {
        if (is_over_ != 0) return;
        const int error = errno;
        what_();
        count_ = count_ + 1;
        arm(pause_us);
        errno = error;
    }
    static void arm(int us) noexcept {
        const itimerval once{{0, 0}, {0, us}};
        ::setitimer(ITIMER_REAL, &once, nullptr);
    }

    static inline std::function<void()> what_;
    static inline volatile std::sig_atomic_t count_ = 0, is_over_ = 1;
};

}  // namespace rollcall::test
