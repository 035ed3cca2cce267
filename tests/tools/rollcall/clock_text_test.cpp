// Wall-clock times as text.
#include "tools/rollcall/clock_text.hpp"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace rollcall::cli {
namespace {

TEST(UtcTime, IsRfc3339WithMicroseconds) {
    struct Row {
        std::int64_t wall_us;
        const char* text;
    };
    const Row rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-1'000'000, "1969-12-31T23:59:59.000000Z"},
        {1'738'324'800'123'456, "2025-01-31T12:00:00.123456Z"},
        {1'709'164'800'000'000, "2024-02-29T00:00:00.000000Z"},
        {4'503'599'627'370'496, "2112-09-17T23:53:47.370496Z"},  // 2^52
    };
    for (const Row& row : rows) EXPECT_EQ(utc_time(row.wall_us), row.text);
}

// In a zone one hour east of Greenwich. The zone is the process's, so it is put back.
TEST(LocalTime, ShowsThisHostsClockFace) {
    const char* before = std::getenv("TZ");
    const std::string kept = before != nullptr ? before : "";
    ::setenv("TZ", "XYZ-1", 1);
    ::tzset();
    EXPECT_EQ(local_time(1'738'324'800'123'999), "13:00:00.123");
    EXPECT_EQ(local_time(0), "01:00:00.000");
    EXPECT_EQ(local_time(-1), "00:59:59.999");
    if (before != nullptr) ::setenv("TZ", kept.c_str(), 1);
    else ::unsetenv("TZ");
    ::tzset();
}

}  // namespace
}  // namespace rollcall::cli
