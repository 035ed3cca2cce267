// Members and engines in other namespaces of the kernel, as containers have them: another pid namespace is watched all the same, another
// clock is refused by name.
#include <gmock/gmock.h>

#include "tests/support/other_users.hpp"

namespace rollcall::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Killing `unshare` kills what it started.
User in_pid_namespace() { return {0, 0, {}, {"unshare", "--propagation", "unchanged", "--pid", "--fork", "--mount-proc", "--kill-child"}}; }
User in_time_namespace() { return {0, 0, {}, {"unshare", "--time", "--monotonic", "1000", "--fork", "--kill-child"}}; }

void kill(Process& process) {
    process.signal(SIGKILL);
    process.wait();
}

// Exit 0: it happened.
bool happens(const Commands& commands, const std::string& node, const std::string& state) {
    return commands.run(root, {"wait", node, "--state", state, "--timeout", "30s"}).code == 0;
}

std::string why(const Commands& commands, const std::string& node) { return commands.run(root, {"why", node}).out; }

TEST(PidNamespace, AMemberInAnotherOneIsWatchedByThePidfdThatItSends) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(root);
    Process& inside = commands.start_member(in_pid_namespace(), "inside");
    commands.start_member(root, "outside");
    EXPECT_TRUE(happens(commands, "inside", "alive"));
    kill(inside);
    EXPECT_TRUE(happens(commands, "inside", "dead")) << "nobody is judged by silence here within half a minute";
    EXPECT_THAT(why(commands, "inside"), HasSubstr("process"));
    EXPECT_TRUE(happens(commands, "outside", "alive"));
}

// From where the engine stands their pids are all 0. Each death is its own: the pidfds tell the processes apart.
TEST(PidNamespace, AnEngineInAnotherOneTellsMembersApartWhosePidsItCannotSee) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(in_pid_namespace());
    Process& first = commands.start_member(root, "first");
    Process& second = commands.start_member(root, "second");
    Process& third = commands.start_member(in_pid_namespace(), "third");
    EXPECT_THAT(commands.run(root, {"join", "--node", "first", "--", "true"}).err, HasSubstr("held by a process in another pid namespace"));
    kill(second);
    EXPECT_TRUE(happens(commands, "second", "dead"));
    EXPECT_TRUE(happens(commands, "first", "alive"));
    EXPECT_TRUE(happens(commands, "third", "alive"));
    kill(third);
    EXPECT_TRUE(happens(commands, "third", "dead"));
    EXPECT_TRUE(happens(commands, "first", "alive"));
    first.signal(SIGTERM);
    first.wait();
    EXPECT_EQ(commands.run(root, {"members"}).out.find("first"), std::string::npos) << "a goodbye is a goodbye";
    EXPECT_THAT(commands.run(root, {"stat"}).out, testing::Not(HasSubstr("unwatched 1")));
}

// The engine that comes after one in another pid namespace cannot name the processes of its members. They come back with their pidfds.
TEST(PidNamespace, MembersOfAnEarlierEngineSendTheirPidfdsAgain) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    Process& engine = commands.start_engine(in_pid_namespace());
    Process& member = commands.start_member(root, "m");
    kill(engine);
    Process& next = commands.start_engine(in_pid_namespace());
    // Until it has come back, its death would be judged by silence.
    ASSERT_TRUE(eventually([&] { return count_pidfds_of_child(next) == 1; }));
    kill(member);
    EXPECT_TRUE(happens(commands, "m", "dead"));
}

// Stamps of another clock mean nothing: nobody joins, nobody looks, and no second engine takes over what a first one runs.
TEST(TimeNamespace, ARunningClusterIsRefusedByName) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(root);
    commands.start_member(root, "m");
    const std::string before = commands.run(root, {"dump"}).out.substr(0, 20);
    const std::string clock = "is of another time namespace";
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"join", "--node", "x"},
                                                                                       {"join", "--node", "x", "--", "true"},
                                                                                       {"members"},
                                                                                       {"dump"},
                                                                                       {"watch"},
                                                                                       {"stat"},
                                                                                       {"wait", "m", "--state", "alive"}}) {
        const Said said = commands.run(in_time_namespace(), words);
        EXPECT_EQ(said.code, 1) << words.front();
        EXPECT_THAT(said.err, AllOf(HasSubstr("/dev/shm/rollcall/default/roster"), HasSubstr(clock))) << words.front();
        EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
    }
    EXPECT_THAT(commands.run(in_time_namespace(), {"run"}).err, HasSubstr("runs this cluster"));
    EXPECT_TRUE(happens(commands, "m", "alive"));
    EXPECT_EQ(commands.run(root, {"dump"}).out.substr(0, 20), before);
}

// What a dead engine of another clock left is replaced, and says so; its members learn that they are of no use here.
TEST(TimeNamespace, AnEngineReplacesWhatADeadOneOfAnotherClockLeft) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    Process& earlier = commands.start_engine(root);
    Process& member = commands.start_member(root, "m");
    kill(earlier);
    Process& later = commands.start_engine(in_time_namespace());
    EXPECT_THAT(commands.said_by(later), AllOf(HasSubstr("replaced what lay in"), HasSubstr("another time namespace")));
    ASSERT_TRUE(eventually([&] { return member.has_ended(); }));
    EXPECT_THAT(commands.said_by(member), HasSubstr("is of another time namespace"));
    // Each `unshare` is a clock of its own: ours is another one now.
    EXPECT_THAT(commands.run(root, {"members"}).err, HasSubstr("is of another time namespace"));
}

}  // namespace
}  // namespace rollcall::test
