// The evidence behind a peer's state, in sentences.
#pragma once

#include <string>

#include "engine/peer.hpp"
#include "shm/settings.hpp"

namespace rollcall::cli {

// A line each: what it is and since when, why, and what comes next if nothing changes.
std::string explain(const Peer& peer, const Settings& settings, Instant now);

}  // namespace rollcall::cli
