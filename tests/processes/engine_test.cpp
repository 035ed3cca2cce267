// One engine a cluster: it takes the lock or says who has it, hears its operator, ends cleanly, and notices when its place is taken away.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// An error is one line.
bool is_one_line(const std::string& text) { return !text.empty() && text.find('\n') == text.size() - 1; }

Settings settings_of(const TemporaryCluster& cluster) { return cluster.observe().info().settings; }

// Two at once, ten times over, in a folder that does not even exist yet: whoever comes first runs, the other names the lock and its owner.
TEST(TwoEngines, OneRunsAndTheOtherSaysWhoHoldsTheLock) {
    for (int round = 0; round < 10; ++round) {
        TemporaryCluster cluster;
        std::vector<Process> two;
        for (int i = 0; i < 2; ++i) {
            Process::Start start;
            start.argv = {TemporaryCluster::command(), "run", "--dir", cluster.dir()};
            start.err = cluster.dir() + "/err" + std::to_string(i);
            two.emplace_back(start);
        }
        ASSERT_TRUE(eventually([&] { return two[0].has_ended() || two[1].has_ended(); }));
        const std::size_t loser = two[0].has_ended() ? 0 : 1;
        Process& winner = two[1 - loser];
        EXPECT_EQ(two[loser].wait(), 1);
        std::ifstream file(cluster.dir() + "/err" + std::to_string(loser));
        const std::string said{std::istreambuf_iterator<char>(file), {}};
        EXPECT_TRUE(is_one_line(said)) << said;
        EXPECT_THAT(said, HasSubstr(cluster.dir() + "/default/lock"));
        ASSERT_TRUE(eventually([&] {
            const auto info = cluster.info();
            return info && info->running;
        }));
        EXPECT_EQ(cluster.info()->engine_pid, static_cast<std::uint32_t>(winner.pid()));
        EXPECT_EQ(cluster.info()->epoch, 1u) << "the loser changed nothing";
        // A third one, now that the first is known by its pid.
        const auto third = cluster.run({"run"});
        EXPECT_EQ(third.code, 1);
        EXPECT_THAT(third.err, AllOf(HasSubstr("pid " + std::to_string(winner.pid())), HasSubstr("lock")));
        winner.signal(SIGTERM);
        EXPECT_EQ(winner.wait(), 0);
    }
}

// A stopped engine keeps its lock, so that nobody takes its place; once it is gone the lock is free.
TEST(TwoEngines, AStoppedEngineKeepsItsLock) {
    TemporaryCluster cluster;
    cluster.start_engine().stop();
    EXPECT_EQ(cluster.run({"run"}).code, 1);
    EXPECT_TRUE(cluster.observe().info().running);
    EXPECT_EQ(cluster.run({"members"}).code, 0) << "nobody who looks needs it";
    cluster.kill_engine();
    EXPECT_FALSE(cluster.observe().info().running);
    cluster.start_engine();
    EXPECT_EQ(cluster.observe().info().epoch, 2u);
}

TEST(TwoEngines, ClustersOfOtherNamesDoNotDisturbOneAnother) {
    TemporaryCluster cluster;
    cluster.start_engine();
    Process other = cluster.start({"run", "--cluster", "other"});
    ASSERT_TRUE(eventually([&] { return cluster.run({"members", "--cluster", "other"}).code == 0; }));
    EXPECT_EQ(cluster.run({"stop", "--cluster", "other"}).code, 0);
    EXPECT_EQ(other.wait(), 0);
    EXPECT_TRUE(cluster.observe().info().running);
}

TEST(OneEngine, EndsCleanlyOnEitherSignal) {
    TemporaryCluster cluster;
    for (const int signal : {SIGTERM, SIGINT}) {
        Process& engine = cluster.start_engine();
        engine.signal(signal);
        EXPECT_EQ(engine.wait(), 0);
        EXPECT_FALSE(cluster.observe().info().running);
        EXPECT_FALSE(std::filesystem::exists(cluster.dir() + "/default/control.sock"));
    }
}

// Flags over file over defaults, also when it is read again.
TEST(OneEngine, ReadsItsConfigurationAgainOnAHangUp) {
    TemporaryCluster cluster;
    const std::string file = cluster.dir() + "/rollcall.toml";
    std::ofstream(file) << "suspect = \"4s\"\ndead = \"6s\"\n";
    Process& engine = cluster.start_engine({"--config", file, "--dead", "7s"});
    EXPECT_EQ(settings_of(cluster).suspect, 4s);
    EXPECT_EQ(settings_of(cluster).dead, 7s);
    EXPECT_EQ(settings_of(cluster).evict, 10s);

    std::ofstream(file) << "suspect = \"5s\"\ndead = \"6s\"\nevict = \"20s\"\n";
    engine.signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return settings_of(cluster).suspect == 5s; }));
    EXPECT_EQ(settings_of(cluster).dead, 7s);
    EXPECT_EQ(settings_of(cluster).evict, 20s);

    // What makes no sense is refused as a whole, and the engine goes on with what it has.
    std::ofstream(file) << "suspect = \"30s\"\nevict = \"40s\"\n";
    engine.signal(SIGHUP);
    std::ofstream(file) << "suspect = \"5s\"\nnonsense\n";
    engine.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return cluster.said_by_engine().find("settings stay as they are") != std::string::npos; }));
    EXPECT_EQ(settings_of(cluster).suspect, 5s);
    EXPECT_EQ(settings_of(cluster).evict, 20s);
    EXPECT_FALSE(engine.has_ended());
}

TEST(OneEngine, SettingsHoldUntilAHangUp) {
    TemporaryCluster cluster;
    Process& engine = cluster.start_engine({"--suspect", "4s", "--dead", "8s"});
    const auto set = cluster.run({"set", "--suspect", "5s", "--evict", "1min"});
    EXPECT_EQ(set.code, 0);
    EXPECT_THAT(set.out, HasSubstr("suspect 5s"));
    EXPECT_EQ(settings_of(cluster).suspect, 5s);
    EXPECT_EQ(settings_of(cluster).evict, 60s);
    const auto refused = cluster.run({"set", "--suspect", "9s"});
    EXPECT_NE(refused.code, 0);
    EXPECT_TRUE(is_one_line(refused.err)) << refused.err;
    EXPECT_EQ(settings_of(cluster).suspect, 5s);
    engine.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return settings_of(cluster).suspect == 4s; }));
    EXPECT_EQ(settings_of(cluster).evict, 10s);
}

// New timeouts judge those who are silent already.
TEST(OneEngine, NewSettingsJudgeTheSilentOnes) {
    TemporaryCluster cluster;
    cluster.start_engine({"--heartbeat", "100ms", "--suspect", "1min", "--dead", "2min", "--evict", "3min"});
    Watch watch(cluster);
    Process a = cluster.puppet();
    a.ask("join a; beating a");
    a.stop();
    const Instant last_beat = cluster.last_beat("a");
    EXPECT_EQ(cluster.run({"set", "--suspect", "500ms", "--dead", "1s"}).code, 0);
    EXPECT_TRUE(watch.until("suspect", "a").is_not_before(last_beat, 500ms));
    EXPECT_TRUE(watch.until("dead", "a").is_not_before(last_beat, 1s));
}

TEST(OneEngine, EvictsWhomItsOperatorNames) {
    TemporaryCluster cluster;
    cluster.start_engine(calm);
    Watch watch(cluster);
    Process a = cluster.puppet();
    a.ask("join a; join b");
    EXPECT_EQ(cluster.run({"evict", "a"}).code, 0);
    EXPECT_FALSE(cluster.observe().find("a")) << "it is gone when the command returns";
    watch.until("evicted", "a");
    EXPECT_EQ(watch.story("a"), "joined:join evicted:operator");
    EXPECT_THAT(a.ask("beat a"), StartsWith("evicted "));
    EXPECT_THAT(a.ask("beat b"), StartsWith("counted "));
    const auto unknown = cluster.run({"evict", "a"});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_TRUE(is_one_line(unknown.err)) << unknown.err;
}

TEST(OneEngine, StopSaysNothingToAnybody) {
    TemporaryCluster cluster;
    cluster.start_engine(calm);
    Process a = cluster.puppet();
    a.ask("join a");
    EXPECT_EQ(cluster.run({"stop"}).code, 0);
    EXPECT_FALSE(cluster.observe().info().running) << "the lock is free when the command returns";
    EXPECT_EQ(cluster.engine().wait(), 0);
    EXPECT_EQ(cluster.find("a").state, State::alive);
    EXPECT_EQ(cluster.run({"stop"}).code, 3);
}

TEST(OneEngine, StopWithLeaveSaysGoodbyeForEverybody) {
    TemporaryCluster cluster;
    cluster.start_engine(calm);
    Process a = cluster.puppet();
    a.ask("join a; join b; join c; leave c");
    EXPECT_EQ(cluster.run({"stop", "--leave"}).code, 0);
    EXPECT_EQ(cluster.engine().wait(), 0);
    Watch watch(cluster);
    watch.catch_up();
    EXPECT_EQ(watch.story("a"), "joined:join left:operator");
    EXPECT_EQ(watch.story("b"), "joined:join left:operator");
    EXPECT_EQ(watch.story("c"), "joined:join left:goodbye");
    EXPECT_THAT(a.ask("beat a"), StartsWith("evicted "));
    // With the next engine it is a member again as soon as it asks.
    cluster.start_engine();
    EXPECT_THAT(a.ask("rejoin a; beat a"), AllOf(StartsWith("true "), HasSubstr("; counted ")));
    watch.until("joined", "a");
}

TEST(OneEngine, StopWithRemoveLeavesNothingBehind) {
    TemporaryCluster cluster;
    cluster.start_engine(calm);
    Process a = cluster.puppet();
    a.ask("join a");
    EXPECT_EQ(cluster.run({"stop", "--remove"}).code, 0);
    EXPECT_EQ(cluster.engine().wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(cluster.dir() + "/default"));
    EXPECT_EQ(cluster.run({"members"}).code, 3);
    EXPECT_THAT(a.ask("beat a"), Not(StartsWith("counted")));
    // Its memory is gone, so the next one knows nobody, and the member comes back by itself.
    cluster.start_engine({"--capacity", "128"});
    EXPECT_FALSE(cluster.observe().find("a"));
    EXPECT_THAT(a.ask("rejoin a; beat a"), AllOf(StartsWith("true "), HasSubstr("; counted ")));
    EXPECT_EQ(cluster.find("a").state, State::alive);
}

// `rm`, or a clean-up of the runtime folder: without its lock or its roster this engine would soon be the second one. It ends, and says why.
TEST(OneEngine, EndsWhenItsPlaceIsTakenAway) {
    for (const char* file : {"lock", "roster"}) {
        TemporaryCluster cluster;
        Process& engine = cluster.start_engine();
        std::filesystem::remove(cluster.dir() + "/default/" + file);
        EXPECT_EQ(engine.wait(), 1) << file;
        EXPECT_THAT(cluster.said_by_engine(), HasSubstr("removed or replaced")) << file;
    }
}

TEST(OneEngine, EndsWhenItsFolderIsTakenAway) {
    TemporaryCluster cluster;
    Process& engine = cluster.start_engine();
    Process a = cluster.puppet();
    a.ask("join a; beating a");
    std::filesystem::remove_all(cluster.dir() + "/default");
    EXPECT_EQ(engine.wait(), 1);
    // The member that beats by itself finds the next engine by itself.
    cluster.start_engine();
    EXPECT_TRUE(eventually([&] { return cluster.observe().find("a").has_value(); }));
}

}  // namespace
}  // namespace rollcall::test
