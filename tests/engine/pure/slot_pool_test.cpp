// Which slot the next peer gets: lines of one's own as long as there are lines, first in first out, and a rest before reuse.
#include "engine/slot_pool.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

constexpr std::uint64_t rest = 10;
constexpr std::uint32_t line = SlotPool::line;

// Takes one that must be there.
std::uint32_t taken(SlotPool& pool, ProducerId producer, std::uint64_t now = 1'000) {
    const auto slot = pool.take(producer, Stamp{now}, rest);
    EXPECT_TRUE(slot.has_value());
    return slot ? slot->value : no_slot.value;
}

TEST(SlotPool, AProducerFillsALineOfItsOwn) {
    SlotPool pool(64, 0);
    for (std::uint32_t i = 0; i < line; ++i) {
        EXPECT_EQ(taken(pool, 1), i);
        EXPECT_EQ(taken(pool, 2), line + i);
    }
    EXPECT_EQ(taken(pool, 1), 2 * line);
    EXPECT_EQ(pool.high_water(), 2 * line + 1);
}

TEST(SlotPool, ProducersShareLinesOnlyWhenThereAreNoMore) {
    SlotPool pool(4 * line, 0);
    std::map<std::uint32_t, ProducerId> line_of;
    for (ProducerId producer = 1; producer <= 4; ++producer) line_of[taken(pool, producer) / line] = producer;
    EXPECT_EQ(line_of.size(), 4u) << "four producers, four lines";
    EXPECT_NE(taken(pool, 5), no_slot.value) << "the fifth gets what was kept for another";
}

// Whoever comes, as long as any slot is free, it is given: what is kept for others is the last resort, but it is one.
TEST(SlotPool, HandsOutEverySlotOnce) {
    for (const std::uint32_t capacity : {1u, 7u, 8u, 9u, 63u, 64u, 100u}) {
        SlotPool pool(capacity, 0);
        std::set<std::uint32_t> seen;
        for (std::uint32_t i = 0; i < capacity; ++i) seen.insert(taken(pool, i % 13));
        EXPECT_EQ(seen.size(), capacity);
        EXPECT_LT(*seen.rbegin(), capacity);
        EXPECT_FALSE(pool.take(1, Stamp{1'000'000}, rest).has_value()) << "it is full";
    }
}

TEST(SlotPool, AFreedSlotRestsBeforeItIsReused) {
    SlotPool pool(1, 0);
    EXPECT_EQ(taken(pool, 1, 100), 0u);
    pool.release(Slot{0}, Stamp{100});
    for (std::uint64_t now = 100; now < 100 + rest; ++now) EXPECT_FALSE(pool.take(1, Stamp{now}, rest).has_value()) << now;
    EXPECT_EQ(taken(pool, 1, 100 + rest), 0u);
}

TEST(SlotPool, FreedSlotsAreReusedFirstInFirstOut) {
    SlotPool pool(line, 0);
    for (std::uint32_t i = 0; i < line; ++i) taken(pool, 1, 100);
    const std::uint32_t order[] = {5, 2, 7, 0};
    for (std::uint64_t i = 0; i < 4; ++i) pool.release(Slot{order[i]}, Stamp{200 + i});
    for (const std::uint32_t expected : order) EXPECT_EQ(taken(pool, 9, 1'000), expected);
    EXPECT_FALSE(pool.take(9, Stamp{1'000}, rest).has_value());
}

// A line all of whose slots became free is somebody's own again.
TEST(SlotPool, AnIdleLineGoesToOneProducerAsAWhole) {
    SlotPool pool(2 * line, 0);
    for (std::uint32_t i = 0; i < 2 * line; ++i) taken(pool, 1, 100);
    for (std::uint32_t i = 0; i < line; ++i) pool.release(Slot{line + i}, Stamp{200 + i});
    EXPECT_FALSE(pool.take(2, Stamp{200 + line - 1 + rest - 1}, rest).has_value()) << "its latest slot still rests";
    for (std::uint32_t i = 0; i < line; ++i) EXPECT_EQ(taken(pool, 2, 1'000), line + i);
}

TEST(SlotPool, WhatWasKeptForAProducerThatIsGoneIsAnybodys) {
    SlotPool pool(2 * line, 0);
    taken(pool, 1);
    taken(pool, 2);
    pool.forget(1);
    pool.forget(77);  // nobody
    std::set<std::uint32_t> seen;
    for (std::uint32_t i = 0; i < 2 * line - 2; ++i) seen.insert(taken(pool, 2));
    EXPECT_EQ(seen.size(), 2 * line - 2u);
    EXPECT_FALSE(seen.contains(0));
}

// A process that joins, leaves and disconnects as fast as it can must not turn one slot's generation round as fast.
TEST(SlotPool, ForgettingAProducerDoesNotShortenTheRestOfItsSlots) {
    SlotPool pool(line, 0);
    const std::uint32_t slot = taken(pool, 1, 100);
    pool.release(Slot{slot}, Stamp{100});
    pool.forget(1);
    for (std::uint64_t now = 100; now < 100 + rest; ++now) {
        const auto next = pool.take(2, Stamp{now}, rest);
        EXPECT_FALSE(next && next->value == slot) << "after " << now - 100;
        if (next) pool.release(*next, Stamp{now});
    }
}

// What a producer leaves behind unused is not refused to others because freed slots rest.
TEST(SlotPool, WhatWasNeverUsedIsThereWhileFreedSlotsRest) {
    SlotPool pool(2 * line, 0);
    const std::uint32_t mine = taken(pool, 1, 100);
    const std::uint32_t freed = taken(pool, 2, 100);
    while (pool.take(2, Stamp{100}, rest)->value % line != line - 1) {}
    pool.release(Slot{freed}, Stamp{100});
    pool.forget(1);
    for (std::uint32_t i = 1; i < line; ++i) {
        const auto next = pool.take(3, Stamp{100}, rest);
        ASSERT_TRUE(next.has_value()) << i;
        EXPECT_EQ(next->value / line, mine / line);
    }
    EXPECT_FALSE(pool.take(3, Stamp{100}, rest).has_value()) << "the freed one rests";
}

// A successor knows the high-water mark and which of the slots below are free, oldest first.
TEST(SlotPool, ASuccessorReusesFreeSlotsInTheOrderInWhichTheyBecameFree) {
    constexpr std::uint32_t capacity = 3 * line, high_water = 2 * line + 3;
    SlotPool pool(capacity, high_water);
    for (const std::uint32_t free : {12u, 3u, 9u}) pool.release(Slot{free}, Stamp{1});
    EXPECT_EQ(pool.high_water(), high_water);
    std::vector<std::uint32_t> order;
    while (const auto slot = pool.take(1, Stamp{1'000}, rest)) order.push_back(slot->value);
    const std::vector<std::uint32_t> expected{19, 20, 21, 22, 23, 12, 3, 9};
    EXPECT_EQ(order, expected) << "first what was never used, then what was freed, first in first out";
}

TEST(SlotPool, ASuccessorOfAFullRosterHasNothingToGive) {
    for (const std::uint32_t capacity : {1u, 8u, 13u}) {
        SlotPool pool(capacity, capacity);
        EXPECT_FALSE(pool.take(1, Stamp{1'000'000}, rest).has_value());
        pool.release(Slot{0}, Stamp{1});
        EXPECT_EQ(taken(pool, 1), 0u);
    }
}

// Random joins, leaves and disconnections against the simplest books: nobody gets a slot that is taken, nobody one that still rests, and
// nobody is refused for longer than the rest of the last one that was freed.
class RandomUse {
public:
    RandomUse(std::uint32_t capacity, unsigned seed) : capacity_(capacity), pool_(capacity, 0), random_(seed) {}

    void step() {
        now_ += random_() % 4;
        const auto what = random_() % 10;
        if (what < 5) take();
        else if (what < 9 && !taken_.empty()) release();
        else pool_.forget(random_() % producers);
    }

private:
    static constexpr std::uint64_t producers = 5;

    void take() {
        const auto slot = pool_.take(random_() % producers, Stamp{now_}, rest);
        ASSERT_TRUE(slot.has_value() || taken_.size() == capacity_ || something_rests()) << "refused, though one was free";
        if (!slot) return;
        ASSERT_LT(slot->value, capacity_);
        ASSERT_TRUE(taken_.insert(slot->value).second) << "slot " << slot->value << " is taken";
        ASSERT_TRUE(!freed_at_.contains(slot->value) || now_ - freed_at_[slot->value] >= rest) << "slot " << slot->value << " still rests";
        ASSERT_LT(slot->value, pool_.high_water());
    }
    void release() {
        const auto it = std::next(taken_.begin(), static_cast<std::ptrdiff_t>(random_() % taken_.size()));
        freed_at_[*it] = now_;
        pool_.release(Slot{*it}, Stamp{now_});
        taken_.erase(it);
    }
    // First in, first out: as long as one rests, those behind it may have to wait as well.
    bool something_rests() const {
        return std::any_of(freed_at_.begin(), freed_at_.end(), [&](const auto& freed) { return !taken_.contains(freed.first) && now_ - freed.second < rest; });
    }

    std::uint32_t capacity_;
    SlotPool pool_;
    std::mt19937_64 random_;
    std::uint64_t now_ = 1'000;
    std::set<std::uint32_t> taken_;
    std::map<std::uint32_t, std::uint64_t> freed_at_;
};

TEST(SlotPool, KeepsItsRulesUnderRandomUse) {
    for (const std::uint32_t capacity : {1u, 3u, 8u, 12u, 40u})
        for (unsigned seed = 0; seed < 20; ++seed) {
            RandomUse use(capacity, seed);
            for (int i = 0; i < 2'000; ++i) {
                use.step();
                if (HasFatalFailure()) return;
            }
        }
}

}  // namespace
}  // namespace rollcall::engine
