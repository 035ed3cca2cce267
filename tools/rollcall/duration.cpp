#include "tools/rollcall/duration.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace rollcall::cli {

namespace {

__extension__ using Wide = unsigned __int128;  // a fraction of 18 digits times the nanoseconds of an hour

struct Unit {
    std::string_view name;
    std::int64_t ns;
};
constexpr std::array<Unit, 6> units{
    {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"min", 60'000'000'000}, {"h", 3'600'000'000'000}}};

constexpr std::size_t most_fraction_digits = 18;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the start of `text` off it.
std::string_view take_digits(std::string_view& text) {
    const std::size_t n = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    const std::string_view digits = text.substr(0, n);
    text.remove_prefix(n);
    return digits;
}

tl::unexpected<Error> refuse(std::string_view text, std::string_view why) {
    return fail(ErrorKind::invalid, "'" + std::string(text) + "' is not a duration: " + std::string(why));
}

Wide value_of(std::string_view digits) {
    Wide value = 0;
    for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
}

Result<Duration> combine(std::string_view text, std::string_view whole, std::string_view fraction, const Unit& unit) {
    constexpr Wide most = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
    whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
    fraction.remove_suffix(fraction.size() - (fraction.find_last_not_of('0') + 1));
    if (whole.size() > 19) return refuse(text, "it is longer than 292 years");
    if (fraction.size() > most_fraction_digits) return refuse(text, "it is finer than a nanosecond");

    Wide divisor = 1;
    for (std::size_t i = 0; i < fraction.size(); ++i) divisor *= 10;
    const Wide part = value_of(fraction) * static_cast<Wide>(unit.ns);
    if (part % divisor != 0) return refuse(text, "it is finer than a nanosecond");
    const Wide ns = value_of(whole) * static_cast<Wide>(unit.ns) + part / divisor;
    if (ns > most) return refuse(text, "it is longer than 292 years");
    return Duration{static_cast<std::int64_t>(ns)};
}

// "3.2", "12": one digit behind the point while the number is small, none when it would say nothing.
std::string short_number(double value) {
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), value < 9.95 ? "%.1f" : "%.0f", value);
    std::string text = buffer.data();
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
}

std::string two_parts(std::int64_t big, const char* big_name, std::int64_t small, const char* small_name) {
    std::string text = std::to_string(big) + " " + big_name;
    if (small != 0) text += " " + std::to_string(small) + " " + small_name;
    return text;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    std::string_view left = text;
    if (text.empty()) return refuse(text, "write for example 300ms or 5s");
    if (text.front() == '-' || text.front() == '+') return refuse(text, "it takes no sign");
    const std::string_view whole = take_digits(left);
    std::string_view fraction;
    if (left.starts_with('.')) {
        left.remove_prefix(1);
        fraction = take_digits(left);
        if (fraction.empty()) return refuse(text, "digits must follow the point");
    }
    if (whole.empty()) return refuse(text, "write for example 300ms or 5s");
    if (left.empty()) {
        if (fraction.empty() && whole.find_first_not_of('0') == whole.npos) return Duration{};
        return refuse(text, "it has no unit, write for example " + std::string(text) + "s or " + std::string(text) + "ms");
    }
    for (const Unit& unit : units)
        if (left == unit.name) return combine(text, whole, fraction, unit);
    return refuse(text, "'" + std::string(left) + "' is no unit, use ns, us, ms, s, min or h");
}

Duration as_set(Duration threshold) { return threshold - threshold % std::chrono::microseconds(10); }

std::string rounded(Duration d) {
    const std::int64_t ns = d.count();
    if (ns < 0) return "-" + rounded(ns == std::numeric_limits<std::int64_t>::min() ? Duration::max() : -d);
    if (ns < 1'000) return std::to_string(ns) + " ns";
    if (ns < 100'000) return short_number(static_cast<double>(ns) / 1e3) + " us";
    if (ns < 999'500'000) return short_number(static_cast<double>(ns) / 1e6) + " ms";
    if (ns < 59'500'000'000) return short_number(static_cast<double>(ns) / 1e9) + " s";
    const std::int64_t seconds = ns / 1'000'000'000 + (ns % 1'000'000'000 >= 500'000'000 ? 1 : 0);
    if (seconds < 3'600) return two_parts(seconds / 60, "min", seconds % 60, "s");
    const std::int64_t minutes = seconds / 60;
    if (minutes < 24 * 60) return two_parts(minutes / 60, "h", minutes % 60, "min");
    const std::int64_t hours = minutes / 60;
    return two_parts(hours / 24, hours / 24 == 1 ? "day" : "days", hours % 24, "h");
}

}  // namespace rollcall::cli
