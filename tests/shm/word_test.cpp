// The heartbeat word: what a producer and the engine may do to it, and to each other.
#include "shm/word.hpp"

#include <functional>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "shm/layout.hpp"

namespace rollcall::shm {
namespace {

constexpr Generation mine{7};

// A word whose next swap is preceded by whatever the test wants: the producer was stopped between its load and its swap.
class StoppedWord {
public:
    explicit StoppedWord(std::int64_t value) : value_(value) {}

    std::int64_t load(std::memory_order) const noexcept { return value_; }
    bool compare_exchange_weak(std::int64_t& expected, std::int64_t wanted, std::memory_order, std::memory_order) noexcept {
        ++swaps;
        if (meanwhile) std::exchange(meanwhile, nullptr)();
        if (std::exchange(fails_for_no_reason, false)) return false;
        if (value_ == expected) {
            value_ = wanted;
            return true;
        }
        expected = value_;
        return false;
    }
    std::int64_t exchange(std::int64_t value, std::memory_order) noexcept { return std::exchange(value_, value); }

    std::function<void()> meanwhile;
    bool fails_for_no_reason = false;
    int swaps = 0;

private:
    std::int64_t value_;
};

TEST(Word, KeepsStampAndGenerationApart) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const Stamp stamp{random() % stamp_limit};
        const Generation generation{static_cast<std::uint16_t>(random())};
        const std::int64_t word = make_word(stamp, generation);
        ASSERT_GE(word, 0);
        ASSERT_EQ(stamp_of(word), stamp);
        ASSERT_EQ(generation_of(word), generation);
    }
    EXPECT_EQ(stamp_of(make_word(Stamp{stamp_limit - 1}, mine)).value, stamp_limit - 1);
}

// "Silent too long" must be one signed compare, whatever the generation.
TEST(Word, IsBelowAThresholdExactlyIfItsStampIsOlder) {
    std::mt19937_64 random(2);
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t stamp = random() % stamp_limit, near = stamp + random() % 3 - 1;
        const Stamp threshold{std::min(i % 2 == 0 ? near : random() % stamp_limit, stamp_limit - 1)};
        const std::int64_t word = make_word(Stamp{stamp}, Generation{static_cast<std::uint16_t>(random())});
        ASSERT_EQ(word < threshold_word(threshold), stamp < threshold.value) << stamp << ' ' << threshold.value;
    }
}

TEST(Word, AFreeWordIsNeverBelowAThresholdAndADamagedOneAlwaysIs) {
    for (const std::uint64_t threshold : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{123'456'789}, stamp_limit - 1}) {
        const std::int64_t limit = threshold_word(Stamp{threshold});
        EXPECT_FALSE(free_word < limit);
        for (const std::int64_t damaged : {std::int64_t{-1}, INT64_MIN, INT64_MIN + 7, make_word(Stamp{5}, mine) | INT64_MIN}) EXPECT_LT(damaged, limit);
    }
}

TEST(Word, NeverIssuesGeneration0OrThatOfAFreeWord) {
    EXPECT_EQ(generation_of(free_word).value, 0xFFFF);
    Generation g = first_generation;
    std::vector<bool> seen(0x10000, false);
    for (int i = 0; i < 0xFFFE; ++i, g = next_generation(g)) {
        ASSERT_NE(g.value, 0);
        ASSERT_NE(g.value, 0xFFFF);
        ASSERT_FALSE(seen[g.value]) << "came round too early";
        seen[g.value] = true;
    }
    EXPECT_EQ(g, first_generation);
    EXPECT_EQ(next_generation(Generation{0}), first_generation);
    EXPECT_EQ(next_generation(Generation{0xFFFF}), first_generation);
}

TEST(Beat, FollowsTheTable) {
    struct Row {
        const char* what;
        std::int64_t before;
        std::uint64_t now;
        WordBeat answer;
        std::int64_t after;
    };
    const std::int64_t at_50 = make_word(Stamp{50}, mine), of_another = make_word(Stamp{50}, Generation{8});
    const Row rows[] = {
        {"older", at_50, 51, WordBeat::moved, make_word(Stamp{51}, mine)},
        {"the same", at_50, 50, WordBeat::fresh, at_50},
        {"newer", at_50, 49, WordBeat::fresh, at_50},
        {"newer by far", make_word(Stamp{stamp_limit - 1}, mine), 49, WordBeat::fresh, make_word(Stamp{stamp_limit - 1}, mine)},
        {"another generation", of_another, 51, WordBeat::foreign, of_another},
        {"free", free_word, 51, WordBeat::foreign, free_word},
        {"zeros", 0, 51, WordBeat::foreign, 0},
        {"damaged: sign set, generation mine", at_50 | INT64_MIN, 51, WordBeat::foreign, at_50 | INT64_MIN},
    };
    for (const Row& row : rows) {
        Word word(row.before);
        EXPECT_EQ(beat(word, Stamp{row.now}, mine), row.answer) << row.what;
        EXPECT_EQ(word.load(), row.after) << row.what;
    }
}

TEST(Beat, NeverMovesAStampBack) {
    std::mt19937_64 random(3);
    Word word(make_word(Stamp{0}, mine));
    std::uint64_t newest = 0;
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t now = newest > 500 ? newest - 500 + random() % 1'000 : random() % 1'000;
        const WordBeat answer = beat(word, Stamp{now}, mine);
        ASSERT_EQ(answer == WordBeat::moved, now > newest);
        newest = std::max(newest, now);
        ASSERT_EQ(word.load(), make_word(Stamp{newest}, mine));
    }
}

// The producer loads the word and is stopped. Meanwhile the engine takes the slot away and gives it to another, even with the same
// stamp. When the producer goes on, its swap must do nothing.
TEST(Beat, OfAStoppedWriterIsANoOpAfterTheSlotWasReused) {
    for (const std::uint64_t stamp : {std::uint64_t{50}, std::uint64_t{60}, std::uint64_t{10}}) {
        StoppedWord word(make_word(Stamp{50}, mine));
        word.meanwhile = [&] {
            free_by_proof(word);
            activate(word, Stamp{stamp}, next_generation(mine));
        };
        EXPECT_EQ(beat(word, Stamp{60}, mine), WordBeat::foreign);
        EXPECT_EQ(word.load(std::memory_order_relaxed), make_word(Stamp{stamp}, next_generation(mine)));
    }
}

TEST(Beat, OfAStoppedWriterIsANoOpAfterTheSlotWasFreed) {
    StoppedWord word(make_word(Stamp{50}, mine));
    word.meanwhile = [&] { free_by_proof(word); };
    EXPECT_EQ(beat(word, Stamp{60}, mine), WordBeat::foreign);
    EXPECT_EQ(word.load(std::memory_order_relaxed), free_word);
}

// A failed swap is looked at again, never blindly repeated.
TEST(Beat, LooksAgainWhenSomebodyElseBeatMeanwhile) {
    StoppedWord newer(make_word(Stamp{50}, mine));
    newer.meanwhile = [&] { newer.exchange(make_word(Stamp{70}, mine), std::memory_order_relaxed); };
    EXPECT_EQ(beat(newer, Stamp{60}, mine), WordBeat::fresh);
    EXPECT_EQ(newer.load(std::memory_order_relaxed), make_word(Stamp{70}, mine));
    EXPECT_EQ(newer.swaps, 1);

    StoppedWord older(make_word(Stamp{50}, mine));
    older.meanwhile = [&] { older.exchange(make_word(Stamp{55}, mine), std::memory_order_relaxed); };
    EXPECT_EQ(beat(older, Stamp{60}, mine), WordBeat::moved);
    EXPECT_EQ(older.load(std::memory_order_relaxed), make_word(Stamp{60}, mine));
    EXPECT_EQ(older.swaps, 2);
}

TEST(Beat, SurvivesASwapThatFailsForNoReason) {
    StoppedWord word(make_word(Stamp{50}, mine));
    word.fails_for_no_reason = true;
    EXPECT_EQ(beat(word, Stamp{60}, mine), WordBeat::moved);
    EXPECT_EQ(word.load(std::memory_order_relaxed), make_word(Stamp{60}, mine));
}

TEST(Free, TakesTheWordOnlyIfItIsStillTheOneThatWasJudged) {
    const std::int64_t judged = make_word(Stamp{50}, mine);
    Word silent(judged);
    EXPECT_TRUE(free_if_still(silent, judged));
    EXPECT_EQ(silent.load(), free_word);

    Word beaten(judged);
    ASSERT_EQ(beat(beaten, Stamp{60}, mine), WordBeat::moved);
    EXPECT_FALSE(free_if_still(beaten, judged));
    EXPECT_EQ(beaten.load(), make_word(Stamp{60}, mine));
}

TEST(Free, ByProofTakesAnyWord) {
    for (const std::int64_t before : {make_word(Stamp{50}, mine), std::int64_t{-5}, std::int64_t{0}, free_word}) {
        Word word(before);
        free_by_proof(word);
        EXPECT_EQ(word.load(), free_word);
    }
}

// Two threads beat in one generation while the engine takes the slot away and gives it back in the next one, over and over. In each
// generation the engine must never see a stamp move back, and a word that it freed must stay free.
class Contention {
public:
    void run(int lives) {
        std::jthread first([this] { produce(1); }), second([this] { produce(2); });
        Generation generation = first_generation;
        for (int life = 0; life < lives; ++life, generation = next_generation(generation)) live(generation, life % 2 == 0);
        over_.store(true, std::memory_order_relaxed);  // relaxed: the threads only look for the end
    }

private:
    void produce(std::uint64_t stride) {
        for (std::uint64_t now = 1; !over_.load(std::memory_order_relaxed); now += stride)
            beat(word_, Stamp{now}, Generation{generation_.load(std::memory_order_relaxed)});  // relaxed: a stale one is what a stopped writer holds
    }
    void live(Generation generation, bool by_proof) {
        activate(word_, Stamp{0}, generation);
        generation_.store(generation.value, std::memory_order_relaxed);
        std::int64_t seen = word_.load(std::memory_order_acquire);  // [beat]
        for (int look = 0; look < 50; ++look) {
            const std::int64_t next = word_.load(std::memory_order_acquire);  // [beat]
            ASSERT_EQ(generation_of(next), generation);
            ASSERT_GE(next, seen) << "a stamp moved back";
            seen = next;
        }
        if (by_proof) free_by_proof(word_);
        else
            while (!free_if_still(word_, seen)) seen = word_.load(std::memory_order_acquire);  // [beat] it lives: judge again
        for (int look = 0; look < 50; ++look) ASSERT_EQ(word_.load(std::memory_order_acquire), free_word) << "a beat took back a freed word";  // [beat]
    }

    Word word_{free_word};
    std::atomic<std::uint16_t> generation_{0};
    std::atomic<bool> over_{false};
};

TEST(Word, HoldsItsRulesWhileTwoThreadsBeatAndTheEngineTakesItAway) { Contention().run(20'000); }

}  // namespace
}  // namespace rollcall::shm
