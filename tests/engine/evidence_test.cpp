// Every event says why: the age of the last beat, what of it nobody observed, the thresholds in force, how late the judgement came.
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

// Evidence is kept in units of the stamp, and lost time in units of 128 of them.
constexpr Duration fine = 2 * stamp_unit, coarse = 129 * stamp_unit;

testing::AssertionResult is_about(Duration is, Duration wanted, Duration within) {
    if (is >= wanted - within && is <= wanted + within) return testing::AssertionSuccess();
    return testing::AssertionFailure() << to_text(is) << " is not " << to_text(wanted) << " within " << to_text(within);
}

class EvidenceOf : public testing::Test {
protected:
    EvidenceOf() {
        core.join("a");
        core.run(800ms);
        core.beat("a");
        core.take();
    }
    // The last of the events that were published since.
    Event last() {
        const auto events = core.take_events();
        if (events.empty()) throw std::runtime_error("no event");
        return events.back();
    }
    TimedCore core;
};

TEST_F(EvidenceOf, JoinedIsFreshAndNamesTheThresholds) {
    core.join("b");
    const Event e = last();
    EXPECT_EQ(e.state, State::alive);
    EXPECT_TRUE(is_about(e.evidence.age, 0s, fine));
    EXPECT_EQ(e.evidence.lost, 0s);
    EXPECT_EQ(e.evidence.late, 0s);
    EXPECT_TRUE(is_about(e.evidence.suspect_timeout, 3s, stamp_unit));
    EXPECT_TRUE(is_about(e.evidence.dead_timeout, 5s, stamp_unit));
    EXPECT_FALSE(e.evidence.status);
}

TEST_F(EvidenceOf, SuspectHoldsTheSilenceAndHowLateItWasFound) {
    core.run(2990ms);
    core.step_after(17ms);
    const Event e = last();
    EXPECT_EQ(e.kind, Event::suspect);
    EXPECT_TRUE(is_about(e.evidence.age, 3007ms, fine));
    EXPECT_TRUE(is_about(e.evidence.late, 7ms, fine));
    EXPECT_EQ(e.evidence.lost, 0s);
    EXPECT_EQ(e.at, core.now());
    EXPECT_TRUE(is_about(e.evidence.suspect_timeout, 3s, stamp_unit));
}

TEST_F(EvidenceOf, DeadHoldsTheSilenceAndHowLateItWasFound) {
    core.run(4990ms);
    core.step_after(25ms);
    const Event e = last();
    EXPECT_EQ(e.kind, Event::dead);
    EXPECT_TRUE(is_about(e.evidence.age, 5015ms, fine));
    EXPECT_TRUE(is_about(e.evidence.late, 15ms, fine));
    EXPECT_TRUE(is_about(e.evidence.dead_timeout, 5s, stamp_unit));
}

// Age is raw; what of it fell into a pause is told beside it, and does not count.
TEST_F(EvidenceOf, SilenceTellsWhatNobodyObserved) {
    core.run(1s);
    core.step_after(7s);  // credits half a heartbeat of it
    core.run(3s - 1s - 500ms + 4ms);
    const Event e = last();
    EXPECT_EQ(e.kind, Event::suspect);
    EXPECT_TRUE(is_about(e.evidence.lost, 6500ms, coarse));
    EXPECT_TRUE(is_about(e.evidence.age, 3s + 6500ms + 4ms, fine));
    EXPECT_TRUE(is_about(e.evidence.late, 4ms, fine));
}

TEST_F(EvidenceOf, EvictedHoldsTheSilenceAndHowLateItWasFound) {
    core.run(9990ms);
    core.step_after(15ms);
    const Event e = last();
    EXPECT_EQ(e.kind, Event::evicted);
    EXPECT_EQ(e.state, State::none);
    EXPECT_TRUE(is_about(e.evidence.age, 10005ms, fine));
    EXPECT_TRUE(is_about(e.evidence.late, 5ms, fine));
}

TEST_F(EvidenceOf, RecoveredHoldsTheAgeOfTheBeatThatWasHeard) {
    core.run(4s);
    core.beat("a");
    core.step_after(6ms);
    const Event e = last();
    EXPECT_EQ(e.kind, Event::recovered);
    EXPECT_TRUE(is_about(e.evidence.age, 6ms, fine));
}

TEST_F(EvidenceOf, ProcessExitHoldsTheAgeOfTheLastBeatAndTheStatus) {
    core.run(300ms);
    core.exit("a", ExitStatus{true, 9});
    const Event e = last();
    EXPECT_EQ(e.kind, Event::dead);
    EXPECT_EQ(e.reason, Reason::process_exit);
    EXPECT_TRUE(is_about(e.evidence.age, 300ms, fine));
    EXPECT_EQ(e.evidence.status, (ExitStatus{true, 9}));
}

TEST_F(EvidenceOf, ProcessExitWithoutAStatusSaysThatItIsUnknown) {
    core.exit("a");
    EXPECT_FALSE(last().evidence.status);
}

TEST_F(EvidenceOf, ExitCodeZeroIsAStatus) {
    core.exit("a", ExitStatus{false, 0});
    EXPECT_EQ(last().evidence.status, (ExitStatus{false, 0}));
}

TEST_F(EvidenceOf, StatusStaysWithThePeerAndItsEviction) {
    core.exit("a", ExitStatus{false, 3});
    EXPECT_EQ(core.peer("a").evidence.status, (ExitStatus{false, 3}));
    core.run(10100ms);
    const Event e = last();
    EXPECT_EQ(e.kind, Event::evicted);
    EXPECT_EQ(e.evidence.status, (ExitStatus{false, 3}));
}

// The last beat is the one in the word, not the one at the last judgement.
TEST_F(EvidenceOf, GoodbyeHoldsTheAgeOfTheLastBeat) {
    core.run(300ms);
    core.leave("a");
    const Event e = last();
    EXPECT_EQ(e.kind, Event::left);
    EXPECT_TRUE(is_about(e.evidence.age, 300ms, fine));
}

TEST_F(EvidenceOf, OperatorsEvictionHoldsTheAgeOfTheLastBeat) {
    core.run(300ms);
    core.evict("a");
    EXPECT_TRUE(is_about(last().evidence.age, 300ms, fine));
}

TEST_F(EvidenceOf, UpdateHoldsTheAgeOfTheLastBeat) {
    core.run(300ms);
    engine::Request request = TimedCore::about("a", engine::Request::Kind::update);
    request.endpoint = "10.0.0.2:7000";
    core.ask(std::move(request));
    const Event e = last();
    EXPECT_EQ(e.kind, Event::updated);
    EXPECT_TRUE(is_about(e.evidence.age, 300ms, fine));
}

TEST_F(EvidenceOf, ReplacementHoldsTheAgeOfTheOldLifesLastBeat) {
    core.run(300ms);
    core.replace("a");
    const auto events = core.take_events();
    ASSERT_EQ(lines_of(events), (std::vector<std::string>{"dead a replaced", "joined a join"}));
    EXPECT_TRUE(is_about(events[0].evidence.age, 300ms, fine));
    EXPECT_TRUE(is_about(events[1].evidence.age, 0s, fine));
}

TEST_F(EvidenceOf, ThresholdsAreThoseInForceAtTheJudgement) {
    core.configure({1s, 2s, 4s, 9s, 10ms});
    core.run(2010ms);
    const Event e = last();
    EXPECT_EQ(e.kind, Event::suspect);
    EXPECT_TRUE(is_about(e.evidence.suspect_timeout, 2s, stamp_unit));
    EXPECT_TRUE(is_about(e.evidence.dead_timeout, 4s, stamp_unit));
}

// What is there to compute with, beside the evidence.
TEST_F(EvidenceOf, EventsCarryStreamEpochSequenceAndBothClocks) {
    core.set_wall(wall_origin_us + 77);
    core.advance(5ms);
    core.join("b");
    core.join("c");
    const auto events = core.take_events();
    ASSERT_EQ(events.size(), 2u);
    for (const Event& e : events) {
        EXPECT_EQ(e.stream, core.roster().header().stream.load());
        EXPECT_EQ(e.epoch, 1u);
        EXPECT_EQ(e.at, core.now());
        EXPECT_EQ(e.wall_us, wall_origin_us + 77);
        EXPECT_EQ(e.slot, core.peer(e.node()).slot);
        EXPECT_EQ(e.generation, core.peer(e.node()).generation);
        EXPECT_EQ(e.incarnation, core.peer(e.node()).incarnation);
    }
    EXPECT_EQ(events[0].sequence, Sequence{2});
    EXPECT_EQ(events[1].sequence, Sequence{3});
}

// A peer shows the evidence of what it was last judged by, and since when.
TEST_F(EvidenceOf, PeerTellsSinceWhenAndItsLastHeartbeat) {
    const Instant beat_at = core.now();
    core.run(3100ms);
    const Event e = last();
    const Peer peer = core.peer("a");
    EXPECT_TRUE(is_about(peer.since - beat_at, 3s, 10ms + fine));
    EXPECT_TRUE(is_about(e.at - peer.since, 0s, fine));
    EXPECT_TRUE(is_about(*peer.last_heartbeat - beat_at, 0s, fine));
    EXPECT_EQ(peer.last_event, e.sequence);
    core.beat("a");
    EXPECT_TRUE(is_about(*core.peer("a").last_heartbeat - core.now(), 0s, fine)) << "the word itself, not what was judged";
    core.exit("a");
    EXPECT_FALSE(core.peer("a").last_heartbeat);
}

}  // namespace
}  // namespace rollcall::test
