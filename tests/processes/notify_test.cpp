// A wrapped program may report its own health as it would to a service manager: $NOTIFY_SOCKET, WATCHDOG=1, STOPPING=1.
#include <csignal>
#include <stdexcept>

#include <gmock/gmock.h>

#include "tests/support/supervisor.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Duration suspect_after = 1s;  // as in `fast`

// The deaths are far away, so that they cannot come between the steps of a test.
class Notify : public ::testing::Test {
protected:
    Notify() {
        cluster.start_engine(fast);
        if (cluster.run({"set", "--dead", "50s", "--evict", "60s"}).code != 0) throw std::runtime_error("cannot set");
    }
    TemporaryCluster cluster;
};

TEST_F(Notify, TheProgramFindsItsSocketAndItsWatchdog) {
    Process x = cluster.wrapped_puppet({"--node", "x"});
    EXPECT_THAT(x.ask("env NOTIFY_SOCKET"), HasSubstr("rollcall"));
    EXPECT_EQ(x.ask("env WATCHDOG_USEC"), "1000000") << "the suspect timeout";
    EXPECT_EQ(x.ask("env WATCHDOG_PID"), x.ask("pid"));
}

// From the first WATCHDOG=1 on only that is a sign of life, however well the process is.
TEST_F(Notify, AProgramThatStopsReportingIsSuspect) {
    Watch watch(cluster);
    Process x = cluster.wrapped_puppet({"--node", "x"});
    const Instant before = clock_now();
    EXPECT_EQ(x.ask("notify WATCHDOG=1"), "ok");
    const SeenEvent suspect = watch.until("suspect", "x");
    EXPECT_TRUE(suspect.is_not_before(before, suspect_after)) << suspect.line;
    EXPECT_EQ(suspect.reason, "silence");
    EXPECT_EQ(x.ask("notify READY=1"), "ok");
    EXPECT_EQ(cluster.find("x").state, State::suspect) << "no other word counts";
    EXPECT_EQ(x.ask("notify WATCHDOG=1"), "ok");
    watch.until("recovered", "x");
    EXPECT_EQ(watch.story("x"), "joined:join updated:join suspect:silence recovered:heartbeat") << "that it reports itself is kept, an update";
}

// A word that only looks like it starts no watchdog: the wrapper goes on beating.
TEST_F(Notify, WordsThatAreNotTheWatchdogsStartNone) {
    Watch watch(cluster);
    Process x = cluster.wrapped_puppet({"--node", "x"});
    x.ask("notify READY=1; notify WATCHDOG=trigger; notify WATCHDOG=10; notify XWATCHDOG=1");
    const Instant now = clock_now();
    EXPECT_TRUE(eventually([&] { return cluster.last_beat("x") > now + 3 * suspect_after; }));
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), "joined:join");
}

// It reports its own health, so that nobody else may: with the wrapper gone it cannot, and silence judges.
TEST_F(Notify, AProgramWithAWatchdogIsNotBeatenForWhenItsWrapperIsGone) {
    Watch watch(cluster);
    Process x = cluster.wrapped_puppet({"--node", "x"});
    const Stranger program(std::stoi(x.ask("notify WATCHDOG=1; pid").substr(4)));
    watch.until("updated", "x");  // the wrapper has heard it, and told the engine
    x.signal(SIGKILL);
    x.wait();
    EXPECT_EQ(watch.until("suspect", "x").reason, "silence");
    EXPECT_FALSE(program.has_ended());
    program.signal(SIGKILL);
    EXPECT_EQ(watch.until("dead", "x").reason, "process_exit");
}

TEST_F(Notify, StoppingIsAGoodbyeWhateverTheEnd) {
    Watch watch(cluster);
    Process x = cluster.wrapped_puppet({"--node", "x"});
    EXPECT_EQ(x.ask("notify STOPPING=1"), "ok");
    watch.until("left", "x");
    EXPECT_NE(x.ask("pid"), "") << "it takes its time";
    x.write_line("exit 5");
    EXPECT_EQ(x.wait(), 5);
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), "joined:join left:goodbye");
}

// The goodbye and the end come together: it is the goodbye that counts.
TEST_F(Notify, StoppingRightBeforeTheEndIsALeave) {
    Watch watch(cluster);
    for (int i = 0; i < 10; ++i) {
        const std::string node = "x" + std::to_string(i);
        Process x = cluster.wrapped_puppet({"--node", node});
        x.write_line("notify STOPPING=1; exit 5");
        EXPECT_EQ(x.wait(), 5);
        watch.until("left", node);
        EXPECT_EQ(watch.story(node), "joined:join left:goodbye");
    }
}

// Whoever listened to the program before the wrapper came between still hears everything, and the program sees another socket than ours.
TEST_F(Notify, AllIsPassedOnToTheOuterSocket) {
    const std::string path = cluster.dir() + "/notify";
    const Supervisor outer(path);
    Process x = cluster.wrapped_puppet({"--node", "x"}, {{"NOTIFY_SOCKET", path}});
    EXPECT_THAT(x.ask("env NOTIFY_SOCKET"), Not(path));
    x.ask("notify READY=1; notify WATCHDOG=1; notify STATUS=fine; notify STOPPING=1");
    for (const char* expected : {"READY=1", "WATCHDOG=1", "STATUS=fine", "STOPPING=1"}) EXPECT_EQ(outer.next(), expected);
}

}  // namespace
}  // namespace rollcall::test
