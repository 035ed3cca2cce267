#include "tools/rollcall/keep_alive.hpp"

#include <algorithm>
#include <string>

#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

Pulse keep_alive(Member& member, Instant now) {
    const Beat beat = member.beat(now);
    if (beat.counted()) {
        member.keep_known();
        return {};
    }
    // Not to be answered by joining again: two lives would take the id from each other for ever.
    if (beat.kind == Beat::replaced) return {false, Error{ErrorKind::replaced, "another life of node '" + member.node() + "' has taken over"}};
    const Incarnation before = member.incarnation();
    if (!member.rejoin()) return {false, member.error()};
    if (member.incarnation() != before) log(LogLevel::info, "node '" + member.node() + "' was " + std::string(to_string(beat.kind)) + " and has joined again");
    return {false, std::nullopt};
}

Duration beat_interval(const Member& member) { return std::clamp<Duration>(member.interval(), std::chrono::milliseconds(1), std::chrono::seconds(1)); }

}  // namespace rollcall::cli
