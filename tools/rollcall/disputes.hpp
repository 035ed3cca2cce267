// Who is claimed twice: nodes that two hosts speak for, names that two hosts have. Told by events, which the ring keeps for a while.
#pragma once

#include <string>
#include <vector>

#include "engine/client/observer.hpp"
#include "tools/rollcall/colour.hpp"

namespace rollcall::cli {

enum class Disputed { nodes, hosts };

// The last `duplicate` of each life that has not ended since, oldest first, as far as the ring still tells of it. Reads all that is kept: the observer is one
// that began there. A snapshot taken afterwards is later.
std::vector<Event> read_disputes(Observer& observer, Disputed what);

// A line each for below a table, and an empty one before them; nothing if there is none.
std::string dispute_lines(const std::vector<Event>& disputes, const Palette& palette);

}  // namespace rollcall::cli
