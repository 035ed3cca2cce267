// Observed silence: what nobody could have heard counts against nobody.
#include "engine/observed_time.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

constexpr std::uint64_t credit = 100;

// The definition, unit by unit: which units of time were observed.
class PlainTime {
public:
    void look(std::uint64_t now) {
        if (lost_.size() == 1) lost_.resize(now + 1, 0);  // before the first look nothing is known to be lost
        const bool is_blind = last() < blind_until_;
        for (std::uint64_t gap = 1; last() < now; ++gap) lost_.push_back(lost_.back() + (is_blind || gap > credit));
    }
    void lose(std::uint64_t from, std::uint64_t until) {
        blind_until_ = std::max(blind_until_, until);
        for (std::uint64_t t = from; t < last(); ++t) lost_[t + 1] = lost_[t] + 1;
    }
    std::uint64_t lost_since(std::uint64_t since) const { return since < last() ? lost_.back() - lost_[since] : 0; }
    std::uint64_t silence(std::uint64_t since) const { return last() - since - lost_since(since); }

private:
    std::uint64_t last() const { return lost_.size() - 1; }

    std::vector<std::uint64_t> lost_{0};  // [t]: how many units before t were lost
    std::uint64_t blind_until_ = 0;
};

void expect_same_judgements(const ObservedTime& time, const PlainTime& plain, std::uint64_t timeout) {
    const Stamp threshold = time.threshold(timeout);
    for (std::uint64_t stamp = 0; stamp <= time.last_look().value; ++stamp)
        ASSERT_EQ(Stamp{stamp} < threshold, plain.silence(stamp) > timeout) << "stamp " << stamp << ", timeout " << timeout << ", last look " << time.last_look().value;
}

TEST(ObservedTime, ADetectorThatLooksOftenLosesNothing) {
    ObservedTime time;
    for (std::uint64_t now = 1'000; now <= 5'000; now += credit) EXPECT_FALSE(time.look(Stamp{now}, credit).has_value());
    EXPECT_EQ(time.threshold(300), Stamp{4'700});
    EXPECT_EQ(time.lost_since(Stamp{0}), 0u);
    EXPECT_EQ(time.pause_count(), 0u);
}

TEST(ObservedTime, TheFirstLookEndsNoPause) {
    ObservedTime time;
    EXPECT_FALSE(time.look(Stamp{1'000'000}, credit).has_value());
    EXPECT_EQ(time.last_look(), Stamp{1'000'000});
    EXPECT_EQ(time.pause_count(), 0u);
}

// The first half of a heartbeat of a gap counts, the rest is lost.
TEST(ObservedTime, AGapIsAPauseBeyondItsCredit) {
    ObservedTime time;
    time.look(Stamp{1'000}, credit);
    EXPECT_FALSE(time.look(Stamp{1'100}, credit).has_value()) << "exactly the credit";
    const auto shortest = time.look(Stamp{1'201}, credit);
    ASSERT_TRUE(shortest.has_value());
    EXPECT_EQ(*shortest, (Pause{Stamp{1'200}, Stamp{1'201}}));
    const auto pause = time.look(Stamp{5'000}, credit);
    ASSERT_TRUE(pause.has_value());
    EXPECT_EQ(*pause, (Pause{Stamp{1'301}, Stamp{5'000}}));
    EXPECT_EQ(time.pause_count(), 2u);
}

TEST(ObservedTime, TimeThatDoesNotAdvanceIsNoLook) {
    ObservedTime time;
    time.look(Stamp{1'000}, credit);
    EXPECT_FALSE(time.look(Stamp{1'000}, credit).has_value());
    EXPECT_FALSE(time.look(Stamp{10}, credit).has_value());
    EXPECT_EQ(time.last_look(), Stamp{1'000});
}

// A detector that was stopped for ten timeouts judges nobody who was heard right before, and then goes on counting where it stopped.
TEST(ObservedTime, APauseIsNobodysSilence) {
    ObservedTime time;
    time.look(Stamp{10'000}, credit);
    time.look(Stamp{10'100}, credit);
    time.look(Stamp{13'100}, credit);
    EXPECT_EQ(time.lost_since(Stamp{10'000}), 2'900u);
    EXPECT_EQ(time.threshold(300), Stamp{9'900}) << "100 before the pause's credit, 100 of credit, and 100 earlier";
    time.look(Stamp{13'200}, credit);
    EXPECT_EQ(time.threshold(300), Stamp{10'000});
    time.look(Stamp{13'300}, credit);
    time.look(Stamp{13'400}, credit);
    EXPECT_EQ(time.threshold(300), Stamp{10'200}) << "who beat when the pause began has been silent for exactly 300";
    time.look(Stamp{13'401}, credit);
    EXPECT_EQ(time.threshold(300), Stamp{13'101}) << "and now for longer";
}

// A program that was stopped for nine tenths of every second: late in proportion to what it missed, and never more.
TEST(ObservedTime, ADetectorThatIsStoppedMostOfTheTimeStillJudges) {
    ObservedTime time;
    std::uint64_t now = 100'000;
    time.look(Stamp{now}, credit);
    const Stamp beat{now};
    std::uint64_t rounds = 0;
    while (!(beat < time.threshold(3'000)) && rounds < 1'000) {
        now += 1'000;  // the first 100 of them are credited
        time.look(Stamp{now}, credit);
        ++rounds;
    }
    EXPECT_EQ(rounds, 31u) << "3,000 of observed time, at 100 a look, and then longer";
}

// Random looks against the definition: judged is exactly who was silent, as far as anybody observed, for longer than the timeout.
TEST(ObservedTime, JudgesExactlyThoseWhoAreSilentForLonger) {
    for (unsigned seed = 0; seed < 60; ++seed) {
        std::mt19937_64 random(seed);
        ObservedTime time;
        PlainTime plain;
        std::uint64_t now = random() % 500;
        for (int look = 0; look < 25; ++look) {
            now += random() % 4 == 0 ? random() % 900 : random() % (credit + 2);
            time.look(Stamp{now}, credit);
            plain.look(now);
            for (const std::uint64_t timeout : {std::uint64_t{1}, credit, std::uint64_t{250}, std::uint64_t{random() % 2'000}}) expect_same_judgements(time, plain, timeout);
            for (std::uint64_t since = 0; since <= now; since += 1 + random() % 40) ASSERT_EQ(time.lost_since(Stamp{since}), plain.lost_since(since));
            if (HasFatalFailure()) return;
        }
    }
}

// What was silent for too long stays so: as long as no pauses are merged, and nobody takes back what was observed.
TEST(ObservedTime, NoThresholdEverMovesBack) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937_64 random(seed);
        ObservedTime time;
        std::uint64_t now = 0;
        std::array<Stamp, 3> before{};
        while (time.pause_count() < shm::max_pauses) {
            now += random() % 4 == 0 ? random() % 5'000 : random() % 150;
            time.look(Stamp{now}, credit);
            const std::array<Stamp, 3> thresholds{time.threshold(300), time.threshold(500), time.threshold(1'000)};
            for (std::size_t i = 0; i < 3; ++i) ASSERT_GE(thresholds[i], before[i]);
            ASSERT_GE(thresholds[0], thresholds[1]);
            ASSERT_GE(thresholds[1], thresholds[2]);
            before = thresholds;
        }
    }
}

TEST(ObservedTime, ATimeoutLongerThanTimeItselfJudgesNobody) {
    ObservedTime time;
    time.look(Stamp{1'000}, credit);
    EXPECT_EQ(time.threshold(1'000), Stamp{0});
    EXPECT_EQ(time.threshold(1'001), Stamp{0});
    EXPECT_EQ(time.threshold(~std::uint64_t{0} >> 1), Stamp{0});
    EXPECT_EQ(ObservedTime().threshold(5), Stamp{0});
}

TEST(ObservedTime, NothingIsLostAfterTheLastLook) {
    ObservedTime time;
    time.look(Stamp{1'000}, credit);
    time.look(Stamp{9'000}, credit);
    EXPECT_EQ(time.lost_since(Stamp{9'000}), 0u);
    EXPECT_EQ(time.lost_since(Stamp{99'000}), 0u);
    EXPECT_EQ(time.lost_since(Stamp{5'000}), 4'000u) << "within the pause";
}

TEST(ObservedTime, PausesWithNothingObservedInBetweenAreOne) {
    ObservedTime time;
    time.look(Stamp{1'000}, 0);
    time.look(Stamp{2'000}, 0);
    const auto pause = time.look(Stamp{3'000}, 0);
    ASSERT_TRUE(pause.has_value());
    EXPECT_EQ(*pause, (Pause{Stamp{1'000}, Stamp{3'000}}));
    EXPECT_EQ(time.pause_count(), 1u);
}

// When the list is full, pauses are merged: what lay between them may count as lost, so that judgement comes later, never earlier.
TEST(ObservedTime, MoreThan64PausesMergeTowardsLaterJudgement) {
    std::mt19937_64 random(2);
    ObservedTime time;
    PlainTime plain;
    std::uint64_t now = 1'000;
    for (int look = 0; look < 500; ++look) {
        now += random() % 3 == 0 ? credit + 1 + random() % 400 : random() % credit;
        time.look(Stamp{now}, credit);
        plain.look(now);
        ASSERT_LE(time.pause_count(), shm::max_pauses);
        for (std::uint64_t since = 0; since <= now; since += 1 + random() % 20) ASSERT_GE(time.lost_since(Stamp{since}), plain.lost_since(since)) << since;
        for (const std::uint64_t timeout : {300u, 5'000u, 15'000u}) {
            const Stamp threshold = time.threshold(timeout);
            ASSERT_TRUE(threshold.value == 0 || plain.silence(threshold.value - 1) > timeout) << "early";
        }
    }
    EXPECT_EQ(time.pause_count(), shm::max_pauses);
}

// However often it is interrupted, a detector reaches every timeout, also one of a hundred pauses and more.
TEST(ObservedTime, NoTimeoutIsTooLongForADetectorThatIsAlwaysInterrupted) {
    for (const std::uint64_t timeout : {1'000u, 6'400u, 10'000u, 50'000u}) {
        std::mt19937_64 random(timeout);
        ObservedTime time;
        std::uint64_t now = 1'000, looks = 0;
        time.look(Stamp{now}, credit);
        for (; !(Stamp{1'000} < time.threshold(timeout)) && looks < 100'000; ++looks) time.look(Stamp{now += credit + 1 + random() % 100}, credit);
        EXPECT_GT(looks, timeout / credit - 1);
        EXPECT_LT(looks, 3 * timeout / credit) << "late in proportion to what was missed";
    }
}

// Members beat as they were told until they hear of a shorter heartbeat: one old heartbeat before the change and one after it count for nobody.
TEST(ObservedTime, WhatIsLostOnPurposeCountsForNobody) {
    for (unsigned seed = 0; seed < 100; ++seed) {
        std::mt19937_64 random(seed);
        ObservedTime time;
        PlainTime plain;
        std::uint64_t now = 2'000;
        for (int look = 0; look < 30; ++look) {
            now += random() % 4 == 0 ? random() % 900 : 1 + random() % credit;
            time.look(Stamp{now}, credit);
            plain.look(now);
            if (random() % 6 == 0) {
                const std::uint64_t from = now - random() % 1'500, until = now + random() % 1'500;
                time.lose(Stamp{from}, Stamp{until});
                plain.lose(from, until);
            }
            for (std::uint64_t since = 0; since <= now; since += 1 + random() % 40) ASSERT_EQ(time.lost_since(Stamp{since}), plain.lost_since(since)) << since;
            expect_same_judgements(time, plain, 400);
            if (HasFatalFailure()) return;
        }
    }
}

TEST(ObservedTime, AShorterHeartbeatJudgesNobodyByTheOldRhythm) {
    const Duration old_heartbeat = from_stamp_units(1'000);
    ObservedTime time;
    for (std::uint64_t now = 10'000; now <= 20'000; now += credit) time.look(Stamp{now}, credit);
    forgive_old_rhythm(time, old_heartbeat, Stamp{20'000});
    EXPECT_EQ(time.lost_since(Stamp{0}), 1'000u);
    EXPECT_EQ(time.threshold(50), Stamp{18'950}) << "who beat one old heartbeat ago has not been silent at all";
    for (std::uint64_t now = 20'100; now <= 21'000; now += credit) time.look(Stamp{now}, credit);
    EXPECT_EQ(time.threshold(50), Stamp{18'950}) << "nor is what it has not heard yet held against it";
    time.look(Stamp{21'051}, credit);
    EXPECT_EQ(time.threshold(50), Stamp{21'001});
}

// Pauses that no timeout can reach are dropped, and no judgement of any timeout up to the longest changes by it.
TEST(ObservedTime, ForgetsOnlyWhatNoTimeoutCanReach) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937_64 random(seed);
        ObservedTime time;
        std::uint64_t now = 0;
        for (int look = 0; look < 40; ++look) time.look(Stamp{now += random() % 300}, credit);
        ObservedTime less = time;
        const std::uint64_t longest = random() % 4'000;
        less.forget_beyond(longest);
        ASSERT_LE(less.pause_count(), time.pause_count());
        for (std::uint64_t timeout = 0; timeout <= longest; timeout += 13) ASSERT_EQ(less.threshold(timeout), time.threshold(timeout));
        for (std::uint64_t since = time.threshold(longest).value; since <= now; since += 11) ASSERT_EQ(less.lost_since(Stamp{since}), time.lost_since(Stamp{since}));
    }
    ObservedTime old;
    old.look(Stamp{0}, credit);
    old.look(Stamp{5'000}, credit);
    for (std::uint64_t now = 5'100; now <= 9'000; now += credit) old.look(Stamp{now}, credit);
    old.forget_beyond(1'000);
    EXPECT_EQ(old.pause_count(), 0u);
}

// The time between two engines is a pause like any other.
TEST(ObservedTime, ASuccessorGoesOnWhereItsPredecessorStopped) {
    ObservedTime before;
    for (const std::uint64_t now : {1'000u, 1'100u, 3'000u, 3'100u}) before.look(Stamp{now}, credit);
    ObservedTime after(before.pauses().data(), before.pause_count(), before.last_look());
    EXPECT_EQ(after.threshold(300), before.threshold(300));
    const auto pause = after.look(Stamp{50'000}, credit);
    ASSERT_TRUE(pause.has_value());
    EXPECT_EQ(*pause, (Pause{Stamp{3'200}, Stamp{50'000}}));
    EXPECT_EQ(after.threshold(300), Stamp{1'100}) << "100 of credit, 100 before it, and 100 of the credit of the pause before that";
}

TEST(ObservedTime, DamagedPausesAreDropped) {
    const auto pause = [](std::uint64_t begin, std::uint64_t end) { return Pause{Stamp{begin}, Stamp{end}}; };
    const std::vector<Pause> lying_there{pause(100, 200), pause(200, 200), pause(300, 250), pause(150, 400), pause(500, 600), pause(900, 1'001), pause(~0ull, 0), pause(600, 700)};
    const ObservedTime time(lying_there.data(), lying_there.size(), Stamp{1'000});
    ASSERT_EQ(time.pause_count(), 3u);
    EXPECT_EQ(time.pauses()[0], pause(100, 200));
    EXPECT_EQ(time.pauses()[1], pause(500, 600));
    EXPECT_EQ(time.pauses()[2], pause(600, 700));
    const std::vector<Pause> too_many(200, pause(1, 2));
    EXPECT_LE(ObservedTime(too_many.data(), too_many.size(), Stamp{1'000}).pause_count(), shm::max_pauses);
}

}  // namespace
}  // namespace rollcall::engine
