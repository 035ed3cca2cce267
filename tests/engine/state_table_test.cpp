// The table of states, row by row: from what, on what ground, to what, announced how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Well beyond each timeout of the default settings, counted from a join.
constexpr Duration until_suspect = 3s + 100ms, until_dead = 5s + 100ms, until_evicted = 10s + 100ms;

// Every test has a healthy bystander, who is never spoken of.
class StateTable : public testing::Test {
protected:
    StateTable() {
        core.join("bystander");
        core.join("a");
        core.take();
    }
    void be_silent_for(Duration d) { core.run(d, {"bystander"}); }
    bool has_free_word(Slot slot) const { return core.word(slot) == shm::free_word; }

    TimedCore core;
};

TEST(States, AJoinMakesAPeerAlive) {
    TimedCore core;
    core.join("a");
    EXPECT_THAT(core.take(), ElementsAre("joined a join"));
    EXPECT_EQ(core.peer("a").state, State::alive);
}

TEST(States, ARegistrationMakesAPeerAlive) {
    TimedEngine engine;
    engine.open();
    ASSERT_TRUE(engine->register_peer("a", "10.0.0.2:7000"));
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered"));
    EXPECT_EQ(engine->find("a")->state, State::alive);
}

TEST(States, TheFirstHeartbeatOfAnUnknownNodeMakesAPeerAlive) {
    TimedEngine engine;
    engine.open();
    engine.hear("a");
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("joined a heartbeat"));
    EXPECT_EQ(engine->find("a")->state, State::alive);
}

TEST_F(StateTable, AlivePeerThatIsSilentForTheSuspectTimeoutIsSuspected) {
    be_silent_for(until_suspect);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
    EXPECT_EQ(core.peer("a").state, State::suspect);
    EXPECT_EQ(core.peer("bystander").state, State::alive);
}

TEST_F(StateTable, SuspectThatIsSilentForTheDeadTimeoutIsDead) {
    be_silent_for(until_dead);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence", "dead a silence"));
    EXPECT_EQ(core.peer("a").state, State::dead);
    EXPECT_FALSE(has_free_word(core.peer("a").slot)) << "it may recover until it is evicted";
}

TEST_F(StateTable, DeadPeerThatIsSilentForTheEvictTimeoutIsEvicted) {
    const Slot slot = core.peer("a").slot;
    be_silent_for(until_evicted);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence", "dead a silence", "evicted a silence"));
    EXPECT_FALSE(core.find("a"));
    EXPECT_EQ(core.peers().size(), 1u);
    EXPECT_TRUE(has_free_word(slot));
}

TEST_F(StateTable, PeerThatDiedByProofIsEvictedTheEvictTimeoutAfterTheProof) {
    be_silent_for(2s);
    core.exit("a");
    be_silent_for(10s - 10ms);
    EXPECT_THAT(core.take(), ElementsAre("dead a process_exit"));
    be_silent_for(100ms);
    EXPECT_THAT(core.take(), ElementsAre("evicted a process_exit"));
    EXPECT_FALSE(core.find("a"));
}

TEST_F(StateTable, SuspectThatBeatsRecovers) {
    be_silent_for(until_suspect);
    core.take();
    EXPECT_EQ(core.beat("a"), shm::WordBeat::moved);
    core.step_after(10ms);
    EXPECT_THAT(core.take(), ElementsAre("recovered a heartbeat"));
    EXPECT_EQ(core.peer("a").state, State::alive);
}

TEST_F(StateTable, PeerThatDiedOfSilenceAndBeatsRecovers) {
    be_silent_for(until_dead);
    core.take();
    EXPECT_EQ(core.beat("a"), shm::WordBeat::moved);
    core.step_after(10ms);
    EXPECT_THAT(core.take(), ElementsAre("recovered a heartbeat"));
    EXPECT_EQ(core.peer("a").state, State::alive);
}

TEST_F(StateTable, RecoveredPeerIsJudgedAnewFromItsLastBeat) {
    be_silent_for(until_dead);
    core.beat("a");
    be_silent_for(10ms);
    core.take();
    be_silent_for(3s - 20ms);
    EXPECT_THAT(core.take(), IsEmpty());
    be_silent_for(2s + 100ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence", "dead a silence"));
}

// A heartbeat that was long under way is a sign of life of then, not of now: what follows is judged from the word as it is.
TEST_F(StateTable, OldBeatOfASuspectOnlyPutsOffItsDeath) {
    be_silent_for(until_suspect);
    core.take();
    EXPECT_EQ(core.beat("a", core.now() - 3010ms), shm::WordBeat::moved);
    be_silent_for(1950ms);
    EXPECT_THAT(core.take(), IsEmpty()) << "neither recovered nor dead";
    be_silent_for(100ms);
    EXPECT_THAT(core.take(), ElementsAre("dead a silence"));
}

TEST_F(StateTable, OldBeatOfTheDeadOnlyPutsOffItsEviction) {
    be_silent_for(until_dead);
    core.take();
    EXPECT_EQ(core.beat("a", core.now() - 4s), shm::WordBeat::moved);
    be_silent_for(5950ms);
    EXPECT_THAT(core.take(), IsEmpty()) << "neither recovered nor evicted";
    be_silent_for(100ms);
    EXPECT_THAT(core.take(), ElementsAre("evicted a silence"));
}

TEST_F(StateTable, ProcessExitKillsTheLivingAtOnce) {
    core.exit("a");
    EXPECT_THAT(core.take(), ElementsAre("dead a process_exit"));
    EXPECT_EQ(core.peer("a").state, State::dead);
    EXPECT_TRUE(has_free_word(core.peer("a").slot));
}

TEST_F(StateTable, ProcessExitKillsTheSuspectedAtOnce) {
    be_silent_for(until_suspect);
    core.exit("a");
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence", "dead a process_exit"));
}

// A death by silence leaves room for a recovery; the proof that comes later closes it, and the evict timeout begins anew.
TEST_F(StateTable, ProofThatComesAfterADeathBySilenceIsAnUpdate) {
    be_silent_for(until_dead);
    core.take();
    const auto view = core.checkpoint().view;
    core.exit("a", ExitStatus{true, 9});
    const auto events = core.take_events();
    EXPECT_THAT(lines_of(events), ElementsAre("updated a process_exit"));
    EXPECT_EQ(events.at(0).evidence.status, (ExitStatus{true, 9}));
    EXPECT_EQ(events.at(0).state, State::dead);
    EXPECT_EQ(core.checkpoint().view, view) << "it was dead already";
    EXPECT_TRUE(has_free_word(core.peer("a").slot));
    be_silent_for(10s - 10ms);
    EXPECT_THAT(core.take(), IsEmpty());
    be_silent_for(100ms);
    EXPECT_THAT(core.take(), ElementsAre("evicted a process_exit"));
}

TEST_F(StateTable, SecondProofChangesNothing) {
    core.exit("a", ExitStatus{true, 9});
    core.take();
    core.exit("a", ExitStatus{false, 0});
    EXPECT_THAT(core.take(), IsEmpty());
    EXPECT_EQ(core.peer("a").evidence.status, (ExitStatus{true, 9}));
}

// What exited stays dead, whatever is written to its word: by a beat of the old life, or by force.
TEST_F(StateTable, NoBeatRevivesAPeerThatDiedByProof) {
    const auto life = core.peer("a");
    core.exit("a");
    core.take();
    EXPECT_EQ(core.beat("a"), shm::WordBeat::foreign);
    core.set_word(life.slot, shm::make_word(core.now_stamp(), life.generation));
    be_silent_for(1s);
    EXPECT_THAT(core.take(), IsEmpty());
    EXPECT_EQ(core.peer("a").state, State::dead);
    EXPECT_TRUE(has_free_word(life.slot));
}

enum class From { alive, suspect, dead_of_silence, dead_by_proof };
constexpr From every_state[]{From::alive, From::suspect, From::dead_of_silence, From::dead_by_proof};

class FromAnyState : public StateTable, public testing::WithParamInterface<From> {
protected:
    FromAnyState() {
        if (GetParam() == From::suspect) be_silent_for(until_suspect);
        if (GetParam() == From::dead_of_silence) be_silent_for(until_dead);
        if (GetParam() == From::dead_by_proof) core.exit("a");
        before = core.peer("a");
        core.take();
    }
    Peer before;
};
INSTANTIATE_TEST_SUITE_P(States, FromAnyState, testing::ValuesIn(every_state));

TEST_P(FromAnyState, GoodbyeIsALeave) {
    EXPECT_FALSE(core.leave("a").error);
    EXPECT_THAT(core.take(), ElementsAre("left a goodbye"));
    EXPECT_FALSE(core.find("a"));
    EXPECT_TRUE(has_free_word(before.slot));
    be_silent_for(until_evicted);
    EXPECT_THAT(core.take(), IsEmpty());
}

TEST_P(FromAnyState, OperatorEvicts) {
    EXPECT_FALSE(core.evict("a").error);
    EXPECT_THAT(core.take(), ElementsAre("evicted a operator"));
    EXPECT_FALSE(core.find("a"));
    EXPECT_TRUE(has_free_word(before.slot));
}

TEST_P(FromAnyState, NewLifeReplacesTheOld) {
    const auto answer = core.replace("a");
    ASSERT_FALSE(answer.error) << answer.error->message;
    if (before.state == State::dead)
        EXPECT_THAT(core.take(), ElementsAre("joined a join"));
    else
        EXPECT_THAT(core.take(), ElementsAre("dead a replaced", "joined a join"));
    const Peer now = core.peer("a");
    EXPECT_EQ(now.state, State::alive);
    EXPECT_GT(now.incarnation, before.incarnation);
    EXPECT_EQ(now.slot, before.slot);
    EXPECT_EQ(now.generation.value, before.generation.value + 1);
}

// The old life keeps its handle: word and generation. It must not be able to beat for the new one.
TEST_P(FromAnyState, OldLifeCannotBeatForTheNew) {
    core.replace("a");
    const std::int64_t word = core.word(before.slot);
    EXPECT_EQ(shm::beat(core.core().writable().word(before.slot), core.now_stamp(), before.generation), shm::WordBeat::foreign);
    EXPECT_EQ(core.word(before.slot), word);
}

TEST_P(FromAnyState, NodeIdIsFreeForAnotherProcessOnlyOnceItsHolderIsDead) {
    const auto answer = core.join("a");
    if (before.state == State::dead) {
        EXPECT_FALSE(answer.error);
        EXPECT_THAT(core.take(), ElementsAre("joined a join"));
    } else {
        ASSERT_TRUE(answer.error);
        EXPECT_EQ(answer.error->kind, ErrorKind::held);
        EXPECT_THAT(answer.error->message, testing::HasSubstr("held by pid " + std::to_string(before.pid)));
        EXPECT_THAT(core.take(), IsEmpty());
    }
}

}  // namespace
}  // namespace rollcall::test
