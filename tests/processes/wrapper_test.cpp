// `rollcall join -- COMMAND`: the program is the member, not its wrapper. Its id is taken before its first instruction; what reaches the
// wrapper reaches the program; it goes on when the wrapper is gone.
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Duration suspect_after = 1s, dead_after = 2s;  // as in `fast`

// A wrapped puppet that runs: its pid is known, and it is killed at the end even if its wrapper is not there any more.
struct Wrapped {
    Wrapped(const TemporaryCluster& cluster, const std::string& node)
        : wrapper(cluster.wrapped_puppet({"--node", node})), program(std::stoi(wrapper.ask("pid"))) {}
    Process wrapper;
    Stranger program;
};

class Wrapper : public ::testing::Test {
protected:
    Wrapper() { cluster.start_engine(fast); }

    // Several timeouts pass, and nothing happens to it.
    void expect_alive_for_long(Watch& watch, const std::string& node, const std::string& story) {
        std::this_thread::sleep_for(2 * dead_after);
        watch.catch_up();
        EXPECT_EQ(watch.story(node), story);
        EXPECT_EQ(cluster.find(node).state, State::alive);
    }

    TemporaryCluster cluster;
};

TEST_F(Wrapper, TheProgramIsTheMember) {
    Watch watch(cluster);
    Process wrapper = cluster.wrapped_puppet({"--node", "x", "--endpoint", "10.0.0.5:80", "--tag", "role=main", "--tag", "zone=a=b"});
    const std::string pid = wrapper.ask("pid");
    const Peer x = cluster.find("x");
    EXPECT_EQ(std::to_string(x.pid), pid);
    EXPECT_EQ(x.endpoint, "10.0.0.5:80");
    EXPECT_EQ(x.tags, (Tags{{"role", "main"}, {"zone", "a=b"}}));
    expect_alive_for_long(watch, "x", "joined:join");
}

// The engine takes over the beats of a program whose wrapper was killed, under the same test: stopped, it shows no sign of life. Its end is
// still known at once; how it ended only where the kernel tells.
TEST_F(Wrapper, AKilledWrapperLeavesItsProgramAlive) {
    ASSERT_EQ(cluster.run({"set", "--evict", "60s", "--dead", "50s"}).code, 0);
    Watch watch(cluster);
    Wrapped x(cluster, "x");
    x.wrapper.signal(SIGKILL);
    EXPECT_EQ(x.wrapper.wait(), 128 + SIGKILL);
    const Instant killed = clock_now();
    expect_alive_for_long(watch, "x", "joined:join");
    EXPECT_GT(cluster.last_beat("x"), killed);

    x.program.stop();
    const Instant last_beat = cluster.last_beat("x");
    EXPECT_TRUE(watch.until("suspect", "x").is_not_before(last_beat, suspect_after));
    x.program.go_on();
    watch.until("recovered", "x");

    x.program.signal(SIGKILL);
    EXPECT_THAT(watch.until("dead", "x").signal, AnyOf(Eq(std::nullopt), Eq(9u)));
    EXPECT_EQ(watch.story("x"), "joined:join suspect:silence recovered:heartbeat dead:process_exit");
}

// A stopped program says nothing by its wrapper either, however well that one is.
TEST_F(Wrapper, AStoppedProgramIsSuspectUntilItGoesOn) {
    ASSERT_EQ(cluster.run({"set", "--evict", "60s", "--dead", "50s"}).code, 0);
    Watch watch(cluster);
    Wrapped x(cluster, "x");
    x.program.stop();
    const Instant last_beat = cluster.last_beat("x");
    const SeenEvent suspect = watch.until("suspect", "x");
    EXPECT_EQ(suspect.reason, "silence");
    EXPECT_TRUE(suspect.is_not_before(last_beat, suspect_after)) << suspect.line;
    x.program.go_on();
    EXPECT_EQ(watch.until("recovered", "x").incarnation, suspect.incarnation);
    EXPECT_EQ(x.wrapper.ask("pid"), std::to_string(x.program.pid()));
}

// Stopped for good, and evicted: when it goes on its wrapper joins again for it, as a new life of the same process.
TEST_F(Wrapper, AnEvictedProgramThatGoesOnJoinsAgain) {
    Watch watch(cluster);
    Wrapped x(cluster, "x");
    x.program.stop();
    const SeenEvent evicted = watch.until("evicted", "x");
    x.program.go_on();
    const SeenEvent joined = watch.until("joined", "x");
    EXPECT_GT(*joined.incarnation, *evicted.incarnation);
    EXPECT_EQ(watch.story("x"), "joined:join suspect:silence dead:silence evicted:silence joined:join");
    EXPECT_EQ(cluster.find("x").pid, static_cast<std::uint32_t>(x.program.pid()));
    x.program.signal(SIGKILL);
    EXPECT_EQ(watch.until("dead", "x").signal, 9u);
}

// The command would leave a file behind. It does not, and who holds the id is told in one line.
TEST_F(Wrapper, TheCommandNeverRunsWhileItsIdIsHeld) {
    Watch watch(cluster);
    Process holder = cluster.puppet();
    holder.ask("join x; beating x");
    const std::string trace = cluster.dir() + "/trace";
    const auto refused = cluster.run({"join", "--node", "x", "--", "touch", trace});
    EXPECT_EQ(refused.code, 1);
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("pid " + std::to_string(holder.pid())));
    EXPECT_FALSE(std::filesystem::exists(trace));
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), "joined:join");
}

// With --wait the second one takes the id as soon as the first has let go of it, and only then is its command run.
TEST_F(Wrapper, WaitsForAHeldId) {
    Watch watch(cluster);
    Process holder = cluster.puppet();
    holder.ask("join x; beating x");
    const std::string trace = cluster.dir() + "/trace";
    Process waiting = cluster.start({"join", "--node", "x", "--wait", "60s", "--", "touch", trace});
    std::this_thread::sleep_for(300ms);
    EXPECT_FALSE(std::filesystem::exists(trace));
    holder.ask("leave x");
    EXPECT_EQ(waiting.wait(), 0);
    EXPECT_TRUE(std::filesystem::exists(trace));
    watch.until("left", "x");
    if (watch.story("x") == "joined:join left:goodbye") watch.until("left", "x");
    EXPECT_EQ(watch.story("x"), "joined:join left:goodbye joined:join left:goodbye");
}

TEST_F(Wrapper, GivesUpWaitingForAHeldIdWhenTimeIsOver) {
    Process holder = cluster.puppet();
    holder.ask("join x; beating x");
    const auto refused = cluster.run({"join", "--node", "x", "--wait", "200ms", "--", "true"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("pid " + std::to_string(holder.pid())));
}

// An order to end that comes while it waits is obeyed, and the command does not run any more.
TEST_F(Wrapper, StopsWaitingWhenItIsAsked) {
    Process holder = cluster.puppet();
    holder.ask("join x; beating x");
    const std::string trace = cluster.dir() + "/trace";
    Process waiting = cluster.start({"join", "--node", "x", "--wait", "60s", "--", "touch", trace});
    std::this_thread::sleep_for(300ms);
    waiting.signal(SIGTERM);
    EXPECT_EQ(waiting.wait(), 128 + SIGTERM);
    EXPECT_FALSE(std::filesystem::exists(trace));
}

TEST(WrapperAlone, WithoutAnEngineSaysHowToStartOneOrWaits) {
    TemporaryCluster cluster;
    const auto refused = cluster.run({"join", "--node", "x", "--", "true"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("rollcall run"));
    EXPECT_EQ(cluster.run({"join", "--node", "x", "--wait", "200ms", "--", "true"}).code, 3);

    Process waiting = cluster.wrapped_puppet({"--node", "x", "--wait", "60s"});
    cluster.start_engine(fast);
    Watch watch(cluster);
    watch.until("joined", "x");
    EXPECT_EQ(waiting.ask("pid"), std::to_string(cluster.find("x").pid));
}

TEST_F(Wrapper, ReplacesALivingHolderOnlyWhenToldTo) {
    Watch watch(cluster);
    Wrapped first(cluster, "x");
    Process second = cluster.wrapped_puppet({"--node", "x", "--replace"});
    const std::string pid = second.ask("pid");
    watch.until("joined", "x");
    if (watch.story("x") == "joined:join") watch.until("joined", "x");
    EXPECT_EQ(watch.story("x"), "joined:join dead:replaced joined:join");
    EXPECT_EQ(std::to_string(cluster.find("x").pid), pid);
    // The first one's program goes on, as no member; its end is nobody's.
    EXPECT_EQ(first.wrapper.ask("pid"), std::to_string(first.program.pid()));
    expect_alive_for_long(watch, "x", "joined:join dead:replaced joined:join");
    first.program.signal(SIGKILL);
    EXPECT_EQ(first.wrapper.wait(), 137);
    expect_alive_for_long(watch, "x", "joined:join dead:replaced joined:join");
}

struct Asked {
    const char* name;
    int signal;
    const char* then;   // what the program does after it has caught the signal; nothing: it does not catch it
    int code;           // of the wrapper
    const char* story;
};

void PrintTo(const Asked& row, std::ostream* out) { *out << row.name; }

class Forwarded : public Wrapper, public ::testing::WithParamInterface<Asked> {};

// A signal to the wrapper comes to the program. After one that asks it to end, any end is a goodbye; a hang-up asks for nothing unless the
// program dies of it.
TEST_P(Forwarded, ReachesTheProgramAndDecidesWhatItsEndMeans) {
    const Asked& row = GetParam();
    Watch watch(cluster);
    Wrapped x(cluster, "x");
    const std::string number = std::to_string(row.signal);
    if (row.then != nullptr) x.wrapper.ask("catch " + number);
    x.wrapper.signal(row.signal);
    if (row.then != nullptr) {
        EXPECT_EQ(x.wrapper.read_line(), "caught " + std::string(number.size() == 1 ? "0" : "") + number);
        x.wrapper.write_line(row.then);
    }
    EXPECT_EQ(x.wrapper.wait(), row.code);
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), row.story);
}

INSTANTIATE_TEST_SUITE_P(Signals, Forwarded,
                         ::testing::Values(Asked{"TermKills", SIGTERM, nullptr, 143, "joined:join left:goodbye"},
                                           Asked{"IntKills", SIGINT, nullptr, 130, "joined:join left:goodbye"},
                                           Asked{"HupKills", SIGHUP, nullptr, 129, "joined:join left:goodbye"},
                                           Asked{"Usr1Kills", SIGUSR1, nullptr, 138, "joined:join dead:process_exit"},
                                           Asked{"QuitKills", SIGQUIT, nullptr, 131, "joined:join dead:process_exit"},
                                           Asked{"TermThenFailure", SIGTERM, "exit 3", 3, "joined:join left:goodbye"},
                                           Asked{"IntThenFailure", SIGINT, "exit 3", 3, "joined:join left:goodbye"},
                                           Asked{"TermThenKilled", SIGTERM, "raise 9", 137, "joined:join left:goodbye"},
                                           Asked{"HupThenFailure", SIGHUP, "exit 3", 3, "joined:join dead:process_exit"},
                                           Asked{"HupThenSuccess", SIGHUP, "exit 0", 0, "joined:join left:goodbye"},
                                           Asked{"Usr1ThenFailure", SIGUSR1, "exit 3", 3, "joined:join dead:process_exit"}),
                         [](const auto& row) { return std::string(row.param.name); });

// `rollcall join` without a command is a member itself; each of these signals is its goodbye.
TEST_F(Wrapper, WithoutACommandIsAMemberUntilASignal) {
    Watch watch(cluster);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        const std::string node = "alone" + std::to_string(signal);
        Process alone = cluster.start({"join", "--node", node});
        watch.until("joined", node);
        EXPECT_EQ(cluster.find(node).pid, static_cast<std::uint32_t>(alone.pid()));
        alone.signal(signal);
        EXPECT_EQ(alone.wait(), 0);
        watch.until("left", node);
    }
    Process killed = cluster.start({"join", "--node", "killed"});
    watch.until("joined", "killed");
    expect_alive_for_long(watch, "killed", "joined:join");
    killed.signal(SIGKILL);
    EXPECT_EQ(watch.until("dead", "killed").reason, "process_exit");
}

}  // namespace
}  // namespace rollcall::test
