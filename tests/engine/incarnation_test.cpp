// Numbers that only grow: incarnations of lives, generations of slots, the view of the membership, counters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Counter;
using testing::ElementsAre;

TEST(Incarnation, IsTheWallClockWhereThatIsGreater) {
    TimedCore core;
    EXPECT_EQ(core.join("a").incarnation, Incarnation{static_cast<std::uint64_t>(wall_origin_us)});
    core.set_wall(wall_origin_us + 500);
    EXPECT_EQ(core.join("b").incarnation, Incarnation{static_cast<std::uint64_t>(wall_origin_us) + 500});
}

TEST(Incarnation, IsOneMoreWhereTheWallClockStandsStill) {
    TimedCore core;
    const Incarnation first = core.join("a").incarnation;
    EXPECT_EQ(core.join("b").incarnation.value, first.value + 1);
    EXPECT_EQ(core.join("c").incarnation.value, first.value + 2);
}

// Whatever the wall clock says, a later life has a greater number; and JSON readers keep it.
class WallClock : public testing::TestWithParam<std::int64_t> {};
INSTANTIATE_TEST_SUITE_P(Incarnation, WallClock,
                         testing::Values(std::int64_t{0}, std::int64_t{-1}, INT64_MIN, std::int64_t{1}, wall_origin_us - 3'600'000'000, (std::int64_t{1} << 52) + 1,
                                         (std::int64_t{1} << 53), INT64_MAX));

TEST_P(WallClock, ThatRunsBackOrIsAbsurdIsNotFollowed) {
    TimedCore core;
    const Incarnation first = core.join("a").incarnation;
    core.set_wall(GetParam());
    EXPECT_EQ(core.replace("a").incarnation.value, first.value + 1);
    EXPECT_LT(core.join("b").incarnation.value, incarnation_limit);
}

TEST_P(WallClock, IsNotNeededAtAll) {
    TimedCore core;
    core.leave("nobody");
    core.set_wall(GetParam());
    const Incarnation first = core.join("a").incarnation;
    EXPECT_GT(first.value, 0u);
    EXPECT_LE(first.value, std::uint64_t{1} << 52);
    EXPECT_EQ(core.join("b").incarnation.value, first.value + 1);
}

TEST(Incarnation, GreatestPlausibleWallClockIsStillBelieved) {
    TimedCore core;
    core.set_wall(std::int64_t{1} << 52);
    EXPECT_EQ(core.join("a").incarnation.value, std::uint64_t{1} << 52);
}

// The lives before are gone without a trace but for this number.
TEST(Incarnation, IsGreaterThanThatOfEveryLifeThatIsGone) {
    TimedCore core;
    core.set_wall(wall_origin_us + 1'000'000);
    const Incarnation gone = core.join("a").incarnation;
    core.leave("a");
    core.set_wall(wall_origin_us);
    EXPECT_GT(core.join("a").incarnation, gone);
    EXPECT_GT(core.join("b").incarnation, gone);
}

// A reply was lost: the process asks again, with its token. The same life, and no event.
TEST(Incarnation, JoinThatIsRepeatedGetsTheSameLife) {
    TimedCore core;
    const auto first = core.ask(TimedCore::join_request("a", 7));
    core.take();
    const auto again = core.ask(TimedCore::join_request("a", 7));
    EXPECT_FALSE(again.error);
    EXPECT_TRUE(first.is_new);
    EXPECT_FALSE(again.is_new);
    EXPECT_EQ(again.incarnation, first.incarnation);
    EXPECT_EQ(again.slot, first.slot);
    EXPECT_EQ(again.generation, first.generation);
    EXPECT_THAT(core.take(), ElementsAre());
    core.exit("a");
    EXPECT_GT(core.ask(TimedCore::join_request("a", 7)).incarnation, first.incarnation) << "that life does not live any more";
}

TEST(Incarnation, RequestAboutAnotherLifeIsRefused) {
    TimedCore core;
    const Incarnation old = core.join("a").incarnation;
    core.replace("a");
    core.take();
    for (const auto kind : {engine::Request::Kind::leave, engine::Request::Kind::exited, engine::Request::Kind::update}) {
        engine::Request request = TimedCore::about("a", kind);
        request.incarnation = old;
        const auto answer = core.ask(std::move(request));
        ASSERT_TRUE(answer.error);
        EXPECT_EQ(answer.error->kind, ErrorKind::replaced);
    }
    EXPECT_THAT(core.take(), ElementsAre());
    EXPECT_EQ(core.peer("a").state, State::alive);
}

// Only its own user or an operator may take an id from its living holder, and only if asked to.
TEST(Incarnation, LivingHolderIsReplacedOnlyByThoseWhoMay) {
    TimedCore core;
    core.join("a");
    engine::Request stranger = TimedCore::join_request("a", 7);
    stranger.process.uid = 2000;
    stranger.may_replace = true;
    const auto refused = core.ask(stranger);
    ASSERT_TRUE(refused.error);
    EXPECT_EQ(refused.error->kind, ErrorKind::held);
    EXPECT_THAT(refused.error->message, testing::HasSubstr("only its own user or an operator may replace it"));
    stranger.is_operator = true;
    EXPECT_FALSE(core.ask(stranger).error);
}

// joined, dead, evicted, left and a dead peer's recovery raise the view by one; suspicions, their end and updates do not.
TEST(View, NumbersTheMembership) {
    TimedCore core;
    std::uint64_t view = core.checkpoint().view;
    const auto raised = [&] { return core.checkpoint().view - std::exchange(view, core.checkpoint().view); };
    core.join("a");
    EXPECT_EQ(raised(), 1u);
    core.run(3100ms);
    EXPECT_EQ(raised(), 0u) << "suspect";
    core.beat("a");
    core.run(10ms);
    EXPECT_EQ(raised(), 0u) << "recovered from a suspicion";
    core.run(5100ms);
    EXPECT_EQ(raised(), 1u) << "dead";
    core.beat("a");
    core.run(10ms);
    EXPECT_EQ(raised(), 1u) << "recovered from a death";
    core.replace("a");
    EXPECT_EQ(raised(), 2u) << "dead, joined";
    core.exit("a");
    EXPECT_EQ(raised(), 1u);
    core.join("a");
    EXPECT_EQ(raised(), 1u) << "only joined: it was dead already";
    core.leave("a");
    EXPECT_EQ(raised(), 1u);
    core.join("b");
    core.evict("b");
    EXPECT_EQ(raised(), 2u);
    core.step_after(20s);
    EXPECT_EQ(raised(), 0u) << "paused";
}

TEST(View, OfAnEventIsThatOfTheMembershipAfterIt) {
    TimedCore core;
    core.join("a");
    core.join("b");
    core.run(5100ms);
    std::uint64_t view = 0;
    for (const Event& e : core.take_events()) {
        view += e.kind != Event::suspect;
        EXPECT_EQ(e.view, view) << line_of(e);
    }
    EXPECT_EQ(core.checkpoint().view, view);
}

TEST(Counters, CountEveryEventOfTheirKind) {
    TimedCore core;
    core.join("a");
    core.join("b");
    core.run(5100ms, {"b"});
    core.beat("a");
    core.run(10ms, {"b"});
    core.run(10200ms, {"b"});
    core.leave("b");
    core.join("c");
    core.replace("c");
    core.exit("c");
    core.evict("c");
    EXPECT_EQ(core.counter(Counter::joined), 4u);
    EXPECT_EQ(core.counter(Counter::suspected), 2u);
    EXPECT_EQ(core.counter(Counter::dead), 4u);
    EXPECT_EQ(core.counter(Counter::recovered), 1u);
    EXPECT_EQ(core.counter(Counter::evicted), 2u);
    EXPECT_EQ(core.counter(Counter::left), 1u);
    EXPECT_EQ(core.counter(Counter::pauses), 0u);
}

// Every heartbeat that came by a transport counts, those of words do not. What was counted stays counted.
TEST(Counters, HeartbeatsReceivedNeverGoDown) {
    TimedEngine engine;
    engine.open();
    for (std::uint64_t i = 1; i <= 20; ++i) {
        engine.hear("a");
        EXPECT_EQ(engine->counters().heartbeats_received, i);
        engine.step_after(10ms);
        EXPECT_EQ(engine->counters().heartbeats_received, i) << "after the step";
    }
}

// A slot's generation goes 1, 2, 3 … and comes round without ever being 0 or 0xFFFF, which free and lost words carry.
TEST(Generation, ComesRoundWithoutTheTwoThatMeanNothing) {
    TimedCore core({.ring = 64});
    const auto first = core.join("a");
    EXPECT_EQ(first.generation, shm::first_generation);
    std::uint16_t expected = 1;
    for (int i = 0; i < 70'000; ++i) {
        expected = expected == 0xFFFE ? 1 : static_cast<std::uint16_t>(expected + 1);
        const auto answer = core.replace("a");
        ASSERT_EQ(answer.slot, first.slot);
        ASSERT_EQ(answer.generation.value, expected);
    }
}

}  // namespace
}  // namespace rollcall::test
