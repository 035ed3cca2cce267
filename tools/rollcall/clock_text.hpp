// Wall-clock times as text, for show only: nothing is ever decided by them.
#pragma once

#include <cstdint>
#include <string>

namespace rollcall::cli {

// RFC 3339 in UTC: "2025-01-31T12:00:00.123456Z".
std::string utc_time(std::int64_t wall_us);
// On this host's clock face: "13:00:00.123".
std::string local_time(std::int64_t wall_us);

}  // namespace rollcall::cli
