// The five durations that decide when silence becomes a judgement, and what makes no sense among them.
#pragma once

#include <optional>
#include <string>

#include "shm/error.hpp"
#include "shm/units.hpp"

namespace rollcall {

struct Settings {
    // How often a member shows a sign of life. Shorter finds a silence sooner only if `suspect` is shortened too.
    Duration heartbeat = std::chrono::seconds(1);
    // Silence before a peer is suspected. At least 2.5 heartbeats, so that one lost beat is no suspicion.
    Duration suspect = std::chrono::seconds(3);
    // Silence before it is announced dead. It may still recover.
    Duration dead = std::chrono::seconds(5);
    // Silence before it is forgotten; after a proof of death, the time since the proof.
    Duration evict = std::chrono::seconds(10);
    // How often the detector looks. Adds at most this much to every judgement.
    Duration scan = std::chrono::milliseconds(10);

    friend bool operator==(const Settings&, const Settings&) = default;
};

// The longest timeout that evidence can carry (40 bits of 8.192 µs are 104 days).
inline constexpr Duration longest_timeout = std::chrono::hours(24 * 90);

// Why these settings make no sense, naming the setting; nothing if they do.
Result<void> validate(const Settings& settings);

// What is allowed but unwise: a suspicion after fewer than 2.5 heartbeats.
std::optional<std::string> warning(const Settings& settings);

// "300ms", "2500ms", "5s": a whole number of the largest unit that is exact.
std::string to_text(Duration d);

}  // namespace rollcall
