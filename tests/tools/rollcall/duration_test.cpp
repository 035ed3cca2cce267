// Durations as people write and read them: every unit, every mistake, and the edges of what fits.
#include "tools/rollcall/duration.hpp"

#include <limits>
#include <random>

#include <gmock/gmock.h>

#include "shm/settings.hpp"

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(Duration, ReadsEveryUnitExactly) {
    struct Row {
        const char* text;
        Duration value;
    };
    const Row rows[] = {
        {"0", 0ns},
        {"000", 0ns},
        {"0s", 0ns},
        {"0.0h", 0ns},
        {"1ns", 1ns},
        {"10us", 10us},
        {"300ms", 300ms},
        {"5s", 5s},
        {"2min", 2min},
        {"1h", 1h},
        {"1.5s", 1500ms},
        {"1.50s", 1500ms},
        {"0.25min", 15s},
        {"0.1ms", 100us},
        {"0.001us", 1ns},
        {"0.000000001s", 1ns},
        {"1.000000001s", 1000000001ns},
        {"0.0000000025h", 9us},  // exact, though its digits go on behind the nanoseconds of a second
        {"00000000000000000000000000007s", 7s},
        {"1.5000000000000000000000000000s", 1500ms},
        {"0.1h", 6min},
        {"90min", 90min},
    };
    for (const Row& row : rows) {
        const Result<Duration> parsed = parse_duration(row.text);
        ASSERT_TRUE(parsed) << row.text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, row.value) << row.text;
    }
}

// The last duration that fits is understood in every unit that can name it, the first one that does not is refused: nothing wraps.
TEST(Duration, EndsAtTwoHundredNinetyTwoYears) {
    const Duration most = Duration::max();
    EXPECT_EQ(parse_duration("9223372036854775807ns").value(), most);
    EXPECT_EQ(parse_duration("9223372036854775.807us").value(), most);
    EXPECT_EQ(parse_duration("9223372036854.775807ms").value(), most);
    EXPECT_EQ(parse_duration("9223372036.854775807s").value(), most);
    EXPECT_EQ(parse_duration("2562047h").value(), 2562047h);
    for (const char* text : {"9223372036854775808ns", "9223372036854775.808us", "9223372036854775807us", "9223372036.854775808s", "153722868min", "2562048h",
                             "18446744073709551616ns", "18446744073709551617s", "99999999999999999999s", "340282366920938463463374607431768211457h"}) {
        const Result<Duration> parsed = parse_duration(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
        EXPECT_THAT(parsed.error().message, HasSubstr("longer than 292 years")) << text;
    }
}

TEST(Duration, RefusesEverythingElseAndSaysWhy) {
    struct Row {
        const char* text;
        const char* why;
    };
    const Row rows[] = {
        {"", "write for example 300ms or 5s"},
        {"s", "write for example 300ms or 5s"},
        {".5s", "write for example 300ms or 5s"},
        {" 5s", "write for example 300ms or 5s"},
        {"abc", "write for example 300ms or 5s"},
        {"-1s", "no sign"},
        {"+1s", "no sign"},
        {"-0", "no sign"},
        {"5", "no unit"},
        {"1.5", "no unit"},
        {"0.0", "no unit"},
        {"5.", "digits must follow the point"},
        {"5.s", "digits must follow the point"},
        {"1..5s", "digits must follow the point"},
        {"5 s", "' s' is no unit"},
        {"5s ", "'s ' is no unit"},
        {"5S", "'S' is no unit"},
        {"5m", "'m' is no unit"},
        {"5sec", "'sec' is no unit"},
        {"5d", "'d' is no unit"},
        {"1e3s", "'e3s' is no unit"},
        {"0x5s", "'x5s' is no unit"},
        {"1,5s", "',5s' is no unit"},
        {"5s5s", "'s5s' is no unit"},
        {"1.5.5s", "'.5s' is no unit"},
        {"0.5ns", "finer than a nanosecond"},
        {"0.0001us", "finer than a nanosecond"},
        {"0.0000000001s", "finer than a nanosecond"},
        {"0.000000000000000005h", "finer than a nanosecond"},
        {"1.0000000000000000001s", "finer than a nanosecond"},
        {"0.0000000000000000000000000000000000000000001h", "finer than a nanosecond"},
    };
    for (const Row& row : rows) {
        const Result<Duration> parsed = parse_duration(row.text);
        ASSERT_FALSE(parsed) << row.text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::invalid) << row.text;
        EXPECT_THAT(parsed.error().message, HasSubstr("'" + std::string(row.text) + "' is not a duration")) << row.text;
        EXPECT_THAT(parsed.error().message, HasSubstr(row.why)) << row.text;
    }
}

// What to_text prints is what parse_duration reads: over every size of duration.
TEST(Duration, ReadsWhatIsPrinted) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        Duration::rep ns = static_cast<Duration::rep>(random() >> (1 + random() % 63));
        for (const Duration::rep unit : {1'000, 1'000, 1'000, 60, 60})
            if (random() % 2 == 0 && ns <= std::numeric_limits<Duration::rep>::max() / unit) ns *= unit;
        const Duration d{ns};
        const Result<Duration> again = parse_duration(to_text(d));
        ASSERT_TRUE(again) << to_text(d);
        ASSERT_EQ(*again, d) << to_text(d);
    }
}

TEST(Duration, IsRoundedForReading) {
    struct Row {
        Duration value;
        const char* text;
    };
    const Row rows[] = {
        {0ns, "0 ns"},
        {999ns, "999 ns"},
        {1us, "1 us"},
        {1500ns, "1.5 us"},
        {9949ns, "9.9 us"},
        {9950ns, "10 us"},
        {99'999ns, "100 us"},
        {100us, "0.1 ms"},
        {400us, "0.4 ms"},
        {120ms, "120 ms"},
        {999'499us, "999 ms"},
        {999'500us, "1 s"},
        {3200ms, "3.2 s"},
        {59'499ms, "59 s"},
        {59'500ms, "1 min"},
        {245s, "4 min 5 s"},
        {59min + 59s + 499ms, "59 min 59 s"},
        {59min + 59s + 500ms, "1 h"},
        {3h + 12min, "3 h 12 min"},
        {23h + 59min + 59s + 499ms, "23 h 59 min"},
        {24h, "1 day"},
        {98h, "4 days 2 h"},
        {-1500ms, "-1.5 s"},
        {Duration::max(), "106751 days 23 h"},
        {Duration::min(), "-106751 days 23 h"},
    };
    for (const Row& row : rows) EXPECT_EQ(rounded(row.value), row.text) << row.value.count();
}

// Evidence keeps thresholds in stamp units, rounded up; what is shown is the round figure that was set.
TEST(Duration, ShowsAThresholdAsItWasSet) {
    for (const Duration set : {Duration(10us), Duration(300ms), Duration(1s), Duration(3s), Duration(5s), Duration(2500ms), Duration(333'330us), Duration(24h), longest_timeout})
        EXPECT_EQ(as_set(from_stamp_units(to_stamp_units_up(set))), set) << to_text(set);
}

}  // namespace
}  // namespace rollcall::cli
