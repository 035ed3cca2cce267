// The rules of judgement, by table.
#include "engine/judgement.hpp"

#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

constexpr Thresholds limits{Stamp{300}, Stamp{200}, Stamp{100}};  // suspect, dead, evict: stamps, so the oldest is the smallest

TEST(Judgement, WhatIsAnnouncedFollowsFromStateAndGround) {
    for (int r = 0; r <= 8; ++r) {
        const auto reason = static_cast<Reason>(r);
        EXPECT_EQ(announced(State::none, reason), Announced::nobody);
        EXPECT_EQ(announced(State::alive, reason), Announced::alive);
        EXPECT_EQ(announced(State::suspect, reason), Announced::suspect);
        EXPECT_EQ(announced(State::dead, reason), reason == Reason::silence ? Announced::dead_silent : Announced::dead_proven);
    }
    EXPECT_EQ(announced(static_cast<State>(7), Reason::join), Announced::nobody) << "damaged";
}

// Every announcement against every age, at both sides of every threshold: at a threshold nobody is silent for longer than allowed.
TEST(Judgement, FollowsTheTable) {
    struct Row {
        Announced so_far;
        std::uint64_t stamp;
        Verdict verdict;
    };
    using enum Announced;
    const Row rows[] = {
        {nobody, 0, Verdict::none},        {nobody, 400, Verdict::none},
        {alive, 400, Verdict::none},       {alive, 300, Verdict::none},
        {alive, 299, Verdict::suspect},    {alive, 200, Verdict::suspect},
        {alive, 199, Verdict::suspect_and_dead}, {alive, 100, Verdict::suspect_and_dead},
        {alive, 99, Verdict::suspect_and_dead},  {alive, 0, Verdict::suspect_and_dead},
        {suspect, 400, Verdict::recovered}, {suspect, 300, Verdict::recovered},
        {suspect, 299, Verdict::none},     {suspect, 200, Verdict::none},
        {suspect, 199, Verdict::dead},     {suspect, 0, Verdict::dead},
        {dead_silent, 400, Verdict::recovered}, {dead_silent, 300, Verdict::recovered},
        {dead_silent, 299, Verdict::none}, {dead_silent, 199, Verdict::none},
        {dead_silent, 100, Verdict::none}, {dead_silent, 99, Verdict::evict},
        {dead_silent, 0, Verdict::evict},
        {dead_proven, 400, Verdict::none}, {dead_proven, 299, Verdict::none},
        {dead_proven, 100, Verdict::none}, {dead_proven, 99, Verdict::evict},
        {dead_proven, 0, Verdict::evict},
    };
    for (const Row& row : rows) EXPECT_EQ(judge(row.so_far, Stamp{row.stamp}, limits), row.verdict) << static_cast<int>(row.so_far) << " at " << row.stamp;
}

// An eviction comes at the earliest one pass after the death, however old the last beat is.
TEST(Judgement, NobodyIsEvictedWhoWasNotAnnouncedDead) {
    for (const Announced so_far : {Announced::nobody, Announced::alive, Announced::suspect}) EXPECT_NE(judge(so_far, Stamp{0}, limits), Verdict::evict);
}

TEST(Judgement, NoBeatBringsBackADeathByProof) {
    for (std::uint64_t stamp = 0; stamp < 500; ++stamp) EXPECT_NE(judge(Announced::dead_proven, Stamp{stamp}, limits), Verdict::recovered);
}

// At the very beginning of a segment thresholds are 0: nobody can be silent for longer than time has lasted.
TEST(Judgement, NobodyIsSilentBeforeATimeoutHasPassedAtAll) {
    constexpr Thresholds start{};
    EXPECT_EQ(judge(Announced::alive, Stamp{0}, start), Verdict::none);
    EXPECT_EQ(judge(Announced::dead_silent, Stamp{0}, start), Verdict::recovered);
    EXPECT_EQ(judge(Announced::dead_proven, Stamp{0}, start), Verdict::none);
}

static_assert(judge(Announced::alive, Stamp{0}, limits) == Verdict::suspect_and_dead, "the rules are constants");

}  // namespace
}  // namespace rollcall::engine
