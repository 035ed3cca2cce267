// The evidence behind a peer's state, in sentences.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/client/observer.hpp"
#include "engine/peer.hpp"
#include "shm/settings.hpp"

namespace rollcall::cli {

// A line each: what it is and since when, why, and what comes next if nothing changes.
std::string explain(const Peer& peer, const Settings& settings, Instant now);

// The newest events of this node that are still kept. The observer is one that began with the first.
std::vector<Event> history_of(Observer& observer, std::string_view node);

}  // namespace rollcall::cli
