// Never early, and exactly when: a silence is judged by the first pass that finds it longer than its timeout in whole units of the stamp.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Timeouts {
    Duration suspect, dead, evict;
    Duration phase;  // of the last beat within a stamp's unit
};

class Threshold : public testing::TestWithParam<Timeouts> {
protected:
    // A peer that beat at a moment of that phase, and a pass a scan ever since the engine opened.
    Threshold() : core({.settings = {1s, GetParam().suspect, GetParam().dead, GetParam().evict, 10ms}}) {
        core.join("a");
        core.run(500ms);
        const Instant boundary = to_instant(Stamp{core.now_stamp().value + 1}, core.roster().base_ns());
        core.run(boundary + GetParam().phase - core.now());
        core.beat("a");
        beat_at = core.now();
        core.take();
    }
    void run_until_silent_for(Duration d) { core.run(beat_at + d - core.now()); }

    TimedCore core;
    Instant beat_at;
};
INSTANTIATE_TEST_SUITE_P(Timeouts, Threshold,
                         testing::Values(Timeouts{3s, 5s, 10s, 0ns}, Timeouts{3s, 5s, 10s, 1ns}, Timeouts{3s, 5s, 10s, 8191ns}, Timeouts{3s + 1ns, 5s + 1ns, 10s + 1ns, 4096ns},
                                         Timeouts{stamp_unit * 400'000, stamp_unit * 400'001, stamp_unit * 400'002, 8191ns},
                                         Timeouts{stamp_unit * 400'000 + 1ns, stamp_unit * 400'001 + 1ns, stamp_unit * 400'002 + 1ns, 0ns},
                                         Timeouts{2501ms, 7777777us, 7777778us, 123ns}));

// A nanosecond before its timeout nobody is judged, whatever was rounded; two units of the stamp after it everybody is.
TEST_P(Threshold, IsNeverJudgedEarlyNorMuchLater) {
    run_until_silent_for(GetParam().suspect - 1ns);
    EXPECT_THAT(core.take(), IsEmpty());
    run_until_silent_for(GetParam().suspect + 2 * stamp_unit);
    EXPECT_EQ(core.take().at(0), "suspect a silence");
}

TEST_P(Threshold, IsNeverDeadEarlyNorMuchLater) {
    run_until_silent_for(GetParam().dead - 1ns);
    EXPECT_THAT(core.take(), testing::Not(testing::Contains("dead a silence")));
    run_until_silent_for(GetParam().dead + 2 * stamp_unit);
    EXPECT_THAT(core.take(), testing::Contains("dead a silence"));
}

TEST_P(Threshold, IsNeverEvictedEarlyNorMuchLater) {
    run_until_silent_for(GetParam().evict - 1ns);
    core.take();
    EXPECT_TRUE(core.find("a"));
    run_until_silent_for(GetParam().evict + 2 * stamp_unit);
    core.step();  // an eviction comes at the earliest one commit after the death
    EXPECT_EQ(core.take().back(), "evicted a silence");
    EXPECT_FALSE(core.find("a"));
}

// The rule in the word's own units: silent for longer than the timeout, strictly.
TEST(Thresholds, AreCrossedStrictly) {
    TimedCore core({.settings = {1s, stamp_unit * 200'000, stamp_unit * 300'000, stamp_unit * 400'000, 10ms}});
    core.join("a");
    const Stamp beat = core.now_stamp();
    const auto run_until = [&](std::uint64_t units) { core.run(to_instant(Stamp{beat.value + units}, core.roster().base_ns()) - core.now()); };
    core.take();
    run_until(200'000);
    EXPECT_THAT(core.take(), IsEmpty());
    run_until(200'001);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
    run_until(300'000);
    EXPECT_THAT(core.take(), IsEmpty());
    run_until(300'001);
    EXPECT_THAT(core.take(), ElementsAre("dead a silence"));
    run_until(400'000);
    EXPECT_THAT(core.take(), IsEmpty());
    run_until(400'001);
    EXPECT_THAT(core.take(), ElementsAre("evicted a silence"));
}

// Passes so far apart that one of them finds every timeout exceeded at once.
class WideSteps : public testing::Test {
protected:
    WideSteps() : core({.settings = {10s, 11s, 12s, 13s, 5s}}) {}
    TimedCore core;
};

TEST_F(WideSteps, OnePassOverSeveralThresholdsAnnouncesEachInOrder) {
    core.join("a");
    core.join("b");
    core.take();
    core.step_after(5s);
    core.step_after(5s);
    EXPECT_THAT(core.take(), IsEmpty());
    core.step_after(5s);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence", "dead a silence", "suspect b silence", "dead b silence"));
}

// So that nobody can miss the death: an observer that looks between two steps sees it.
TEST_F(WideSteps, EvictionComesAtTheEarliestOneCommitAfterTheDeath) {
    core.join("a");
    for (int i = 0; i < 3; ++i) core.step_after(5s);
    EXPECT_EQ(core.peer("a").state, State::dead);
    core.take();
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("evicted a silence"));
}

TEST_F(WideSteps, SuspectAndDeadOfOnePassCarryTheirOwnThresholds) {
    core.join("a");
    core.take();
    for (int i = 0; i < 3; ++i) core.step_after(5s);
    const auto events = core.take_events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].state, State::suspect);
    EXPECT_EQ(events[1].state, State::dead);
    EXPECT_NEAR(static_cast<double>(events[0].evidence.age.count()), 15e9, 2e4);
    EXPECT_NEAR(static_cast<double>(events[1].evidence.age.count()), 15e9, 2e4);
    EXPECT_NEAR(static_cast<double>(events[0].evidence.late.count()), 4e9, 2e4);
    EXPECT_NEAR(static_cast<double>(events[1].evidence.late.count()), 3e9, 2e4);
}

// Everybody at once: one after another in the order of their slots, each with all its events.
TEST_F(WideSteps, ManyAreJudgedInTheOrderOfTheirSlots) {
    std::vector<std::string> expected;
    for (int i = 0; i < 40; ++i) core.join("n" + std::to_string(i));
    auto peers = core.peers();
    std::sort(peers.begin(), peers.end(), [](const Peer& a, const Peer& b) { return a.slot < b.slot; });
    for (const Peer& peer : peers) {
        expected.push_back("suspect " + peer.node + " silence");
        expected.push_back("dead " + peer.node + " silence");
    }
    core.take();
    for (int i = 0; i < 3; ++i) core.step_after(5s);
    EXPECT_EQ(core.take(), expected);
}

// A step at the instant of the last one, or before it, sees nothing new and judges nobody.
TEST(Thresholds, TimeThatStandsStillOrRunsBackJudgesNobody) {
    TimedCore core;
    core.join("a");
    core.run(2s);
    core.take();
    for (int i = 0; i < 1000; ++i) core.step();
    core.advance(-500ms);
    for (int i = 0; i < 1000; ++i) core.step();
    EXPECT_THAT(core.take(), IsEmpty());
    core.advance(500ms);
    core.run(1s + 1ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

}  // namespace
}  // namespace rollcall::test
