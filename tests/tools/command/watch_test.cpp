// `rollcall watch`: where it begins, when it ends, and what becomes of what it cannot see any more.
#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using ::testing::ElementsAre;
using nlohmann::json;

class WatchTest : public CommandTest {
protected:
    // A ring of 64 events, the smallest there is.
    void SetUp() override {
        Words flags = calm;
        flags.insert(flags.end(), {"--capacity", "16", "--ring", "64"});
        engine_ = &start_engine(flags);
        stream_ = read({"stat", "--json"})["stream"].get<std::string>();
    }
    // Two events each: joined, left.
    void come_and_go(int times) const {
        for (int i = 0; i < times; ++i) ASSERT_EQ(run({"join", "--node", "n" + std::to_string(i), "--", "true"}).code, 0);
    }
    // All that is there, as `--from` sees it.
    std::vector<json> from(const std::string& position) const { return events({"watch", "--json", "--from", position, "--timeout", "0"}); }
    std::vector<json> events(const Words& words, int code = 0) const {
        const Outcome outcome = run(words);
        EXPECT_EQ(outcome.code, code) << printed(words) << outcome.err;
        EXPECT_EQ(outcome.err, "");
        std::vector<json> all;
        std::istringstream lines(outcome.out);
        for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
        return all;
    }
    static std::vector<int> numbers(const std::vector<json>& events) {
        std::vector<int> all;
        for (const json& event : events) all.push_back(event["seq"]);
        return all;
    }
    static void expect_gap(const json& event, int first, int last) {
        EXPECT_EQ(event["event"], "gap");
        EXPECT_EQ(event["from"], first);
        EXPECT_EQ(event["to"], last);
        EXPECT_EQ(event["seq"], last);
        EXPECT_TRUE(event["node"].is_null());
    }

    Process* engine_ = nullptr;
    std::string stream_;
    const std::string other_ = "00c0ffee00c0ffee";
};

TEST_F(WatchTest, GoesOnBehindTheLastEventSeen) {
    come_and_go(2);
    EXPECT_THAT(numbers(from("0")), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(numbers(from("1")), ElementsAre(2, 3, 4));
    EXPECT_THAT(numbers(from("3@" + stream_)), ElementsAre(4));
    EXPECT_THAT(numbers(from("4@" + stream_)), ElementsAre());
    EXPECT_THAT(numbers(from("0@" + stream_)), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(numbers(from("0000003")), ElementsAre(4));
}

TEST_F(WatchTest, ShowsTheEventsOfTheClusterInOrder) {
    come_and_go(1);
    const std::vector<json> all = from("0");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0]["event"], "joined");
    EXPECT_EQ(all[1]["event"], "left");
    for (const json& event : all) {
        EXPECT_EQ(event["node"], "n0");
        EXPECT_EQ(event["cluster"], "default");
        EXPECT_EQ(event["stream"], stream_);
        EXPECT_EQ(event["incarnation"], all[0]["incarnation"]);
    }
    EXPECT_GT(all[1]["mono_us"], all[0]["mono_us"]);
    EXPECT_GT(all[1]["view"], all[0]["view"]);
}

// From another stream, or from a number that was never issued, nothing is comparable: one gap over everything, then on from its end.
TEST_F(WatchTest, AnswersAnotherStreamWithOneGap) {
    come_and_go(2);
    for (const std::string& position : {"3@" + other_, "0@" + other_, "400@" + other_, std::string("400"), "400@" + stream_, std::string("18446744073709551615")}) {
        SCOPED_TRACE(position);
        const std::vector<json> seen = from(position);
        ASSERT_EQ(seen.size(), 1u);
        expect_gap(seen[0], 1, 4);
        EXPECT_EQ(seen[0]["stream"], stream_);
    }
    Process& watch = start({"watch", "--json", "--from", "3@" + other_});
    expect_gap(json::parse(watch.read_line().value()), 1, 4);
    come_and_go(1);
    EXPECT_EQ(json::parse(watch.read_line().value())["seq"], 5);
    EXPECT_EQ(json::parse(watch.read_line().value())["seq"], 6);
}

// Too old: exactly one gap, then the event behind its end. 0 asks for what is left, and gets no gap.
TEST_F(WatchTest, AnswersWhatIsTooOldWithOneGap) {
    come_and_go(40);  // 80 events in a ring of 64
    const std::vector<json> left = from("0");
    ASSERT_FALSE(left.empty());
    const int oldest = left.front()["seq"];
    EXPECT_GT(oldest, 1);
    EXPECT_EQ(left.back()["seq"], 80);
    EXPECT_EQ(left.size(), static_cast<std::size_t>(80 - oldest + 1));
    for (const std::string& position : {std::string("1"), std::string("3"), "3@" + stream_}) {
        SCOPED_TRACE(position);
        const std::vector<json> seen = from(position);
        ASSERT_EQ(seen.size(), left.size() + 1);
        expect_gap(seen[0], std::stoi(position) + 1, oldest - 1);
        EXPECT_EQ(std::vector<json>(seen.begin() + 1, seen.end()), left);
    }
    // The edge: the last one that is lost is lost, the first one that is kept is kept.
    expect_gap(from(std::to_string(oldest - 2))[0], oldest - 1, oldest - 1);
    EXPECT_EQ(from(std::to_string(oldest - 1)), left);
}

TEST_F(WatchTest, GivesUpAPositionNeverTwice) {
    come_and_go(40);
    const std::vector<json> seen = from("1");
    ASSERT_GT(seen.size(), 10u);
    const std::string resumed = std::to_string(seen[9]["seq"].get<int>()) + "@" + seen[9]["stream"].get<std::string>();
    EXPECT_EQ(from(resumed), std::vector<json>(seen.begin() + 10, seen.end()));
    const std::string behind_gap = std::to_string(seen[0]["to"].get<int>()) + "@" + seen[0]["stream"].get<std::string>();
    EXPECT_EQ(from(behind_gap), std::vector<json>(seen.begin() + 1, seen.end()));
}

TEST_F(WatchTest, WithoutAPositionShowsOnlyWhatComes) {
    come_and_go(1);
    EXPECT_THAT(events({"watch", "--json", "--timeout", "20ms"}), ElementsAre());
    Process& watch = start({"watch", "--json", "--count", "1"});
    // Nothing tells from outside when it has begun: members come until it has seen one.
    ASSERT_TRUE(eventually([&] {
        come_and_go(1);
        return watch.has_ended();
    }));
    EXPECT_EQ(watch.wait(), 0);
    EXPECT_GT(json::parse(watch.read_line().value())["seq"], 2);
}

TEST_F(WatchTest, EndsAfterAsManyEventsAsWereAskedFor) {
    come_and_go(2);
    EXPECT_THAT(numbers(events({"watch", "--json", "--from", "0", "--count", "3"})), ElementsAre(1, 2, 3));
    EXPECT_THAT(numbers(events({"watch", "--json", "--from", "0", "--count", "4", "--timeout", "30s"})), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(numbers(events({"watch", "--json", "--from", "400", "--count", "1"})), ElementsAre(4));  // a gap is one
}

// Time over before so many: 1. Without a number to reach, ending in time is what was asked for: 0.
TEST_F(WatchTest, EndsWhenItsTimeIsOver) {
    come_and_go(1);
    EXPECT_THAT(numbers(events({"watch", "--json", "--from", "0", "--count", "3", "--timeout", "20ms"}, 1)), ElementsAre(1, 2));
    EXPECT_THAT(numbers(events({"watch", "--json", "--from", "0", "--timeout", "20ms"})), ElementsAre(1, 2));
    EXPECT_THAT(numbers(events({"watch", "--json", "--count", "1", "--timeout", "0"}, 1)), ElementsAre());
    EXPECT_THAT(numbers(events({"watch", "--json", "--timeout", "0"})), ElementsAre());
}

TEST_F(WatchTest, EndsWellOnASignal) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        Process& watch = start({"watch", "--json", "--from", "0"});
        come_and_go(1);
        ASSERT_TRUE(watch.read_line());
        watch.signal(signal);
        EXPECT_EQ(watch.wait(), 0) << signal;
    }
}

// Each line arrives when its event happens, though a pipe reads: nobody waits for a buffer to fill.
TEST_F(WatchTest, WritesEachLineAtOnce) {
    Process& watch = start({"watch", "--json", "--from", "0"});
    for (int i = 1; i <= 4; i += 2) {
        come_and_go(1);
        EXPECT_EQ(json::parse(watch.read_line().value())["seq"], i);
        EXPECT_EQ(json::parse(watch.read_line().value())["seq"], i + 1);
    }
}

// The stream survives its engines. A cluster that is removed and made anew has another one: one gap, then its events.
TEST_F(WatchTest, GoesOnOverEnginesAndRemovals) {
    Process& watch = start({"watch", "--json", "--from", "0"});
    come_and_go(1);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(watch.read_line());
    ASSERT_EQ(run({"stop"}).code, 0);
    ASSERT_EQ(engine_->wait(), 0);
    Process& second = start_engine();
    EXPECT_EQ(read({"stat", "--json"})["stream"], stream_);
    come_and_go(1);
    std::vector<std::string> kinds;
    while (kinds.empty() || kinds.back() != "left") kinds.push_back(json::parse(watch.read_line().value())["event"]);
    kinds.erase(std::remove(kinds.begin(), kinds.end(), "paused"), kinds.end());  // the time without an engine
    EXPECT_THAT(kinds, ElementsAre("joined", "left"));

    ASSERT_EQ(run({"stop", "--remove"}).code, 0);
    ASSERT_EQ(second.wait(), 0);
    ASSERT_TRUE(eventually([&] { return said_by(watch).find("waiting for cluster 'default' to come back") != std::string::npos; }));
    start_engine();
    come_and_go(1);
    const json gap = json::parse(watch.read_line().value());
    EXPECT_EQ(gap["event"], "gap");
    EXPECT_NE(gap["stream"], stream_);
}

// For people: a line each, without colours where no terminal reads.
TEST_F(WatchTest, ShowsPeopleALineForEachEvent) {
    ASSERT_EQ(run({"join", "--node", "a", "--", "sh", "-c", "exit 3"}).code, 3);
    const Outcome outcome = run({"watch", "--from", "0", "--count", "2"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, ::testing::ContainsRegex("^[0-9:.]{12}       1  joined     a\n[0-9:.]{12}       2  dead       a +its process exited with code 3\n$"));
}

// A command for each event, one after the other.
class WatchExec : public WatchTest {
protected:
    // What the command has written so far.
    std::string written() const {
        std::ostringstream text;
        text << std::ifstream(folder() + "/out").rdbuf();
        return text.str();
    }
    std::vector<std::string> lines_written() const {
        std::vector<std::string> all;
        std::istringstream lines(written());
        for (std::string line; std::getline(lines, line);) all.push_back(line);
        return all;
    }
    std::string out() const { return folder() + "/out"; }
};

TEST_F(WatchExec, IsToldTheEventInJsonAndInItsEnvironment) {
    come_and_go(1);
    const Outcome outcome = run({"watch", "--from", "0", "--count", "2", "--exec", "echo \"$ROLLCALL_EVENT $ROLLCALL_EVENT_NODE $ROLLCALL_EVENT_SEQ ${ROLLCALL_EVENT_SIGNAL-none}\" >> " + out() + "; cat >> " + out()});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    const auto lines = lines_written();
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0], "joined n0 1 none");
    EXPECT_EQ(lines[2], "left n0 2 none");
    EXPECT_EQ(json::parse(lines[1])["event"], "joined");
    EXPECT_EQ(json::parse(lines[3])["seq"], 2);
}

TEST_F(WatchExec, GoesOnWhenACommandFailsAndSaysSo) {
    come_and_go(1);
    const Outcome outcome = run({"watch", "--from", "0", "--count", "2", "--exec", "echo $ROLLCALL_EVENT >> " + out() + "; exit 7"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(written(), "joined\nleft\n");
    EXPECT_THAT(outcome.err, ::testing::HasSubstr("exited with code 7"));
}

TEST_F(WatchExec, ASlowOneLapsItselfAndIsToldSo) {
    Process& watch = start({"watch", "--from", "0", "--exec", "echo $ROLLCALL_EVENT $ROLLCALL_EVENT_FROM >> " + out() + "; until [ -e " + folder() + "/go ]; do sleep 0.02; done"});
    come_and_go(1);
    ASSERT_TRUE(eventually([&] { return written() == "joined\n"; }));
    come_and_go(40);  // 82 events, and the ring has 64
    write("go", "");
    ASSERT_TRUE(eventually([&] { return lines_written().size() >= 2 && lines_written().back() == "left"; }));
    EXPECT_EQ(lines_written()[1], "gap 2");
    watch.signal(SIGTERM);
    EXPECT_EQ(watch.wait(), 0);
}

TEST_F(WatchExec, EndsItsCommandWhenItIsToldToEnd) {
    Process& watch = start({"watch", "--from", "0", "--exec", "echo $$ >> " + out() + "; exec sleep 1000"});
    come_and_go(1);
    ASSERT_TRUE(eventually([&] { return !written().empty(); }));
    watch.signal(SIGTERM);
    EXPECT_EQ(watch.wait(), 0);
    EXPECT_FALSE(state_of_process(static_cast<pid_t>(std::stol(written())))) << "the command has ended";
}

}  // namespace
}  // namespace rollcall::test
