// Silence is observed silence: time in which the detector did not look counts against nobody.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Counter;
using testing::ElementsAre;
using testing::IsEmpty;

class LostTime : public testing::Test {
protected:
    LostTime() {
        core.join("a");
        core.take();
    }
    TimedCore core;
};

// Half a heartbeat of each gap is credited: a step that comes so late loses nothing.
TEST_F(LostTime, GapOfHalfAHeartbeatIsNoPause) {
    for (int i = 0; i < 6; ++i) core.step_after(500ms);
    EXPECT_THAT(core.take(), IsEmpty());
    core.step_after(1ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
    EXPECT_EQ(core.counter(Counter::pauses), 0u);
}

TEST_F(LostTime, LongerGapIsAPauseAndCountedOnce) {
    core.step_after(500ms + 2 * stamp_unit);
    EXPECT_EQ(core.counter(Counter::pauses), 1u);
    EXPECT_EQ(core.checkpoint().pause_count, 1u);
    core.step_after(10ms);
    EXPECT_EQ(core.counter(Counter::pauses), 1u);
}

// From a third of the suspect timeout on it is worth an event, which tells its whole length.
TEST_F(LostTime, PauseIsAnEventFromAThirdOfTheSuspectTimeoutOn) {
    core.step_after(1s - 2 * stamp_unit);
    EXPECT_THAT(core.take(), IsEmpty());
    core.beat("a");
    core.step_after(1s + stamp_unit);
    const auto events = core.take_events();
    ASSERT_EQ(lines_of(events), std::vector<std::string>{"paused"});
    EXPECT_NEAR(static_cast<double>(events[0].length.count()), 1e9, 2.0 * static_cast<double>(stamp_unit.count()));
    EXPECT_EQ(events[0].at, core.now());
    EXPECT_EQ(core.counter(Counter::pauses), 2u);
}

// The detector is stopped for twice the dead timeout while everybody beats: one pause of that length, no judgement. Beats that were
// missed on the way are not needed: the last one may lie before the pause.
TEST_F(LostTime, PauseOfTwiceTheDeadTimeoutJudgesNobody) {
    core.join("b");
    core.run(900ms, {"a", "b"});
    core.take();
    core.step_after(10s);
    const auto events = core.take_events();
    ASSERT_EQ(lines_of(events), std::vector<std::string>{"paused"});
    EXPECT_NEAR(static_cast<double>(events[0].length.count()), 10e9, 1e5);
    core.run(2s);
    EXPECT_THAT(core.take(), IsEmpty()) << "half a second of the pause and two seconds were observed";
    core.run(510ms, {"b"});
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

TEST_F(LostTime, ProofIsNotDelayedByAPause) {
    core.join("b");
    core.take();
    core.advance(10s);
    core.put(TimedCore::about("a", engine::Request::Kind::exited));
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("dead a process_exit", "paused"));
}

// Somebody who was silent long before the pause is judged when the rest of its timeout has been observed, no sooner, no later.
TEST_F(LostTime, PauseOnlyShiftsTheThreshold) {
    core.run(2900ms);
    core.step_after(400ms);  // no pause: 300 ms too late, and seen
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
    core.step_after(20s);
    EXPECT_THAT(core.take(), ElementsAre("paused"));
    core.run(5s - 3300ms - 500ms - 1ms);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(2ms);
    EXPECT_THAT(core.take(), ElementsAre("dead a silence"));
}

// A beat inside a pause: of the pause only what comes after it is lost on it.
TEST_F(LostTime, BeatInsideAPauseIsNotOlderThanThePause) {
    core.run(100ms);
    core.advance(5s);
    core.beat("a");
    core.advance(5s);
    core.step();
    core.take();
    core.run(2999ms);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(2ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

// Stopped for 90 % of every second: a true silence is found within twice its timeout, and never before it.
class MostlyStopped : public testing::TestWithParam<Duration> {};
INSTANTIATE_TEST_SUITE_P(LostTime, MostlyStopped, testing::Values(0ms, 37ms, 100ms, 450ms, 999ms));

TEST_P(MostlyStopped, EngineStillFindsATrueSilenceWithinTwiceTheTimeout) {
    TimedCore core;
    core.join("healthy");
    core.join("a");
    core.run(GetParam());
    core.beat("a");
    const Instant last_beat = core.now();
    std::vector<Event> events;
    while (core.now() < last_beat + 30s) {
        core.beat("healthy");
        core.step_after(900ms);
        for (int i = 0; i < 10; ++i) core.step_after(10ms);
        for (const Event& e : core.take_events())
            if (e.kind != Event::paused && e.kind != Event::joined) events.push_back(e);
    }
    ASSERT_EQ(lines_of(events), (std::vector<std::string>{"suspect a silence", "dead a silence", "evicted a silence"}));
    const Duration timeouts[]{3s, 5s, 10s};
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_GE(events[i].at - last_beat, timeouts[i]);
        EXPECT_LE(events[i].at - last_beat, 2 * timeouts[i]);
    }
}

// The list holds 64 pauses. With more of them two become one, and who beat between those two is judged later than it deserves, never earlier;
// and however often the detector is stopped, every silence is found in the end. Timeouts that reach further back than 64 pauses show it.
class ManyPauses : public testing::TestWithParam<int> {
protected:
    static constexpr Duration credit = 6000 * stamp_unit, gap = 3 * credit;  // of each gap a third is observed
    static constexpr Duration suspect = 120 * credit, dead = 130 * credit, evict = 140 * credit;
    ManyPauses() : core({.settings = {2 * credit, suspect, dead, evict, 10ms}}) { core.join("a"); }
    // So many steps, a gap apart; the last beat comes right after the last of them.
    void beat_for(int steps) {
        for (int i = 0; i < steps; ++i) {
            core.step_after(gap);
            core.beat("a");
        }
    }
    TimedCore core;
};
INSTANTIATE_TEST_SUITE_P(LastBeat, ManyPauses, testing::Values(0, 1, 7, 30, 63, 64, 65, 90, 200));

TEST_P(ManyPauses, MergeTowardsLaterJudgementAndNeverEndIt) {
    beat_for(GetParam());
    Duration observed{};
    while (core.peer("a").state == State::alive && observed < 10 * suspect) {
        core.step_after(gap);
        observed += credit;
    }
    EXPECT_GT(core.checkpoint().pause_count, shm::max_pauses / 2);
    EXPECT_GT(observed, suspect);
    EXPECT_LE(observed, 2 * suspect);
}

TEST_P(ManyPauses, DoNotTouchTheJudgementOfWhoBeatAfterThem) {
    beat_for(GetParam());
    core.take();
    core.run(suspect);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(stamp_unit);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

// Whatever is forgotten for want of room, nobody recovers without a beat: a silence goes on to its end, in order.
TEST_P(ManyPauses, NeverAnnounceARecoveryWithoutABeat) {
    std::mt19937 random(static_cast<unsigned>(GetParam()));
    beat_for(GetParam());
    std::vector<std::string> said;
    for (int i = 0; i < 3000 && core.find("a"); ++i) {
        core.step_after(random() % 3 == 0 ? gap : from_stamp_units(1000 + random() % 30'000));
        for (const Event& e : core.take_events())
            if (e.kind != Event::paused && e.kind != Event::joined) said.push_back(line_of(e));
    }
    EXPECT_THAT(said, ElementsAre("suspect a silence", "dead a silence", "evicted a silence"));
}

// As long as 64 are enough, they are exact: whole units of the stamp, and strictly more than the timeout.
TEST(LostTimes, SixtyFourPausesAreExact) {
    constexpr Duration credit = 6000 * stamp_unit, gap = 3 * credit;
    TimedCore core({.settings = {2 * credit, 62 * credit, 7s, 8s, 10ms}});
    core.join("a");
    core.take();
    for (int i = 0; i < 62; ++i) core.step_after(gap);
    EXPECT_EQ(core.checkpoint().pause_count, 62u);
    EXPECT_THAT(core.take(), IsEmpty());
    core.step_after(stamp_unit);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

TEST_F(LostTime, TimeBeforeTheFirstPassIsNotObserved) {
    TimedEngine engine;
    ASSERT_TRUE(engine->open());
    ASSERT_TRUE(engine->register_peer("a"));
    engine->sync();
    engine.step_after(100s);
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered", "paused"));
    engine.run(3s - 500ms - 10ms);
    EXPECT_THAT(engine.take(), IsEmpty());
    engine.run(20ms);
    EXPECT_THAT(engine.take(), ElementsAre("suspect a silence"));
}

}  // namespace
}  // namespace rollcall::test
