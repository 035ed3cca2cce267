// Who this host and this process are.
#include "shm/host.hpp"

#include <set>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rollcall::shm {
namespace {

TEST(Host, IsTheSameWheneverAsked) {
    const HostIdentity first = HostIdentity::current(), second = HostIdentity::current();
    EXPECT_EQ(first.boot_id, second.boot_id);
    EXPECT_EQ(first.time_namespace, second.time_namespace);
    EXPECT_EQ(first.pid_namespace, second.pid_namespace);
    EXPECT_NE(first.boot_id[0], 0u);
    EXPECT_NE(first.boot_id[1], 0u);
    EXPECT_NE(first.pid_namespace, 0u);
}

// The start of a process is what tells a reused pid. Its name may contain anything, also what looks like the fields that are sought.
TEST(Host, ReadsTheStartOfAProcessWhateverItsName) {
    char name[16] = {};
    ASSERT_EQ(::prctl(PR_GET_NAME, name), 0);
    const auto pid = static_cast<std::uint32_t>(::getpid());
    const auto start = start_ticks_of(pid);
    ASSERT_TRUE(start.has_value());
    EXPECT_GT(*start, 0u);
    for (const char* strange : {"a) S 1 2 3 (", ") ) )", "   ", "\n"}) {
        ASSERT_EQ(::prctl(PR_SET_NAME, strange), 0);
        EXPECT_EQ(start_ticks_of(pid), start) << strange;
    }
    ::prctl(PR_SET_NAME, name);
}

TEST(Host, KnowsNoStartOfWhoIsGone) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(0);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    const auto mine = start_ticks_of(static_cast<std::uint32_t>(::getpid()));
    EXPECT_GE(start_ticks_of(static_cast<std::uint32_t>(child)).value_or(0), mine.value_or(1)) << "a zombie still has one";
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_FALSE(start_ticks_of(static_cast<std::uint32_t>(child)).has_value());
    EXPECT_FALSE(start_ticks_of(0).has_value());
    EXPECT_FALSE(start_ticks_of(0xFFFF'FFFF).has_value());
}

TEST(Host, RandomBitsDoNotRepeat) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1'000; ++i) seen.insert(random_bits());
    EXPECT_EQ(seen.size(), 1'000u);
}

}  // namespace
}  // namespace rollcall::shm
