// An engine that dies takes nothing with it: what it knew stays readable, members go on beating, and the next engine goes on with the same
// numbers as if there had been one all the time.
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Succession : public ::testing::Test {
protected:
    Succession() { cluster.start_engine(calm); }

    Process member(const std::string& node) {
        Process process = cluster.puppet();
        EXPECT_THAT(process.ask("join " + node + " endpoint=here:1 tag.k=v; beating " + node), StartsWith("ok "));
        return process;
    }

    TemporaryCluster cluster;
};

struct Ending {
    const char* name;
    int signal, code;
};

void PrintTo(const Ending& row, std::ostream* out) { *out << row.name; }

class AfterTheEngine : public Succession, public ::testing::WithParamInterface<Ending> {
protected:
    void end_engine() {
        cluster.engine().signal(GetParam().signal);
        EXPECT_EQ(cluster.engine().wait(), GetParam().code);
    }
};

INSTANTIATE_TEST_SUITE_P(Engine, AfterTheEngine, ::testing::Values(Ending{"Ended", SIGTERM, 0}, Ending{"Killed", SIGKILL, 137}),
                         [](const auto& row) { return std::string(row.param.name); });

// The next engine adopts: same stream, next epoch, next number; no event for those who stayed, and they are whom they were.
TEST_P(AfterTheEngine, TheNextOneGoesOnWithTheSameNumbers) {
    Watch watch(cluster);
    Process a = member("a"), b = member("b"), wrapper = cluster.wrapped_puppet({"--node", "w"});
    wrapper.ask("pid");
    watch.catch_up();
    const ClusterInfo before = cluster.observe().info();
    const Peer a_before = cluster.find("a");
    end_engine();
    cluster.start_engine(calm);

    const ClusterInfo after = cluster.observe().info();
    EXPECT_EQ(after.stream, before.stream);
    EXPECT_EQ(after.epoch, before.epoch + 1);
    EXPECT_EQ(after.view, before.view);
    EXPECT_EQ(after.counters.peers_joined, 3u);
    const Peer a_after = cluster.find("a");
    EXPECT_EQ(a_after.incarnation, a_before.incarnation);
    EXPECT_EQ(a_after.slot, a_before.slot);
    EXPECT_EQ(a_after.tags, a_before.tags);
    EXPECT_EQ(a_after.endpoint, "here:1");
    EXPECT_THAT(a.ask("beat a"), StartsWith("counted "));

    Process c = member("c");
    watch.until("joined", "c");
    EXPECT_TRUE(watch.is_whole()) << watch.story();
    for (const char* node : {"a", "b", "w"}) EXPECT_EQ(watch.story(node), "joined:join");
    EXPECT_EQ(watch.seen().back().epoch, after.epoch);
    EXPECT_GT(*watch.seen().back().incarnation, a_before.incarnation.value);
}

// It watches their processes again: an end is a proof as before, with its status, and a goodbye is heard.
TEST_P(AfterTheEngine, TheNextOneWatchesWhomItAdopted) {
    Watch watch(cluster);
    Process a = member("a"), b = member("b"), wrapper = cluster.wrapped_puppet({"--node", "w"});
    wrapper.ask("pid");
    end_engine();
    cluster.start_engine(calm);
    a.signal(SIGKILL);
    EXPECT_EQ(watch.until("dead", "a").reason, "process_exit");
    EXPECT_EQ(b.ask("leave b"), "ok");
    watch.until("left", "b");
    wrapper.write_line("raise 11");
    EXPECT_EQ(watch.until("dead", "w").signal, 11u);
    EXPECT_EQ(wrapper.wait(), 139);
}

// Whatever can be read without an engine is read.
TEST_P(AfterTheEngine, EverythingStaysReadable) {
    Process a = member("a"), b = member("b");
    b.ask("leave b");
    end_engine();
    const auto members = cluster.run({"members", "--json"});
    EXPECT_EQ(members.code, 0);
    EXPECT_THAT(members.out, AllOf(HasSubstr("\"running\":false"), HasSubstr("\"node\":\"a\""), HasSubstr("\"state\":\"alive\"")));
    EXPECT_THAT(cluster.run({"dump", "--json"}).out, AllOf(HasSubstr("\"running\":false"), HasSubstr("\"node\":\"a\"")));
    EXPECT_EQ(cluster.run({"why", "a"}).code, 0);
    EXPECT_EQ(cluster.run({"stat"}).code, 0);
    EXPECT_THAT(cluster.run({"list"}).out, HasSubstr("default"));
    const auto watch = cluster.run({"watch", "--json", "--from", "0", "--count", "3"});
    EXPECT_EQ(watch.code, 0);
    EXPECT_EQ(read_event(watch.out.substr(watch.out.rfind("{\"seq"))).event, "left");
    EXPECT_EQ(cluster.run({"watch", "--json", "--count", "1", "--timeout", "100ms"}).code, 1);
}

// What takes an engine says that there is none, in one line, and how to get one.
TEST_P(AfterTheEngine, WhatNeedsAnEngineSaysSo) {
    Process a = member("a");
    end_engine();
    const std::vector<std::vector<std::string>> commands{{"join", "--node", "x"},           {"set", "--suspect", "4s"}, {"evict", "a"}, {"stop"},
                                                         {"wait", "a", "--state", "alive"}, {"join", "--node", "x", "--", "true"}};
    for (const auto& words : commands) {
        const auto output = cluster.run(words);
        EXPECT_EQ(output.code, 3) << words.front();
        EXPECT_EQ(std::count(output.err.begin(), output.err.end(), '\n'), 1) << output.err;
        EXPECT_THAT(output.err, HasSubstr("rollcall run"));
    }
}

// Without an engine a beat counts all the same, and says after the suspect timeout that nobody looks; with the next one all is as before.
TEST_F(Succession, BeatsCountWithoutAnEngineAndSayThatNobodyLooks) {
    ASSERT_EQ(cluster.run({"set", "--suspect", "3s"}).code, 0);
    Process a = cluster.puppet();
    a.ask("join a");
    cluster.kill_engine();
    EXPECT_THAT(a.ask("beat a"), StartsWith("counted "));
    EXPECT_TRUE(eventually([&] { return a.ask("beat a").starts_with("unobserved "); }));
    const Instant before = clock_now();
    a.ask("beat a");
    EXPECT_GE(cluster.last_beat("a"), before - 10us);
    EXPECT_THAT(a.ask("rejoin a"), StartsWith("true ")) << "nobody can be asked, so the next beat tries again";
    cluster.start_engine(calm);
    EXPECT_TRUE(eventually([&] { return a.ask("beat a").starts_with("counted "); }));
}

// Who ended while there was no engine is found by the next one; a goodbye that nobody heard is a death, too. Those who stayed are unharmed,
// though nobody looked for longer than the dead timeout: that time is told as one pause.
TEST_F(Succession, WhoEndedWhileThereWasNoEngineIsDead) {
    ASSERT_EQ(cluster.run({"set", "--heartbeat", "100ms", "--suspect", "1s", "--dead", "2s", "--evict", "60s"}).code, 0);
    Watch watch(cluster);
    Process a = member("a"), b = member("b"), c = member("c"), wrapper = cluster.wrapped_puppet({"--node", "w"});
    wrapper.ask("pid");
    cluster.kill_engine();
    const Instant killed = clock_now();
    a.signal(SIGKILL);
    b.write_line("leave b; exit 0");
    EXPECT_EQ(a.wait(), 137);
    EXPECT_EQ(b.wait(), 0);
    wrapper.write_line("exit 4");
    EXPECT_EQ(wrapper.wait(), 4);
    std::this_thread::sleep_for(3s);
    const Instant restarted = clock_now();
    cluster.start_engine({"--heartbeat", "100ms", "--suspect", "1s", "--dead", "2s", "--evict", "60s"});
    for (const char* node : {"a", "b", "w"}) {
        if (watch.story(node) == "joined:join" || watch.story(node).empty()) watch.until("dead", node);
        EXPECT_EQ(watch.story(node), "joined:join dead:process_exit");
    }
    std::this_thread::sleep_for(3s);
    watch.catch_up();
    EXPECT_EQ(watch.story("c"), "joined:join");
    EXPECT_TRUE(watch.is_whole());
    double longest_pause = 0;
    for (const SeenEvent& e : watch.seen())
        if (e.event == "paused") longest_pause = std::max(longest_pause, *e.length_ms);
    EXPECT_GE(longest_pause, to_ms(restarted - killed) - 60) << "half a heartbeat is credited; " << watch.story();
}

// Twenty engines in a row, killed at any moment while members come and go, and one watch that sees every event once.
TEST_F(Succession, ManyEnginesInARowMakeOneStream) {
    Watch watch(cluster);
    Process steady = member("steady"), busy = cluster.puppet();
    for (int i = 0; i < 20; ++i) {
        busy.write_line("join n" + std::to_string(i) + "; leave n" + std::to_string(i));
        std::this_thread::sleep_for(std::chrono::milliseconds(i));
        cluster.kill_engine();
        busy.read_line();
        cluster.start_engine(calm);
        EXPECT_THAT(steady.ask("beat steady"), StartsWith("counted "));
    }
    busy.ask("join last");
    watch.until("joined", "last");
    EXPECT_TRUE(watch.is_whole()) << watch.story();
    EXPECT_EQ(watch.story("steady"), "joined:join");
    EXPECT_EQ(cluster.observe().info().epoch, 21u);
    EXPECT_EQ(cluster.run({"dump", "--verify"}).code, 0);
}

// A member whose memory was replaced, because what lay there could not be used, learns it at its next beat and comes back by itself.
TEST_F(Succession, AReplacedMemoryIsJoinedAgain) {
    Watch watch(cluster);
    Process a = member("a");
    watch.catch_up();
    const ClusterInfo before = cluster.observe().info();
    cluster.kill_engine();
    std::filesystem::remove(cluster.dir() + "/default/roster");
    cluster.start_engine(calm);
    EXPECT_TRUE(eventually([&] { return cluster.observe().find("a").has_value(); }));
    EXPECT_NE(cluster.observe().info().stream, before.stream);
    EXPECT_EQ(cluster.find("a").tags, (Tags{{"k", "v"}}));
    watch.until("gap");
    EXPECT_NE(watch.seen().back().stream, watch.seen().front().stream);
}

}  // namespace
}  // namespace rollcall::test
