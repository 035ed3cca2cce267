// How many questions a second.
#include "engine/hosts/question_pace.hpp"

#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using namespace std::chrono_literals;

class Pace : public testing::Test {
protected:
    // Asks as often as it may for so long, and has this share answered after so long. Returns how many it asked.
    int ask(Duration length, double answered, Duration after = 10ms) {
        int asked = 0;
        double due = 0;
        for (const Instant end = now + length; now < end; now += 10ms)
            while (pace.take(now)) {
                ++asked;
                for (due += answered; due >= 1; due -= 1) pace.answered(after);
            }
        return asked;
    }
    QuestionPace pace;
    Instant now = instant_from_ns(1'000'000'000'000);
};

TEST_F(Pace, GrowsWhereQuestionsAreAnswered) {
    EXPECT_NEAR(ask(1s, 1), QuestionPace::first, 80);
    ask(5s, 0.49);
    EXPECT_EQ(pace.rate(), QuestionPace::most) << "as at 30 % loss both ways";
    EXPECT_NEAR(ask(1s, 1), QuestionPace::most, 300);
}

TEST_F(Pace, FallsWhereTheyAreNot) {
    ask(10s, 0.1);
    EXPECT_EQ(pace.rate(), QuestionPace::least) << "and no further: some are always asked";
    EXPECT_NEAR(ask(1s, 0), QuestionPace::least, 10);
    ask(10s, 1);
    EXPECT_EQ(pace.rate(), QuestionPace::most);
}

TEST_F(Pace, AnAnswerThatComesLateIsNone) {
    ask(10s, 1, 600ms);
    EXPECT_EQ(pace.rate(), QuestionPace::least);
}

TEST_F(Pace, FewQuestionsTellNothing) {
    for (int i = 0; i < 100; ++i, now += 100ms) EXPECT_TRUE(pace.take(now));
    EXPECT_EQ(pace.rate(), QuestionPace::first) << "ten a second to one that is dead";
}

TEST_F(Pace, WhoWasAsleepMayNotAskForAllThatTimeAtOnce) {
    now += 1h;
    int at_once = 0;
    while (pace.take(now)) ++at_once;
    EXPECT_LE(at_once, QuestionPace::most / 10);
}

}  // namespace
}  // namespace rollcall::engine
