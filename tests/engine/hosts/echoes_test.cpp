// One's own messages on their way through a broker and back.
#include "engine/transports/echoes.hpp"

#include <gtest/gtest.h>

namespace rollcall {
namespace {

using namespace std::chrono_literals;

constexpr Instant begin = instant_from_ns(1'000'000'000'000);

TEST(Echoes, TellUpToWhenTheBrokerBroughtEverything) {
    Echoes echoes;
    EXPECT_EQ(echoes.heard_until(), Instant{});
    echoes.sent(1, begin);
    echoes.sent(2, begin + 1s);
    EXPECT_FALSE(echoes.heard(7, begin)) << "somebody else's, under our name";
    EXPECT_EQ(echoes.heard_until(), Instant{});
    EXPECT_TRUE(echoes.heard(1, begin + 1s));
    EXPECT_EQ(echoes.heard_until(), begin) << "when it was sent, however late it comes";
    EXPECT_FALSE(echoes.heard(1, begin + 1s)) << "once";
    EXPECT_TRUE(echoes.heard(2, begin + 1s));
    EXPECT_EQ(echoes.heard_until(), begin + 1s);
}

TEST(Echoes, WhatWasSentBeforeOneThatCameIsLost) {
    Echoes echoes;
    echoes.sent(1, begin);
    echoes.sent(2, begin + 1s);
    EXPECT_TRUE(echoes.heard(2, begin + 1s));
    EXPECT_FALSE(echoes.is_overdue(begin + 1h)) << "nothing is waited for";
    EXPECT_FALSE(echoes.heard(1, begin + 1s));
    EXPECT_EQ(echoes.heard_until(), begin + 1s) << "and never goes back";
}

TEST(Echoes, AreOverdueAfterOneAndAHalfOfTheTimeBetween) {
    Echoes echoes;
    echoes.sent(1, begin);
    EXPECT_FALSE(echoes.is_overdue(begin + 499ms));
    EXPECT_TRUE(echoes.is_overdue(begin + 501ms));
    echoes.heard(1, begin);
    echoes.sent(2, begin + 2s);
    EXPECT_FALSE(echoes.is_overdue(begin + 5s));
    EXPECT_TRUE(echoes.is_overdue(begin + 5001ms));
}

TEST(Echoes, HavePatienceWithEveryOtherServerTwiceAsLong) {
    Echoes echoes;
    echoes.sent(1, begin);
    echoes.change();
    EXPECT_FALSE(echoes.is_overdue(begin + 1h)) << "that went by the old one";
    echoes.sent(2, begin + 1s);
    EXPECT_FALSE(echoes.is_overdue(begin + 3999ms));
    EXPECT_TRUE(echoes.is_overdue(begin + 4001ms));
    for (int i = 0; i < 100; ++i) echoes.change();
    echoes.sent(3, begin + 2s);
    EXPECT_TRUE(echoes.is_overdue(begin + 2s + 49s)) << "but not for ever";
    for (std::size_t i = 4; i < 200; ++i) {
        echoes.sent(i, begin + std::chrono::seconds(i));
        EXPECT_TRUE(echoes.heard(i, begin + std::chrono::seconds(i)));
    }
    echoes.sent(200, begin + 200s);
    EXPECT_FALSE(echoes.is_overdue(begin + 201s));
    EXPECT_TRUE(echoes.is_overdue(begin + 202s)) << "where it works for a while it is as before";
}

TEST(Echoes, WhoeverIsFarAwayHasTime) {
    Echoes echoes;
    for (std::size_t i = 0; i < 40; ++i) {
        echoes.sent(i, begin + std::chrono::seconds(i));
        echoes.heard(i, begin + std::chrono::seconds(i) + 800ms);
    }
    echoes.sent(99, begin + 40s);
    EXPECT_FALSE(echoes.is_overdue(begin + 43s));
    EXPECT_TRUE(echoes.is_overdue(begin + 43200ms));
}

TEST(Echoes, AChangeBetweenTwoBeatsMakesNobodyHurry) {
    Echoes echoes;
    for (int i = 0; i < 4; ++i) {
        echoes.sent(static_cast<std::size_t>(i), begin + std::chrono::seconds(i));
        echoes.heard(static_cast<std::size_t>(i), begin + std::chrono::seconds(i));
    }
    echoes.sent(9, begin + 3010ms);
    EXPECT_FALSE(echoes.is_overdue(begin + 4s)) << "ten milliseconds after the last beat";
    EXPECT_TRUE(echoes.is_overdue(begin + 5s));
}

TEST(Echoes, OfManyThatNeverCameTheLatestAreKept) {
    Echoes echoes;
    for (std::size_t i = 0; i < 10'000; ++i) echoes.sent(i, begin + std::chrono::milliseconds(i));
    EXPECT_FALSE(echoes.heard(1, begin + 10s));
    EXPECT_TRUE(echoes.heard(9'999, begin + 10s));
}

}  // namespace
}  // namespace rollcall
