// A restart under the same node id is a new life: the old one is dead first, its handles are void, and who lives keeps its id.
#include <csignal>

#include <gmock/gmock.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Restart : public ::testing::Test {
protected:
    Restart() { cluster.start_engine(calm); }

    static std::uint64_t incarnation_in(const std::string& answer) {
        EXPECT_THAT(answer, AnyOf(StartsWith("ok "), StartsWith("true ")));
        return std::stoull(answer.substr(answer.find(' ')));
    }

    TemporaryCluster cluster;
};

TEST_F(Restart, OfAKilledProcessIsADeathThenAJoin) {
    Watch watch(cluster);
    Process first = cluster.puppet();
    const std::uint64_t before = incarnation_in(first.ask("join x"));
    first.signal(SIGKILL);
    watch.until("dead", "x");
    Process second = cluster.puppet();
    const std::uint64_t after = incarnation_in(second.ask("join x; beating x").substr(0, 19));
    watch.until("joined", "x");
    EXPECT_GT(after, before);
    EXPECT_EQ(watch.story("x"), "joined:join dead:process_exit joined:join") << "and no eviction of the old life";
    EXPECT_EQ(watch.seen().back().incarnation, after);
    EXPECT_EQ(cluster.find("x").pid, static_cast<std::uint32_t>(second.pid()));
}

// A supervisor that starts the next one the moment the last has ended. Fifty times, since exit and join reach the engine together: none is
// refused because of its predecessor, and no life ends without a death.
TEST_F(Restart, RightAfterTheEndIsNeverRefused) {
    Watch watch(cluster);
    std::string story;
    std::uint64_t last = 0;
    for (int i = 0; i < 50; ++i) {
        Process process = cluster.puppet();
        const std::uint64_t incarnation = incarnation_in(process.ask("join x"));
        EXPECT_GT(incarnation, last);
        last = incarnation;
        process.signal(SIGKILL);
        process.wait();
        story += std::string(i == 0 ? "" : " ") + "joined:join dead:process_exit";
    }
    while (watch.story("x").size() < story.size()) watch.until("dead", "x");
    EXPECT_EQ(watch.story("x"), story);
}

// The same while the predecessor has ended but is not reaped: a zombie holds no id.
TEST_F(Restart, OfAZombieIsNotRefused) {
    std::vector<Process> zombies;
    for (int i = 0; i < 20; ++i) {
        zombies.push_back(cluster.puppet());
        incarnation_in(zombies.back().ask("join x"));
        zombies.back().signal(SIGKILL);
        ASSERT_TRUE(eventually([&] { return zombies.back().has_ended(); }));
    }
}

// As shells and supervisors do it: the wrapper has returned, so the next one may start.
TEST_F(Restart, OfAWrappedProgramIsNeverRefused) {
    Watch watch(cluster);
    std::string story;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(cluster.run({"join", "--node", "x", "--", "sh", "-c", "exit 7"}).code, 7);
        story += std::string(i == 0 ? "" : " ") + "joined:join dead:process_exit";
    }
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), story);
}

TEST_F(Restart, AnIdThatALivingProcessHoldsIsRefused) {
    Watch watch(cluster);
    Process holder = cluster.puppet(), other = cluster.puppet();
    holder.ask("join x; beating x");
    const std::string refusal = other.ask("join x");
    EXPECT_THAT(refusal, AllOf(HasSubstr("held by pid " + std::to_string(holder.pid())), HasSubstr("alive for ")));
    EXPECT_THAT(holder.ask("join again node=x"), HasSubstr("held by pid")) << "not even the same process may, with another handle";
    EXPECT_THAT(other.ask("join engine"), HasSubstr("engine's own"));
    EXPECT_THAT(holder.ask("beat x"), StartsWith("counted "));
    watch.catch_up();
    EXPECT_EQ(watch.story(), "x joined");
}

// Whoever replaces a living holder ends its life, not its process. The old handle is void for ever: it cannot beat, rejoin, tag or leave, and
// the end of its process is nobody's.
TEST_F(Restart, AStaleHandleCannotTouchTheNewLife) {
    Watch watch(cluster);
    Process first = cluster.puppet(), second = cluster.puppet();
    const std::uint64_t before = incarnation_in(first.ask("join x tag.who=first"));
    const Slot slot = cluster.find("x").slot;
    const std::uint64_t after = incarnation_in(second.ask("join x replace tag.who=second"));
    EXPECT_GT(after, before);
    watch.until("joined", "x");
    if (watch.story("x") == "joined:join") watch.until("joined", "x");
    EXPECT_EQ(watch.story("x"), "joined:join dead:replaced joined:join");
    EXPECT_EQ(watch.seen()[1].incarnation, before);
    EXPECT_EQ(watch.seen()[2].incarnation, after);
    EXPECT_EQ(cluster.find("x").slot, slot) << "a replaced life keeps its slot";

    second.ask("beat x");
    const Instant last_beat = cluster.last_beat("x");
    EXPECT_THAT(first.ask("beat x"), StartsWith("replaced "));
    EXPECT_EQ(cluster.last_beat("x"), last_beat);
    EXPECT_THAT(first.ask("rejoin x"), AllOf(StartsWith("false "), HasSubstr("another life")));
    EXPECT_NE(first.ask("tag x who=ghost"), "ok");
    first.ask("leave x");
    first.signal(SIGKILL);
    first.wait();
    EXPECT_THAT(second.ask("beat x"), StartsWith("counted "));
    second.ask("join marker");
    watch.until("joined", "marker");
    EXPECT_EQ(watch.story("x"), "joined:join dead:replaced joined:join");
    EXPECT_EQ(cluster.find("x").tags, (Tags{{"who", "second"}}));
}

// A thread that beats ends when its life was replaced, instead of taking the id back for ever.
TEST_F(Restart, TwoThatBeatByThemselvesDoNotFightForTheId) {
    ASSERT_EQ(cluster.run({"set", "--heartbeat", "20ms"}).code, 0);
    Watch watch(cluster);
    Process first = cluster.puppet(), second = cluster.puppet();
    first.ask("join x; beating x");
    second.ask("join x replace; beating x");
    const Instant replaced = clock_now();
    EXPECT_TRUE(eventually([&] { return cluster.last_beat("x") > replaced + 500ms; }));
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), "joined:join dead:replaced joined:join");
    EXPECT_EQ(cluster.find("x").pid, static_cast<std::uint32_t>(second.pid()));
}

// Dead of silence holds no id, though its process lives: who joins is a new life at once, and the sleeper learns it when it wakes.
TEST_F(Restart, OfASilentOneIsAJoinAndTheSleeperLearnsIt) {
    ASSERT_EQ(cluster.run({"set", "--heartbeat", "100ms", "--suspect", "1s", "--dead", "2s", "--evict", "60s"}).code, 0);
    Watch watch(cluster);
    Process first = cluster.puppet(), second = cluster.puppet();
    first.ask("join x; beating x");
    first.stop();
    watch.until("suspect", "x");
    EXPECT_THAT(second.ask("join x"), HasSubstr("suspect for ")) << "a suspect still holds its id";
    watch.until("dead", "x");
    incarnation_in(second.ask("join x"));
    watch.until("joined", "x");
    first.go_on();
    EXPECT_THAT(first.ask("beat x"), StartsWith("replaced "));
    EXPECT_THAT(first.ask("rejoin x"), StartsWith("false "));
    EXPECT_THAT(second.ask("beat x"), StartsWith("counted "));
    EXPECT_EQ(watch.story("x"), "joined:join suspect:silence dead:silence joined:join");
}

// Evicted while it slept. It learns it at its next beat, and rejoining is a new life of the same process, which is watched as the first was.
TEST_F(Restart, AnEvictedLivingMemberLearnsItAndRejoins) {
    ASSERT_EQ(cluster.run({"set", "--heartbeat", "100ms", "--suspect", "500ms", "--dead", "1s", "--evict", "1500ms"}).code, 0);
    Watch watch(cluster);
    Process a = cluster.puppet();
    const std::uint64_t before = incarnation_in(a.ask("join a tag.k=v"));
    watch.until("evicted", "a");
    EXPECT_THAT(a.ask("beat a"), StartsWith("evicted "));
    const std::uint64_t after = incarnation_in(a.ask("rejoin a; beating a").substr(0, 21));
    EXPECT_GT(after, before);
    watch.until("joined", "a");
    EXPECT_EQ(cluster.find("a").tags, (Tags{{"k", "v"}}));
    a.signal(SIGKILL);
    watch.until("dead", "a");
    EXPECT_EQ(watch.story("a"), "joined:join suspect:silence dead:silence evicted:silence joined:join dead:process_exit");
}

// The thread that beats does the same by itself, after a sleep and after an operator's word.
TEST_F(Restart, AnEvictedMemberThatBeatsByItselfComesBack) {
    ASSERT_EQ(cluster.run({"set", "--heartbeat", "100ms", "--suspect", "1s", "--dead", "1500ms", "--evict", "2s"}).code, 0);
    Watch watch(cluster);
    Process a = cluster.puppet();
    a.ask("join a; beating a");
    a.stop();
    const SeenEvent evicted = watch.until("evicted", "a");
    a.go_on();
    EXPECT_GT(*watch.until("joined", "a").incarnation, *evicted.incarnation);
    EXPECT_EQ(cluster.run({"evict", "a"}).code, 0);
    watch.until("joined", "a");
    EXPECT_EQ(watch.story("a"), "joined:join suspect:silence dead:silence evicted:silence joined:join evicted:operator joined:join");
}

}  // namespace
}  // namespace rollcall::test
