// A pass may tell a quarter of the ring and no more. Whoever makes more of it than that takes nothing from the others.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

// Forty whose words somebody moves back and forth before each pass, one half when the other is old, and, in slots behind theirs, four that are
// silent in earnest. A pass has room for sixteen events: the restless alone need more, at every pass.
TEST(Budget, WhoeverIsLeftOfOnePassComesFirstInTheNext) {
    constexpr int restless = 40, silent = 4;
    TimedCore core({.ring = 64});
    std::vector<Slot> slots;
    for (int i = 0; i < restless + silent; ++i) slots.push_back(core.register_peer("n" + std::to_string(i)).slot);
    ASSERT_TRUE(std::is_sorted(slots.begin(), slots.end()));
    core.take();
    std::vector<std::string> said;
    for (int pass = 0; pass < 400; ++pass) {
        core.advance(10ms);
        for (int i = 0; i < restless; ++i) {
            const bool is_old = (pass + i / (restless / 2)) % 2 == 1 && core.now() - origin > 3s;
            const Stamp stamp{is_old ? 1 : core.now_stamp().value};
            core.set_word(slots[static_cast<std::size_t>(i)], shm::make_word(stamp, shm::first_generation));
        }
        core.step();
        for (const std::string& line : core.take()) said.push_back(line);
        if (core.now() - origin > 3200ms) break;  // twenty passes after the timeout
    }
    EXPECT_GT(said.size(), 100u) << "the budget was used up";
    for (int i = restless; i < restless + silent; ++i) EXPECT_THAT(said, testing::Contains("suspect n" + std::to_string(i) + " silence"));
}

// Nine whose silence is beyond every timeout when it is first seen, of whom one pass has room to suspect and bury eight. The pass that buries the ninth goes around
// to the first eight, and evicts them: but not the ninth, whose death nobody could have seen yet.
TEST(Budget, NobodyIsEvictedInThePassThatFoundItDead) {
    constexpr int peers = 9;
    TimedCore core({.ring = 64});
    std::vector<Slot> slots;
    for (int i = 0; i < peers; ++i) slots.push_back(core.register_peer("n" + std::to_string(i)).slot);
    const auto all_at = [&](Stamp stamp) {
        for (const Slot slot : slots) core.set_word(slot, shm::make_word(stamp, shm::first_generation));
    };
    while (core.now() - origin < 12s) {
        core.advance(10ms);
        all_at(core.now_stamp());
        core.step();
    }
    core.take();
    all_at(Stamp{1});
    std::size_t evicted = 0;
    for (int pass = 0; pass < 10; ++pass) {
        core.advance(10ms);
        core.step();
        const auto said = core.take();
        for (int i = 0; i < peers; ++i) {
            const std::string node = " n" + std::to_string(i) + " silence";
            const bool died = std::count(said.begin(), said.end(), "dead" + node) != 0, went = std::count(said.begin(), said.end(), "evicted" + node) != 0;
            EXPECT_FALSE(died && went) << node << " in pass " << pass;
            evicted += went;
        }
    }
    EXPECT_EQ(evicted, static_cast<std::size_t>(peers));
}

}  // namespace
}  // namespace rollcall::test
