// When an engine says that its node lives, and when it does not.
#include "engine/hosts/emitter.hpp"

#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using namespace std::chrono_literals;

class Emitting : public testing::Test {
protected:
    Emitter emitter{{"orders", "me", ""}, nullptr, {[this] { return speaks; }, [this] { return interval; }, [] { return std::int64_t{0}; }, {}}, 1, sent};
    // How many are sent meanwhile.
    std::uint64_t run(Duration d) {
        const std::uint64_t before = sent;
        for (const Instant end = now + d; now < end; now += 10ms) emitter.emit_if_due(now);
        return sent - before;
    }

    bool speaks = true;
    Duration interval = 1s;
    Instant now = instant_from_ns(1'000'000'000'000);
    std::atomic<std::uint64_t> sent{0};
};

TEST_F(Emitting, IsNeverLateAndAtMostAFifthEarly) {
    const std::uint64_t in_a_minute = run(60s);
    EXPECT_GE(in_a_minute, 60u);
    EXPECT_LE(in_a_minute, 76u);
}

// A wedged engine must not look alive.
TEST_F(Emitting, IsSilentWhileTheDetectorDoesNotLook) {
    run(5s);
    speaks = false;
    EXPECT_EQ(run(30s), 0u);
    speaks = true;
    EXPECT_GE(run(1s), 1u) << "and heard again within an interval";
}

TEST_F(Emitting, HearsOfAShorterIntervalBeforeTheOldOneIsOver) {
    interval = 30s;
    run(1s);
    interval = 1s;
    EXPECT_GE(run(1s), 1u);
}

}  // namespace
}  // namespace rollcall::engine
