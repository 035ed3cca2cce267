// Guards: when one holds its member's beats back, and that a beat may look while they come and go.
#include "engine/client/guard_board.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "shm/stall.hpp"

namespace rollcall {
namespace {

using namespace std::chrono_literals;

const Instant start{1000s};

std::string late(const GuardBoard& board, Instant now) {
    const GuardCell* cell = board.overrun(now);
    return cell == nullptr ? "" : cell->name.load();
}

TEST(Guards, HoldNobodyBackBeforeTheirBudgetIsOver) {
    const auto board = std::make_shared<GuardBoard>();
    EXPECT_EQ(board->overrun(start), nullptr);
    const Guard guard = board->take(200ms, "journal", start);
    EXPECT_EQ(late(*board, start + 200ms), "");
    EXPECT_EQ(late(*board, start + 200ms + 1ns), "journal");
    EXPECT_EQ(late(*board, start - 1s), "") << "a clock read earlier";
}

TEST(Guards, NameTheOneThatIsOverForLongest) {
    const auto board = std::make_shared<GuardBoard>();
    const Guard slow = board->take(5s, "slow", start), quick = board->take(1s, "quick", start + 1s);
    EXPECT_EQ(late(*board, start + 2s), "");
    EXPECT_EQ(late(*board, start + 3s), "quick");
    EXPECT_EQ(late(*board, start + 100s), "quick");
    const Guard old = board->take(1s, "old", start);
    EXPECT_EQ(late(*board, start + 100s), "old");
}

TEST(Guards, ExpectNothingAtRestNorAfterTheirEnd) {
    const auto board = std::make_shared<GuardBoard>();
    {
        Guard guard = board->take(1s, "a", start);
        guard.rest();
        EXPECT_EQ(late(*board, start + 100s), "");
        guard.progress();  // by the real clock, from now on
        EXPECT_EQ(late(*board, std::chrono::steady_clock::now() + 100s), "a");
        const Guard moved = std::move(guard);
        EXPECT_EQ(late(*board, std::chrono::steady_clock::now() + 100s), "a") << "it is the same one";
    }
    EXPECT_EQ(late(*board, std::chrono::steady_clock::now() + 100s), "");
}

// A loop that makes a guard each time must not make memory each time.
TEST(Guards, TakeThePlacesOfThoseThatAreGone) {
    const auto board = std::make_shared<GuardBoard>();
    const GuardCell* first = nullptr;
    for (int i = 0; i < 3; ++i) {
        const Guard guard = board->take(1ms, "a", start);
        const GuardCell* cell = board->overrun(start + 1s);
        EXPECT_TRUE(first == nullptr || cell == first);
        first = cell;
    }
}

TEST(Guards, MayOutliveTheirBoard) {
    auto board = std::make_shared<GuardBoard>();
    Guard guard = board->take(1s, "a", start);
    board.reset();
    guard.progress();
}

// Four threads make, feed and end guards that are never late, while a fifth looks as beats do: none is ever seen late. Under TSan it is also
// seen that nothing races.
TEST(Guards, ComeAndGoWhileABeatLooks) {
    const auto board = std::make_shared<GuardBoard>();
    std::atomic<bool> ends{false};
    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i)
        workers.emplace_back([&] {
            for (int round = 0; round < 3000; ++round) {
                Guard guard = board->take(1h, "worker", std::chrono::steady_clock::now());
                guard.progress();
                if (round % 3 == 0) guard.rest();
            }
        });
    std::thread beat([&] {
        while (!ends.load()) EXPECT_EQ(board->overrun(std::chrono::steady_clock::now()), nullptr);
    });
    for (std::thread& worker : workers) worker.join();
    ends.store(true);
    beat.join();
}

TEST(StallNotes, KeepNamesThatFitAndCutOthersAtAWholeCharacter) {
    shm::StallName name{};
    for (const char* text : {"", "journal", "thirty-nine bytes are the longest name.", "écrire"}) {
        name.store(text);
        EXPECT_EQ(name.load(), text);
    }
    name.store("thirty-eight and a half are cut here..é and more");
    EXPECT_EQ(name.load(), "thirty-eight and a half are cut here..");
}

// The card is memory that any member can write.
TEST(StallNotes, BelieveNothing) {
    shm::Card card{};
    const std::uint64_t member = shm::stall_member(Slot{7}, Generation{3});
    EXPECT_FALSE(shm::load_stall(card, member));
    shm::StallName name{};
    name.store("journal");
    shm::write_stall(card, member, 5, 6, name);
    ASSERT_TRUE(shm::load_stall(card, member));
    EXPECT_EQ(shm::load_stall(card, member)->guard, "journal");
    EXPECT_FALSE(shm::load_stall(card, shm::stall_member(Slot{7}, Generation{4}))) << "another life's";
    card.stall_name[0].store(~std::uint64_t{0});
    EXPECT_EQ(shm::load_stall(card, member)->guard, "");
    card.stall_name[0].store(0x0A'0A'0A'0A'0A'0A'0A'03);
    EXPECT_EQ(shm::load_stall(card, member)->guard, "") << "control characters";
    card.stall_budget_ns.store(~std::uint64_t{0});
    EXPECT_FALSE(shm::load_stall(card, member));
    card.stall_budget_ns.store(1);
    shm::clear_stall(card, shm::stall_member(Slot{8}, Generation{3}));
    EXPECT_TRUE(shm::load_stall(card, member)) << "somebody else's note";
    shm::clear_stall(card, member);
    EXPECT_FALSE(shm::load_stall(card, member));
}

}  // namespace
}  // namespace rollcall
