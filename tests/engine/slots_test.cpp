// Slots: who gets which, how long a freed one rests, and that none is ever lost.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::string number(int i) { return "n" + std::to_string(i); }

// Two processes that beat on one cache line pay for each other: as long as there are lines, they have their own.
TEST(Slots, ProducersHaveCacheLinesOfTheirOwn) {
    TimedCore core({.capacity = 64});
    std::map<std::uint32_t, std::set<std::uint32_t>> lines_of;
    for (std::uint32_t producer = 1; producer <= 4; ++producer)
        for (int i = 0; i < 10; ++i) {
            const auto answer = core.ask(TimedCore::join_request(std::to_string(producer) + "-" + number(i), producer));
            ASSERT_FALSE(answer.error);
            lines_of[producer].insert(answer.slot.value / engine::SlotPool::line);
        }
    std::set<std::uint32_t> all;
    for (const auto& [producer, lines] : lines_of) {
        EXPECT_EQ(lines.size(), 2u);
        all.insert(lines.begin(), lines.end());
    }
    EXPECT_EQ(all.size(), 8u) << "no line is shared";
}

TEST(Slots, LinesAreSharedOnceThereAreNoneLeft) {
    TimedCore core({.capacity = 64});
    std::set<std::uint32_t> slots;
    for (std::uint32_t producer = 1; producer <= 64; ++producer) {
        const auto answer = core.ask(TimedCore::join_request(number(static_cast<int>(producer)), producer));
        ASSERT_FALSE(answer.error) << answer.error->message;
        slots.insert(answer.slot.value);
    }
    EXPECT_EQ(slots.size(), 64u);
}

// Full is full: a clear answer, nobody harmed; and every slot comes back after an eviction, a leave, or a death.
class FullCluster : public testing::TestWithParam<std::uint32_t> {
protected:
    FullCluster() : core({.capacity = GetParam(), .ring = 1024}) {
        for (std::uint32_t i = 0; i < GetParam(); ++i) {
            const auto answer = core.join(number(static_cast<int>(i)));
            if (answer.error) ADD_FAILURE() << answer.error->message;
        }
        core.take();
    }
    TimedCore core;
};
INSTANTIATE_TEST_SUITE_P(Capacity, FullCluster, testing::Values(1, 2, 7, 8, 9, 63, 64, 65));

TEST_P(FullCluster, RefusesOneMoreAndSaysWhy) {
    const auto answer = core.join("one-more");
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::full);
    EXPECT_THAT(answer.error->message, HasSubstr("capacity " + std::to_string(GetParam())));
    EXPECT_TRUE(core.take().empty());
    EXPECT_EQ(core.peers().size(), GetParam());
    EXPECT_FALSE(core.find("one-more"));
}

TEST_P(FullCluster, SlotsComeBackAfterTheirEviction) {
    for (int round = 0; round < 5; ++round) {
        core.run(10100ms);
        EXPECT_TRUE(core.peers().empty());
        core.take();
        for (std::uint32_t i = 0; i < GetParam(); ++i) {
            const auto answer = core.join(number(static_cast<int>(i) + 1000 * round));
            ASSERT_FALSE(answer.error) << answer.error->message;
            EXPECT_EQ(answer.generation.value, round + 2);
        }
        EXPECT_TRUE(core.join("one-more").error);
        core.take();
    }
}

TEST_P(FullCluster, OneThatLeavesMakesRoomForOne) {
    for (int i = 0; i < 50; ++i) {
        const std::string node = core.peers().front().node;
        core.leave(node);
        EXPECT_TRUE(core.join("too-early").error) << "its slot rests for a moment";
        core.advance(2ms);
        EXPECT_FALSE(core.join("again-" + number(i)).error);
        EXPECT_TRUE(core.join("one-more").error);
        core.take();
    }
    EXPECT_EQ(core.peers().size(), GetParam());
}

TEST_P(FullCluster, ReplacementNeedsNoRoom) {
    EXPECT_FALSE(core.replace(number(0)).error);
    core.exit(number(0));
    EXPECT_FALSE(core.join(number(0)).error);
}

// A freed slot rests for max(1 ms, suspect/2^14), so that a writer that stopped in the middle of a beat finds the generation moved on.
struct Rest {
    Duration suspect, rest;
};
class Quarantine : public testing::TestWithParam<Rest> {};
INSTANTIATE_TEST_SUITE_P(Slots, Quarantine, testing::Values(Rest{3s, 1ms}, Rest{15s, 1ms}, Rest{163'840ms, 10ms}));

TEST_P(Quarantine, FreedSlotRests) {
    const Duration suspect = GetParam().suspect;
    TimedCore core({.settings = {1s, suspect, 2 * suspect, 3 * suspect, 10ms}, .capacity = 1});
    const auto first = core.join("a");
    core.leave("a");
    core.advance(GetParam().rest - 2 * stamp_unit);
    EXPECT_TRUE(core.join("b").error);
    core.advance(3 * stamp_unit);
    const auto second = core.join("b");
    ASSERT_FALSE(second.error);
    EXPECT_EQ(second.slot, first.slot);
    EXPECT_EQ(second.generation, shm::next_generation(first.generation));
}

// First in, first out: a generation comes round as late as possible.
TEST(Slots, AreReusedInTheOrderInWhichTheyBecameFree) {
    TimedCore core({.capacity = 8});
    std::map<std::string, Slot> slots;
    const auto join = [&](const std::string& node) { return slots[node] = core.ask(TimedCore::join_request(node, 1)).slot; };
    for (int i = 0; i < 8; ++i) join(number(i));
    for (const int i : {5, 2, 7, 0}) {
        core.leave(number(i));
        core.advance(2ms);
    }
    for (const int i : {5, 2, 7, 0}) EXPECT_EQ(join("again-" + number(i)), slots[number(i)]);
}

// The index must not know a slot's earlier tenants.
TEST(Slots, EarlierTenantsAreNotFound) {
    TimedCore core({.capacity = 4});
    for (int i = 0; i < 400; ++i) {
        ASSERT_FALSE(core.join(number(i)).error);
        EXPECT_FALSE(core.find(number(i - 1)));
        EXPECT_TRUE(core.find(number(i)));
        core.leave(number(i));
        core.advance(2ms);
        core.take();
    }
}

// The embedding program cannot see an answer, as its registrations are queued: the log tells it.
TEST(Slots, RegistrationBeyondTheCapacityIsLogged) {
    TimedEngine engine({.capacity = 2});
    engine.open();
    for (const char* node : {"a", "b", "c"}) ASSERT_TRUE(engine->register_peer(node));
    engine->sync();
    EXPECT_THAT(engine.take_log(), ElementsAre(testing::AllOf(HasSubstr("'c'"), HasSubstr("capacity 2"))));
    engine.advance(1s);
    for (int i = 0; i < 100; ++i) engine.hear("d");
    engine->sync();
    EXPECT_THAT(engine.take_log(), ElementsAre(testing::AllOf(HasSubstr("'d'"), HasSubstr("capacity 2")))) << "once a second";
    EXPECT_EQ(engine->snapshot().size(), 2u);
    ASSERT_TRUE(engine->leave("a"));
    engine.step();
    engine.advance(2ms);
    ASSERT_TRUE(engine->register_peer("c"));
    engine->sync();
    EXPECT_TRUE(engine->find("c"));
}

// What a producer kept for more of its own is anybody's once it is gone.
TEST(Slots, WhatAProducerKeptIsFreeOnceItIsForgotten) {
    TimedCore core({.capacity = 16});
    core.ask(TimedCore::join_request("a", 1));
    core.ask(TimedCore::join_request("b", 2));
    engine::Request forget = TimedCore::about({}, engine::Request::Kind::forget);
    forget.producer = 1;
    core.ask(std::move(forget));
    std::set<std::uint32_t> slots;
    for (int i = 0; i < 14; ++i) {
        const auto answer = core.ask(TimedCore::join_request(number(i), 3));
        ASSERT_FALSE(answer.error) << answer.error->message;
        slots.insert(answer.slot.value);
    }
    EXPECT_EQ(slots.size(), 14u);
    EXPECT_TRUE(core.ask(TimedCore::join_request("one-more", 3)).error);
}

}  // namespace
}  // namespace rollcall::test
