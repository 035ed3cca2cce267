// Durations as people write and read them.
#pragma once

#include <string>
#include <string_view>

#include "shm/error.hpp"
#include "shm/units.hpp"

namespace rollcall::cli {

// "300ms", "5s", "1.5s", "2min", "10us"; units ns us ms s min h; zero may stand alone. Exact: nothing is rounded. Fails with invalid on
// a sign, a missing or unknown unit, fractions of a nanosecond, and more than fits (292 years).
Result<Duration> parse_duration(std::string_view text);

// Rounded for reading: "0.4 ms", "120 ms", "3.2 s", "4 min 5 s", "3 h 12 min", "4 days 2 h". Exact text is to_text's (shm/settings.hpp).
std::string rounded(Duration d);

// A threshold out of evidence as it was set: evidence keeps it in units of 8.192 us, rounded up, and settings are round figures.
Duration as_set(Duration threshold);

}  // namespace rollcall::cli
