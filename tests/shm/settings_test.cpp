// Settings: which make sense, and what is said of those that do not.
#include "shm/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Settings with(Duration heartbeat, Duration suspect, Duration dead, Duration evict, Duration scan) { return {heartbeat, suspect, dead, evict, scan}; }

TEST(Settings, TheDefaultsAreTheDocumentedOnesAndMakeSense) {
    EXPECT_EQ(Settings{}, with(1s, 3s, 5s, 10s, 10ms));
    EXPECT_TRUE(validate(Settings{}).has_value());
    EXPECT_FALSE(warning(Settings{}).has_value());
}

TEST(Settings, ThatMakeSenseAreTaken) {
    for (const Settings& s : {with(20ms, 60ms, 100ms, 200ms, 10ms), with(2ns, 3ns, 4ns, 5ns, 1ns), with(1s, 1s + 1ns, 1s + 2ns, 1s + 3ns, 500ms),
                              with(1s, 3s, 5s, longest_timeout, 1ns), with(100us, 300us, 500us, 1ms, 50us)})
        EXPECT_TRUE(validate(s).has_value()) << validate(s).error().message;
}

TEST(Settings, ThatMakeNoSenseAreRefusedByName) {
    struct Row {
        Settings settings;
        const char* message;
    };
    const Row rows[] = {
        {with(0s, 3s, 5s, 10s, 10ms), "'heartbeat' must be longer than zero"},
        {with(1s, 0s, 5s, 10s, 10ms), "'suspect' must be longer than zero"},
        {with(1s, 3s, 0s, 10s, 10ms), "'dead' must be longer than zero"},
        {with(1s, 3s, 5s, 0s, 10ms), "'evict' must be longer than zero"},
        {with(1s, 3s, 5s, 10s, 0s), "'scan' must be longer than zero"},
        {with(-1s, 3s, 5s, 10s, 10ms), "'heartbeat' must be longer than zero"},
        {with(1s, 3s, 5s, 10s, Duration::min()), "'scan' must be longer than zero"},
        {with(1s, 3s, 5s, longest_timeout + 1ns, 10ms), "'evict' is longer than 90 days"},
        {with(1s, 3s, 5s, Duration::max(), 10ms), "'evict' is longer than 90 days"},
        {with(Duration::max(), Duration::max(), Duration::max(), Duration::max(), Duration::max()), "'heartbeat' is longer than 90 days"},
        {with(1s, 3s, 5s, 10s, 501ms), "'scan' (501ms) must be at most half of 'heartbeat' (1s)"},
        {with(1s, 1s, 5s, 10s, 10ms), "'suspect' (1s) must be longer than 'heartbeat' (1s)"},
        {with(1s, 900ms, 5s, 10s, 10ms), "'suspect' (900ms) must be longer than 'heartbeat' (1s)"},
        {with(1s, 3s, 3s, 10s, 10ms), "'dead' (3s) must be longer than 'suspect' (3s)"},
        {with(1s, 3s, 2s, 10s, 10ms), "'dead' (2s) must be longer than 'suspect' (3s)"},
        {with(1s, 3s, 5s, 5s, 10ms), "'evict' (5s) must be longer than 'dead' (5s)"},
        {with(1s, 3s, 5s, 4s, 10ms), "'evict' (4s) must be longer than 'dead' (5s)"},
    };
    for (const Row& row : rows) {
        const auto result = validate(row.settings);
        ASSERT_FALSE(result.has_value()) << row.message;
        EXPECT_EQ(result.error().kind, ErrorKind::invalid);
        EXPECT_THAT(result.error().message, HasSubstr(row.message));
    }
}

TEST(Settings, ASuspicionAfterFewerThan2Point5HeartbeatsIsAllowedButUnwise) {
    EXPECT_FALSE(warning(with(1s, 2500ms, 5s, 10s, 10ms)).has_value());
    const auto unwise = warning(with(1s, 2499ms, 5s, 10s, 10ms));
    ASSERT_TRUE(unwise.has_value());
    EXPECT_THAT(*unwise, HasSubstr("'suspect' (2499ms)"));
    EXPECT_FALSE(warning(with(longest_timeout / 4, longest_timeout, longest_timeout, longest_timeout, 1s)).has_value()) << "nothing overflows";
}

TEST(Settings, DurationsReadAsPeopleWriteThem) {
    struct Row {
        Duration d;
        const char* text;
    };
    for (const Row& row : {Row{0s, "0s"}, Row{1ns, "1ns"}, Row{1us, "1us"}, Row{10us, "10us"}, Row{300ms, "300ms"}, Row{1s, "1s"}, Row{59s, "59s"}, Row{60s, "1min"}, Row{90s, "90s"},
                           Row{1h, "1h"}, Row{36h, "36h"}, Row{1s + 1ns, "1000000001ns"}})
        EXPECT_EQ(to_text(row.d), row.text);
}

}  // namespace
}  // namespace rollcall
