// What an operator does to a running cluster, and waits for: set, evict, stop, wait, list; and how the engine itself ends.
#include <csignal>

#include "shm/settings.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Operator : public CommandTest {
protected:
    void SetUp() override { engine_ = &start_engine(); }
    Settings settings() const { return observe().info().settings; }
    std::string kinds_of(const std::string& node) const {
        std::string kinds;
        const std::string out = run({"watch", "--json", "--from", "0", "--timeout", "0"}).out;
        std::istringstream lines(out);
        for (std::string line; std::getline(lines, line);) {
            const auto event = nlohmann::json::parse(line);
            if (event["node"] == node) kinds += event["event"].get<std::string>() + ":" + event["reason"].get<std::string>() + " ";
        }
        return kinds;
    }
    Process* engine_ = nullptr;
};

TEST_F(Operator, SetsWhatIsNamedAndTellsWhatIsInForce) {
    const Outcome text = run({"set", "--suspect", "40s", "--scan", "20ms"});
    EXPECT_EQ(text.code, 0);
    EXPECT_EQ(text.out, "heartbeat 10s, suspect 40s, dead 50s, evict 100s, scan 20ms\n");
    EXPECT_EQ(text.err, "");
    const Outcome json = run({"set", "--dead", "1min", "--json"});
    EXPECT_EQ(json.code, 0);
    EXPECT_EQ(json.out, R"({"cluster":"default","settings":{"heartbeat_ms":10000,"suspect_ms":40000,"dead_ms":60000,"evict_ms":100000,"scan_ms":20}})"
                        "\n");
    EXPECT_EQ(settings(), (Settings{10s, 40s, 60s, 100s, 20ms}));
    EXPECT_EQ(run({"set", "--heartbeat", "1s", "--suspect", "3s", "--dead", "5s", "--evict", "10s", "--scan", "10ms"}).code, 0);
    EXPECT_EQ(settings(), Settings{});
}

TEST_F(Operator, IsWarnedOfWhatIsUnwise) {
    const Outcome outcome = run({"set", "--suspect", "11s"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_TRUE(is_one_line(outcome.err));
    EXPECT_THAT(outcome.err, HasSubstr("setting 'suspect' (11s) is shorter than 2.5 times 'heartbeat' (10s)"));
    EXPECT_EQ(settings().suspect, 11s);
}

// Settings of an operator end with the engine they were given to.
TEST_F(Operator, SetsUntilTheEngineIsStartedAgain) {
    ASSERT_EQ(run({"set", "--suspect", "40s"}).code, 0);
    ASSERT_EQ(run({"stop"}).code, 0);
    ASSERT_EQ(engine_->wait(), 0);
    start_engine();
    EXPECT_EQ(settings().suspect, 30s);
}

TEST_F(Operator, EvictsANodeWhichLearnsOfItAndComesBack) {
    Process& member = start_member("a");
    const Outcome outcome = run({"evict", "a"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "evicted a\n");
    EXPECT_EQ(outcome.err, "");
    ASSERT_TRUE(eventually([&] { return said_by(member).find("node 'a' was evicted and has joined again") != std::string::npos; }));
    EXPECT_EQ(kinds_of("a"), "joined:join evicted:operator joined:join ");
    EXPECT_THAT(said_by(*engine_), HasSubstr("evict 'a'"));
}

TEST_F(Operator, StopsAnEngineAndMembersStay) {
    Process& member = start_member("a");
    const Outcome outcome = run({"stop"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "stopped the engine of cluster 'default'\n");
    EXPECT_EQ(engine_->wait(), 0);
    EXPECT_FALSE(member.has_ended());
    EXPECT_TRUE(has_member("a"));
    EXPECT_FALSE(observe().info().running);
    start_engine();
    EXPECT_EQ(kinds_of("a"), "joined:join ");
    EXPECT_EQ(read({"members", "--json"})["engine"]["epoch"], 2);
}

TEST_F(Operator, StopsAnEngineAndEveryMemberLeaves) {
    start_member("a");
    start_member("b");
    EXPECT_EQ(run({"stop", "--leave"}).code, 0);
    EXPECT_EQ(engine_->wait(), 0);
    EXPECT_EQ(kinds_of("a"), "joined:join left:operator ");
    EXPECT_EQ(kinds_of("b"), "joined:join left:operator ");
    EXPECT_EQ(read({"members", "--json"})["peers"].size(), 0u);
}

// Signals end an engine as an operator does, at once and well.
TEST_F(Operator, EndsAnEngineByASignal) {
    start_member("a");
    for (const int signal : {SIGTERM, SIGINT}) {
        engine_->signal(signal);
        EXPECT_EQ(engine_->wait(), 0) << signal;
        EXPECT_THAT(said_by(*engine_), HasSubstr("stopped; members stay"));
        EXPECT_TRUE(has_member("a"));
        engine_ = &start_engine();
    }
    EXPECT_EQ(kinds_of("a"), "joined:join ");
}

TEST_F(Operator, WaitsForAState) {
    Process& alive = start({"wait", "a", "--state", "alive"});
    Process& gone = start({"wait", "b", "--state", "gone"});
    EXPECT_EQ(gone.wait(), 0);  // it never was there
    Process& a = start_member("a");
    EXPECT_EQ(alive.wait(), 0);
    EXPECT_EQ(run({"wait", "a", "--state", "alive"}).code, 0);  // it is so already
    Process& dead = start({"wait", "a", "--state", "dead", "--timeout", "30s"});
    Process& left = start({"wait", "a", "--state", "gone", "--timeout", "30s"});
    kill(a);
    EXPECT_EQ(dead.wait(), 0) << said_by(dead);
    EXPECT_EQ(run({"evict", "a"}).code, 0);
    EXPECT_EQ(left.wait(), 0) << said_by(left);
}

// A member that is stopped is suspected; one that goes on is alive again. Both are waited for while settings are short.
TEST_F(Operator, WaitsForASuspicionAndItsEnd) {
    Process& member = start_member("a");
    ASSERT_EQ(run({"set", "--heartbeat", "50ms", "--suspect", "1s"}).code, 0);
    member.stop();
    EXPECT_EQ(run({"wait", "a", "--state", "suspect", "--timeout", "30s"}).code, 0);
    member.go_on();
    EXPECT_EQ(run({"wait", "a", "--state", "alive", "--timeout", "30s"}).code, 0);
}

TEST_F(Operator, IsToldHowThingsAreWhenItsTimeIsOver) {
    start_member("a");
    refuse({
        {{"wait", "a", "--state", "dead", "--timeout", "20ms"}, 1, {"'a' is alive, not dead, after 20ms"}},
        {{"wait", "a", "--state", "gone", "--timeout", "0"}, 1, {"'a' is alive, not gone"}},
        {{"wait", "b", "--state", "alive", "--timeout", "20ms"}, 1, {"'b' is", "gone", "not alive, after 20ms"}},
    });
}

TEST_F(Operator, ListsTheClustersOfAFolder) {
    start_member("a");
    start_engine({"--cluster", "orders"});
    kill(start_engine({"--cluster", "dead"}));
    const Outcome text = run({"list"});
    EXPECT_EQ(text.code, 0);
    EXPECT_THAT(text.out, ::testing::ContainsRegex("CLUSTER +ENGINE +PID +PEERS +VIEW +FOLDER\ndead +stopped +- +0 .*\ndefault +engine +[0-9]+ +1 .*\norders +engine +[0-9]+ +0 "));
    const auto clusters = read({"list", "--json"})["clusters"];
    ASSERT_EQ(clusters.size(), 3u);
    EXPECT_EQ(clusters[0]["cluster"], "dead");
    EXPECT_EQ(clusters[0]["engine"]["running"], false);
    EXPECT_EQ(clusters[1]["engine"]["running"], true);
    EXPECT_EQ(clusters[1]["peer_count"], 1);
    EXPECT_EQ(clusters[1]["dir"], dir());
    EXPECT_EQ(read({"list", "--json", "--cluster", "orders"})["clusters"].size(), 1u);
}

TEST_F(Operator, ListsNothingWhereNothingIs) {
    const Outcome outcome = run({"list", "--dir", folder() + "/elsewhere"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "No clusters in " + folder() + "/elsewhere; 'rollcall run' makes one.\n");
    EXPECT_EQ(read({"list", "--json", "--dir", folder() + "/elsewhere"}).dump(), R"({"clusters":[]})");
}

// Two clusters of one folder know nothing of each other.
TEST_F(Operator, KeepsClustersApart) {
    start_engine({"--cluster", "orders"});
    start_member("a");
    start_member("a", {"--cluster", "orders"});
    EXPECT_EQ(run({"stop", "--leave", "--cluster", "orders"}).code, 0);
    EXPECT_TRUE(has_member("a"));
    EXPECT_TRUE(observe().info().running);
    EXPECT_EQ(kinds_of("a"), "joined:join ");
}

}  // namespace
}  // namespace rollcall::test
