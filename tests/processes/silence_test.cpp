// A process that lives and says nothing is suspect, dead, evicted: each after its timeout and never before. Who beats again recovers.
#include <csignal>

#include <gmock/gmock.h>

#include "shm/segment.hpp"
#include "shm/word.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

constexpr Duration suspect_after = 1s, dead_after = 2s, evicted_after = 3s;  // as in `fast`

class Silence : public ::testing::Test {
protected:
    Silence() { cluster.start_engine(fast); }

    // A member that beats by itself, beside one that does so all the time.
    Process member(const std::string& node) {
        Process process = cluster.puppet();
        EXPECT_THAT(process.ask("join " + node + "; beating " + node), StartsWith("ok "));
        return process;
    }

    // Suspect of silence, at the earliest its timeout after the last beat, and the evidence says so.
    static void expect_suspicion(const SeenEvent& e, Instant last_beat) {
        EXPECT_TRUE(e.is_not_before(last_beat, suspect_after)) << e.line;
        EXPECT_EQ(e.state, "suspect");
        EXPECT_EQ(e.reason, "silence");
        EXPECT_THAT(e.age_ms, Optional(Ge(1000.)));
        EXPECT_THAT(e.suspect_ms, Optional(1000.));
        EXPECT_THAT(e.dead_ms, Optional(2000.));
    }

    TemporaryCluster cluster;
};

// The last beat is read from the memory after the process has stopped: nothing can be added to it.
TEST_F(Silence, AStoppedMemberIsSuspectThenDeadThenEvictedNeverEarly) {
    Watch watch(cluster);
    Process bystander = member("bystander"), a = member("a");
    a.stop();
    const Instant last_beat = cluster.last_beat("a");

    expect_suspicion(watch.until("suspect", "a"), last_beat);
    const SeenEvent dead = watch.until("dead", "a");
    EXPECT_TRUE(dead.is_not_before(last_beat, dead_after)) << dead.line;
    EXPECT_EQ(dead.reason, "silence");
    EXPECT_THAT(dead.age_ms, Optional(Ge(2000.)));
    EXPECT_EQ(dead.exit_code, std::nullopt);
    EXPECT_EQ(dead.signal, std::nullopt);
    const SeenEvent evicted = watch.until("evicted", "a");
    EXPECT_TRUE(evicted.is_not_before(last_beat, evicted_after)) << evicted.line;
    EXPECT_FALSE(cluster.observe().find("a"));

    EXPECT_EQ(watch.story("a"), "joined:join suspect:silence dead:silence evicted:silence");
    EXPECT_EQ(watch.story("bystander"), "joined:join");
}

// A single beat, whose instant the process itself tells; then nothing more, while its process lives.
TEST_F(Silence, TheTimeoutsCountFromTheLastBeatItself) {
    Watch watch(cluster);
    Process a = cluster.puppet();
    a.ask("join a");
    const std::string answer = a.ask("beat a");
    ASSERT_THAT(answer, StartsWith("counted "));
    const Instant last_beat = instant_from_ns(std::stoll(answer.substr(8)));
    expect_suspicion(watch.until("suspect", "a"), last_beat);
    EXPECT_TRUE(watch.until("dead", "a").is_not_before(last_beat, dead_after));
    EXPECT_TRUE(watch.until("evicted", "a").is_not_before(last_beat, evicted_after));
    EXPECT_THAT(a.ask("beat a"), StartsWith("evicted "));
}

TEST_F(Silence, ASuspectThatGoesOnRecovers) {
    ASSERT_EQ(cluster.run({"set", "--dead", "50s", "--evict", "60s"}).code, 0);
    Watch watch(cluster);
    Process a = member("a");
    a.stop();
    const SeenEvent suspect = watch.until("suspect", "a");
    a.go_on();
    const SeenEvent recovered = watch.until("recovered", "a");
    EXPECT_EQ(recovered.reason, "heartbeat");
    EXPECT_EQ(recovered.state, "alive");
    EXPECT_EQ(recovered.incarnation, suspect.incarnation);
    EXPECT_EQ(recovered.view, suspect.view) << "a suspicion does not change the membership, nor does its end";
    EXPECT_EQ(cluster.find("a").state, State::alive);
    EXPECT_THAT(a.ask("beat a"), StartsWith("counted "));
    EXPECT_EQ(watch.story("a"), "joined:join suspect:silence recovered:heartbeat");
}

// Dead of silence is not final: the same life goes on, and no `joined` is needed. The eviction is far away, so that it cannot come first.
TEST_F(Silence, ADeadOfSilenceThatGoesOnRecovers) {
    ASSERT_EQ(cluster.run({"set", "--evict", "60s"}).code, 0);
    Watch watch(cluster);
    Process a = member("a");
    a.stop();
    const SeenEvent dead = watch.until("dead", "a");
    EXPECT_EQ(cluster.find("a").state, State::dead);
    EXPECT_TRUE(cluster.find("a").last_heartbeat) << "it keeps its word";
    a.go_on();
    const SeenEvent recovered = watch.until("recovered", "a");
    EXPECT_EQ(recovered.incarnation, dead.incarnation);
    EXPECT_GT(recovered.view, dead.view) << "the membership has changed";
    EXPECT_EQ(watch.story("a"), "joined:join suspect:silence dead:silence recovered:heartbeat");
}

// The word of a process that exited, beaten from outside in its name: what a thread that was halfway through a beat would do. It is refused,
// and nothing follows but the eviction.
TEST_F(Silence, NoBeatRevivesAProcessThatExited) {
    Watch watch(cluster);
    Process a = member("a");
    const Peer alive = cluster.find("a");
    auto memory = shm::Segment::attach(shm::Paths::of(cluster.dir(), "default"), shm::Access::producer, shm::HostIdentity::current());
    ASSERT_TRUE(memory) << memory.error().message;
    const auto beat = [&] {
        shm::Roster& roster = memory->writable();
        return shm::beat(roster.word(alive.slot), to_stamp(clock_now(), roster.base_ns()), alive.generation);
    };
    EXPECT_NE(beat(), shm::WordBeat::foreign) << "as long as it lives";
    a.signal(SIGKILL);
    watch.until("dead", "a");
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(beat(), shm::WordBeat::foreign);
        return !cluster.observe().find("a");
    }));
    watch.until("evicted", "a");
    EXPECT_EQ(watch.story("a"), "joined:join dead:process_exit evicted:process_exit");
}

// Dead of silence first, then the process ends: now it is final, its word is free, and the evict timeout counts from the proof.
TEST_F(Silence, AnExitAfterADeathBySilenceIsItsProof) {
    ASSERT_EQ(cluster.run({"set", "--evict", "5s"}).code, 0);
    Watch watch(cluster);
    Process a = member("a");
    a.stop();
    watch.until("dead", "a");
    a.signal(SIGKILL);
    EXPECT_EQ(a.wait(), 128 + SIGKILL);
    const SeenEvent updated = watch.until("updated", "a");
    EXPECT_EQ(updated.reason, "process_exit");
    EXPECT_EQ(updated.state, "dead");
    EXPECT_FALSE(cluster.find("a").last_heartbeat);
    const SeenEvent evicted = watch.until("evicted", "a");
    EXPECT_GE(*evicted.mono_us, *updated.mono_us + 5'000'000) << "counted from the proof";
    EXPECT_EQ(watch.story("a"), "joined:join suspect:silence dead:silence updated:process_exit evicted:process_exit");
}

// Whoever dies by proof is evicted too, the evict timeout after the proof.
TEST_F(Silence, AProvenDeathIsEvictedInTime) {
    Watch watch(cluster);
    Process a = member("a");
    a.signal(SIGKILL);
    const SeenEvent dead = watch.until("dead", "a");
    const SeenEvent evicted = watch.until("evicted", "a");
    EXPECT_GE(*evicted.mono_us, *dead.mono_us + 3'000'000);
    EXPECT_EQ(watch.story("a"), "joined:join dead:process_exit evicted:process_exit");
}

}  // namespace
}  // namespace rollcall::test
