#include "tools/rollcall/clock_text.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace rollcall::cli {

namespace {

struct Split {
    std::time_t seconds;
    int micros;  // 0 to 999,999 also before 1970
};

Split split(std::int64_t wall_us) {
    const std::int64_t micros = (wall_us % 1'000'000 + 1'000'000) % 1'000'000;
    return {static_cast<std::time_t>((wall_us - micros) / 1'000'000), static_cast<int>(micros)};
}

std::string formatted(const char* format, const std::tm& time) {
    std::array<char, 64> buffer{};
    return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &time)};
}

std::string fraction(int value, int digits) {
    std::array<char, 16> buffer{};
    std::snprintf(buffer.data(), buffer.size(), ".%0*d", digits, value);
    return buffer.data();
}

}  // namespace

std::string utc_time(std::int64_t wall_us) {
    const Split at = split(wall_us);
    std::tm time{};
    gmtime_r(&at.seconds, &time);
    return formatted("%Y-%m-%dT%H:%M:%S", time) + fraction(at.micros, 6) + "Z";
}

std::string local_time(std::int64_t wall_us) {
    const Split at = split(wall_us);
    std::tm time{};
    localtime_r(&at.seconds, &time);
    return formatted("%H:%M:%S", time) + fraction(at.micros / 1'000, 3);
}

}  // namespace rollcall::cli
