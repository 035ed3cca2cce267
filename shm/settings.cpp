#include "shm/settings.hpp"

#include <array>
#include <utility>

namespace rollcall {

std::string to_text(Duration d) {
    struct Unit {
        std::int64_t ns;
        const char* name;
    };
    static constexpr std::array<Unit, 6> units{{{3'600'000'000'000, "h"}, {60'000'000'000, "min"}, {1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}}};
    for (const Unit& unit : units)
        if (d.count() != 0 && d.count() % unit.ns == 0) return std::to_string(d.count() / unit.ns) + unit.name;
    return "0s";
}

namespace {

tl::unexpected<Error> conflict(const char* what, Duration a, const char* why, const char* other, Duration b) {
    return fail(ErrorKind::invalid, std::string("setting '") + what + "' (" + to_text(a) + ") " + why + " '" + other + "' (" + to_text(b) + ")");
}

}  // namespace

Result<void> validate(const Settings& s) {
    const std::array<std::pair<const char*, Duration>, 5> all{{{"heartbeat", s.heartbeat}, {"suspect", s.suspect}, {"dead", s.dead}, {"evict", s.evict}, {"scan", s.scan}}};
    for (const auto& [name, value] : all) {
        if (value <= Duration::zero()) return fail(ErrorKind::invalid, std::string("setting '") + name + "' must be longer than zero");
        if (value > longest_timeout) return fail(ErrorKind::invalid, std::string("setting '") + name + "' is longer than 90 days");
    }
    if (s.scan > s.heartbeat / 2) return conflict("scan", s.scan, "must be at most half of", "heartbeat", s.heartbeat);
    if (s.suspect <= s.heartbeat) return conflict("suspect", s.suspect, "must be longer than", "heartbeat", s.heartbeat);
    if (s.dead <= s.suspect) return conflict("dead", s.dead, "must be longer than", "suspect", s.suspect);
    if (s.evict <= s.dead) return conflict("evict", s.evict, "must be longer than", "dead", s.dead);
    return {};
}

std::optional<std::string> warning(const Settings& s) {
    if (s.suspect * 2 >= s.heartbeat * 5) return std::nullopt;
    return "setting 'suspect' (" + to_text(s.suspect) + ") is shorter than 2.5 times 'heartbeat' (" + to_text(s.heartbeat) + "): one late beat becomes a suspicion";
}

}  // namespace rollcall
