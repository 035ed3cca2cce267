// A process that ends is dead at once, whoever it was, however it ended, and nobody else is. A goodbye before it is a leave.
#include <csignal>
#include <thread>

#include <gmock/gmock.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::StartsWith;

// A minute of silence before anybody is suspected, so whatever is judged here is judged by proof.
class Crash : public ::testing::Test {
protected:
    Crash() { cluster.start_engine(calm); }

    // A process that is a member and beats by itself.
    Process member(const std::string& node) {
        Process process = cluster.puppet();
        EXPECT_THAT(process.ask("join " + node + "; beating " + node), StartsWith("ok "));
        return process;
    }

    // Nothing happened to these but that they joined, and they are alive.
    void expect_unharmed(Watch& watch, const std::vector<std::string>& nodes) {
        watch.catch_up();
        for (const std::string& node : nodes) {
            EXPECT_EQ(watch.story(node), "joined:join");
            EXPECT_EQ(cluster.find(node).state, State::alive);
        }
    }

    TemporaryCluster cluster;
};

// Three members, and the one in the middle is killed and reaped. Nobody told how it ended: the kernel may know, and then it says 9.
TEST_F(Crash, AKilledMemberIsDeadAndNobodyElseIs) {
    Watch watch(cluster);
    Process a = member("a"), b = member("b"), c = member("c");
    b.signal(SIGKILL);
    EXPECT_EQ(b.wait(), 128 + SIGKILL);

    const SeenEvent dead = watch.until("dead", "b");
    EXPECT_EQ(dead.reason, "process_exit");
    EXPECT_EQ(dead.state, "dead");
    EXPECT_THAT(dead.signal, AnyOf(Eq(std::nullopt), Eq(9u)));
    EXPECT_EQ(dead.exit_code, std::nullopt);
    EXPECT_EQ(watch.story("b"), "joined:join dead:process_exit");
    EXPECT_FALSE(cluster.find("b").last_heartbeat) << "its word is free: no beat can bring it back";
    expect_unharmed(watch, {"a", "c"});
}

TEST_F(Crash, AKilledProgramIsDeadByItsSignal) {
    Watch watch(cluster);
    Process bystander = member("bystander");
    Process wrapper = cluster.start({"join", "--node", "x", "--", "sleep", "100"});
    watch.until("joined", "x");
    const Stranger program(static_cast<pid_t>(cluster.find("x").pid));
    EXPECT_NE(program.pid(), wrapper.pid());
    program.signal(SIGKILL);

    const SeenEvent dead = watch.until("dead", "x");
    EXPECT_EQ(dead.reason, "process_exit");
    EXPECT_EQ(dead.signal, 9u);
    EXPECT_EQ(dead.exit_code, std::nullopt);
    EXPECT_EQ(wrapper.wait(), 137);
    expect_unharmed(watch, {"bystander"});
    EXPECT_EQ(watch.story("x"), "joined:join dead:process_exit");
}

// Program and wrapper at once, as when a whole group or container is killed. Nobody is left to say how it ended.
TEST_F(Crash, AProgramKilledTogetherWithItsWrapperIsDead) {
    Watch watch(cluster);
    for (int i = 0; i < 10; ++i) {
        const std::string node = "x" + std::to_string(i);
        Process wrapper = cluster.wrapped_puppet({"--node", node});
        wrapper.ask("pid");
        ::kill(-wrapper.pid(), SIGKILL);  // its group, with the program in it
        const SeenEvent dead = watch.until("dead", node);
        EXPECT_EQ(dead.reason, "process_exit");
        EXPECT_THAT(dead.signal, AnyOf(Eq(std::nullopt), Eq(9u)));
        EXPECT_EQ(dead.exit_code, std::nullopt);
    }
}

// One process may be many members; all of them end with it, and a process beside it loses none.
TEST_F(Crash, AllMembersOfAProcessEndWithIt) {
    Watch watch(cluster);
    Process other = member("other");
    Process many = cluster.puppet();
    many.ask("join one; join two; join three");
    many.signal(SIGKILL);
    for (const char* node : {"one", "two", "three"}) {
        if (watch.story(node) != "joined:join dead:process_exit") watch.until("dead", node);
        EXPECT_EQ(watch.story(node), "joined:join dead:process_exit");
    }
    expect_unharmed(watch, {"other"});
}

// This test is the parent and does not reap its child before the verdict: `kill(pid, 0)` still finds it.
TEST_F(Crash, AZombieIsDead) {
    Watch watch(cluster);
    Process a = member("a");
    a.signal(SIGKILL);
    EXPECT_EQ(watch.until("dead", "a").reason, "process_exit");
    EXPECT_EQ(state_of_process(a.pid()), 'Z');
    EXPECT_EQ(::kill(a.pid(), 0), 0);
    EXPECT_EQ(watch.seen().back().signal, 9u) << "a zombie's status can be read";
}

// A child has a copy of its parent's member, and outlives the parent. Its beats are refused before and after, and the parent is dead.
TEST_F(Crash, AChildCannotBeatForItsDeadParent) {
    Watch watch(cluster);
    Process parent = member("parent");
    const std::string child = parent.ask("fork");
    EXPECT_NE(child, std::to_string(parent.pid()));
    EXPECT_THAT(parent.ask("beat parent"), StartsWith("not_mine "));
    parent.signal(SIGKILL);
    EXPECT_EQ(watch.until("dead", "parent").reason, "process_exit");
    EXPECT_THAT(parent.ask("beat parent"), StartsWith("not_mine "));
    EXPECT_THAT(parent.ask("rejoin parent"), StartsWith("false "));
    EXPECT_EQ(cluster.find("parent").state, State::dead);

    // Of its own accord it can be somebody.
    EXPECT_THAT(parent.ask("join child; beat child"), ::testing::HasSubstr("; counted "));
    watch.until("joined", "child");
    EXPECT_EQ(std::to_string(cluster.find("child").pid), child);
    EXPECT_EQ(watch.story("parent"), "joined:join dead:process_exit");
}

// The goodbye and the end of the process reach the engine at the same time; twenty lives, since their order is the kernel's.
TEST_F(Crash, AGoodbyeRightBeforeTheEndIsALeave) {
    Watch watch(cluster);
    for (int i = 0; i < 20; ++i) {
        const std::string node = "n" + std::to_string(i);
        Process process = cluster.puppet();
        process.write_line("join " + node + "; leave " + node + "; exit 3");
        EXPECT_EQ(process.wait(), 3);
        watch.until("left", node);
        EXPECT_EQ(watch.story(node), "joined:join left:goodbye");
    }
    watch.catch_up();
    EXPECT_EQ(watch.seen().size(), 40u) << watch.story();
}

// Its request to join lies before an engine that does not run; when that goes on the process is gone. It may have been a member, but is none.
TEST_F(Crash, AJoinerThatDiedWhileItWaitedIsNoMember) {
    Watch watch(cluster);
    Process early = member("early"), late = cluster.puppet();
    late.ask("pid");
    cluster.engine().stop();
    late.write_line("join late");
    ASSERT_TRUE(eventually([&] { return state_of_process(late.pid()) == 'S'; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    late.signal(SIGKILL);
    late.wait();
    cluster.engine().go_on();
    Process marker = member("marker");
    watch.until("joined", "marker");
    if (watch.story("late") == "joined:join") watch.until("dead", "late");
    EXPECT_THAT(watch.story("late"), AnyOf("", "joined:join dead:process_exit"));
    expect_unharmed(watch, {"early", "marker"});
}

// What is said to an engine that does not run is heard when it goes on: an end with its status, and a goodbye.
TEST_F(Crash, WhatIsSaidToAStoppedEngineIsHeardLater) {
    Watch watch(cluster);
    Process wrapper = cluster.wrapped_puppet({"--node", "x"}), leaver = member("leaver");
    wrapper.ask("pid");
    cluster.engine().stop();
    wrapper.write_line("exit 3");
    leaver.write_line("leave leaver; exit 0");
    std::this_thread::sleep_for(std::chrono::seconds(1));
    cluster.engine().go_on();
    EXPECT_EQ(wrapper.wait(), 3);
    EXPECT_EQ(leaver.wait(), 0);
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), "joined:join dead:process_exit");
    EXPECT_EQ(watch.story("leaver"), "joined:join left:goodbye");
    for (const SeenEvent& e : watch.seen()) {
        if (e.event == "dead") {
            EXPECT_EQ(e.exit_code, 3u);
        }
    }
}

struct Ended {
    const char* name;
    std::vector<std::string> command;
    int code;           // of the wrapper
    const char* story;  // of the node
    std::optional<std::uint64_t> exit_code, signal;
};

void PrintTo(const Ended& row, std::ostream* out) { *out << row.name; }

class WrappedProgram : public Crash, public ::testing::WithParamInterface<Ended> {};

// How a program ends is what the wrapper's exit code and the cluster say.
TEST_P(WrappedProgram, EndsAsTheClusterIsTold) {
    Watch watch(cluster);
    std::vector<std::string> words{"join", "--node", "x", "--"};
    words.insert(words.end(), GetParam().command.begin(), GetParam().command.end());
    Process wrapper = cluster.start(words);
    EXPECT_EQ(wrapper.wait(), GetParam().code);
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), GetParam().story);
    EXPECT_EQ(watch.seen().back().exit_code, GetParam().exit_code);
    EXPECT_EQ(watch.seen().back().signal, GetParam().signal);
}

INSTANTIATE_TEST_SUITE_P(Table, WrappedProgram,
                         ::testing::Values(Ended{"Success", {"true"}, 0, "joined:join left:goodbye", {}, {}},
                                           Ended{"Failure", {"sh", "-c", "exit 3"}, 3, "joined:join dead:process_exit", 3, {}},
                                           Ended{"Killed", {"sh", "-c", "kill -KILL $$"}, 137, "joined:join dead:process_exit", {}, 9},
                                           Ended{"Crashed", {"sh", "-c", "kill -SEGV $$"}, 139, "joined:join dead:process_exit", {}, 11},
                                           Ended{"EndedItself", {"sh", "-c", "kill -TERM $$"}, 143, "joined:join dead:process_exit", {}, 15},
                                           Ended{"NotFound", {"no-such-program"}, 127, "joined:join left:goodbye", {}, {}},
                                           Ended{"NoSuchPath", {"/no/such/program"}, 127, "joined:join left:goodbye", {}, {}},
                                           Ended{"NotExecutable", {"/dev/null"}, 126, "joined:join left:goodbye", {}, {}},
                                           Ended{"AFolder", {"/dev"}, 126, "joined:join left:goodbye", {}, {}}),
                         [](const auto& row) { return std::string(row.param.name); });

// Whoever asks the wrapper to end asks the program, and what the program then does is a goodbye.
TEST_F(Crash, AnEndThatWasAskedForIsALeave) {
    Watch watch(cluster);
    for (const int signal : {SIGTERM, SIGINT}) {
        const std::string node = "x" + std::to_string(signal);
        Process wrapper = cluster.wrapped_puppet({"--node", node});
        watch.until("joined", node);
        EXPECT_EQ(wrapper.ask("pid"), std::to_string(cluster.find(node).pid));
        wrapper.signal(signal);
        EXPECT_EQ(wrapper.wait(), 128 + signal);
        watch.until("left", node);
        EXPECT_EQ(watch.story(node), "joined:join left:goodbye");
    }
}

}  // namespace
}  // namespace rollcall::test
