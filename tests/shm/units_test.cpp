// Conversions between time and stamps: no judgement may be early, whatever is rounded.
#include "shm/units.hpp"

#include <random>

#include <gtest/gtest.h>

namespace rollcall {
namespace {

TEST(Units, RoundTimeoutsUp) {
    struct Row {
        std::int64_t ns;
        std::uint64_t units;
    };
    for (const Row& row : {Row{-1, 0}, Row{0, 0}, Row{1, 1}, Row{8'191, 1}, Row{8'192, 1}, Row{8'193, 2}, Row{16'384, 2}, Row{1'000'000, 123}, Row{INT64_MAX, 1ull << 50}})
        EXPECT_EQ(to_stamp_units_up(Duration{row.ns}), row.units) << row.ns;
}

TEST(Units, RoundInstantsDownAndNeverBelowTheBase) {
    constexpr std::int64_t base = 1'000'000;
    EXPECT_EQ(to_stamp(instant_from_ns(0), base), Stamp{0});
    EXPECT_EQ(to_stamp(instant_from_ns(base), base), Stamp{0});
    EXPECT_EQ(to_stamp(instant_from_ns(base + 8'191), base), Stamp{0});
    EXPECT_EQ(to_stamp(instant_from_ns(base + 8'192), base), Stamp{1});
}

TEST(Units, AStampIsTheStampOfItsInstant) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
        const Stamp stamp{random() % stamp_limit};
        const auto base = static_cast<std::int64_t>(random() % (1ull << 60));
        ASSERT_EQ(to_stamp(to_instant(stamp, base), base), stamp);
        ASSERT_EQ(to_stamp_units_up(from_stamp_units(stamp.value)), stamp.value);
    }
}

// Beat, look and timeout are rounded, and the stamps compared strictly: whoever is judged was silent for longer than the timeout, and
// whoever was silent for three units longer is judged.
TEST(Units, NeverMakeAJudgementEarly) {
    std::mt19937_64 random(2);
    for (int i = 0; i < 200'000; ++i) {
        const auto base = static_cast<std::int64_t>(random() % 1'000'000'000);
        const std::int64_t beat = base + static_cast<std::int64_t>(random() % 10'000'000'000);
        const std::int64_t timeout = 1 + static_cast<std::int64_t>(random() % 5'000'000'000);
        const std::int64_t now = beat + timeout - 40'000 + static_cast<std::int64_t>(random() % 80'000);
        const std::uint64_t reach = to_stamp_units_up(Duration{timeout}), looked = to_stamp(instant_from_ns(now), base).value;
        const bool judged = looked > reach && to_stamp(instant_from_ns(beat), base).value < looked - reach;
        ASSERT_TRUE(!judged || now - beat > timeout) << "early";
        ASSERT_TRUE(judged || now - beat < timeout + 3 * 8'192) << "late";
    }
}

}  // namespace
}  // namespace rollcall
