// The table that people type first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/client/observer.hpp"
#include "tools/rollcall/colour.hpp"

namespace rollcall::cli {

// NODE STATE SINCE LAST-BEAT PID ENDPOINT TAGS, a line a peer; empty without peers.
// "3.2s": without blanks, so that a cell is one word to awk and cut.
std::string one_word(Duration d);
std::string members_table(const std::vector<Peer>& peers, Instant now, const Palette& palette);

// "5 peers: 4 alive, 1 dead. Engine 'host-1' runs (pid 812), view 6." or what is true instead.
std::string members_summary(const ClusterInfo& info, const std::vector<Peer>& peers, Instant now, bool copy);

// "k=v,k2=v2"
std::string tags_text(const Tags& tags);
// "Engine 'host-1' runs (pid 812)", or since when nothing was heard of it.
std::string engine_text(const ClusterInfo& info, Instant now, bool copy);

}  // namespace rollcall::cli
