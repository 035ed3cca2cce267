// A heartbeat asks nobody: not even the kernel, unless the engine has not looked for the suspect timeout.
#include <csignal>

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/client/member.hpp"
#include "tests/support/temporary_cluster.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

// What a process may still do then is read, write and end; anything else kills it.
TEST(Beating, MakesNoSystemCall) {
    TemporaryCluster cluster;
    cluster.start_engine();
    const pid_t child = ::fork();
    if (child == 0) {
        auto me = Member::join({.cluster = "default", .node = "a", .dir = cluster.dir()});
        Instant now = std::chrono::steady_clock::now();
        if (!me || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::_exit(1);
        bool counted = true;
        for (int i = 0; i < 20'000; ++i) counted = me->beat(now += 100us).counted() && counted;  // two seconds of it: it also looks at the engine
        ::syscall(SYS_exit, counted ? 0 : 2);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace rollcall::test
