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

}  // namespace
}  // namespace rollcall::test
