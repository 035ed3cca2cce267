// What is asked of a process while it vanishes: every answer is about it or says that it is gone, and none is an exception.
#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/control/process.hpp"
#include "shm/host.hpp"
#include "tests/support/process.hpp"

namespace rollcall::test {
namespace {

// Children that live for an instant and are reaped by the kernel, so that the end comes between any two system calls of the question. A
// thousand of them, each asked about until it is gone.
class Vanishing : public ::testing::Test {
protected:
    Vanishing() : before_(std::signal(SIGCHLD, SIG_IGN)) {}
    ~Vanishing() override { std::signal(SIGCHLD, before_); }

    template <class Ask>
    static void ask_until_gone(const Ask& is_there) {
        for (int i = 0; i < 1000; ++i) {
            const pid_t pid = ::fork();
            ASSERT_GE(pid, 0);
            if (pid == 0) {
                ::usleep(static_cast<useconds_t>(i % 50));
                ::_exit(0);
            }
            ASSERT_TRUE(eventually([&] {
                for (int j = 0; j < 1000; ++j)
                    if (!is_there(static_cast<std::uint32_t>(pid))) return true;
                return false;
            }));
        }
    }

private:
    void (*before_)(int);
};

TEST_F(Vanishing, ProcessHasAStartTimeOrNone) {
    ask_until_gone([](std::uint32_t pid) { return shm::start_ticks_of(pid).has_value(); });
}

// Nobody but its pidfd may say that a process has ended: here it only moves or does not.
TEST_F(Vanishing, ProcessIsNotHeldStill) {
    ask_until_gone([](std::uint32_t pid) {
        EXPECT_FALSE(control::is_held_still(pid));
        return shm::start_ticks_of(pid).has_value();
    });
}

TEST_F(Vanishing, ProcessHasFactsUntilItEnds) {
    ask_until_gone([](std::uint32_t pid) {
        const shm::Descriptor pidfd = control::open_pidfd(pid);
        return pidfd && control::facts_of(pidfd.get()).has_value();
    });
}

}  // namespace
}  // namespace rollcall::test
