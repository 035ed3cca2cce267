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
    EXPECT_FALSE(echoes.heard(7)) << "somebody else's, under our name";
    EXPECT_EQ(echoes.heard_until(), Instant{});
    EXPECT_TRUE(echoes.heard(1));
    EXPECT_EQ(echoes.heard_until(), begin) << "when it was sent, however late it comes";
    EXPECT_FALSE(echoes.heard(1)) << "once";
    EXPECT_TRUE(echoes.heard(2));
    EXPECT_EQ(echoes.heard_until(), begin + 1s);
}

TEST(Echoes, WhatWasSentBeforeOneThatCameIsLost) {
    Echoes echoes;
    echoes.sent(1, begin);
    echoes.sent(2, begin + 1s);
    EXPECT_TRUE(echoes.heard(2));
    EXPECT_FALSE(echoes.is_overdue(begin + 1h)) << "nothing is waited for";
    EXPECT_FALSE(echoes.heard(1));
    EXPECT_EQ(echoes.heard_until(), begin + 1s) << "and never goes back";
}

TEST(Echoes, AreOverdueAfterOneAndAHalfOfTheTimeBetween) {
    Echoes echoes;
    echoes.sent(1, begin);
    EXPECT_FALSE(echoes.is_overdue(begin + 499ms));
    EXPECT_TRUE(echoes.is_overdue(begin + 501ms));
    echoes.heard(1);
    echoes.sent(2, begin + 2s);
    EXPECT_FALSE(echoes.is_overdue(begin + 5s));
    EXPECT_TRUE(echoes.is_overdue(begin + 5001ms));
    echoes.forget();
    EXPECT_FALSE(echoes.is_overdue(begin + 1h));
}

TEST(Echoes, OfManyThatNeverCameTheLatestAreKept) {
    Echoes echoes;
    for (std::size_t i = 0; i < 10'000; ++i) echoes.sent(i, begin + std::chrono::milliseconds(i));
    EXPECT_FALSE(echoes.heard(1));
    EXPECT_TRUE(echoes.heard(9'999));
}

}  // namespace
}  // namespace rollcall
