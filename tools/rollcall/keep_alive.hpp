// A member's pulse: what a beat answers, and what to do about it.
#pragma once

#include <optional>

#include "engine/client/member.hpp"

namespace rollcall::cli {

struct Pulse {
    bool is_steady = true;      // else it joined again, or will try to at the next beat
    std::optional<Error> over;  // why this life is over: nothing more to be done
};

// One sign of life as of `now`. Where the memory was replaced or this life was evicted, the member joins again; without an engine it goes
// on trying.
Pulse keep_alive(Member& member, Instant now);

// How often: the heartbeat in force, and at least once a second, so that shorter settings are heard of before they are missed.
Duration beat_interval(const Member& member);

}  // namespace rollcall::cli
