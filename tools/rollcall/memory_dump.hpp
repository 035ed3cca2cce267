// The memory itself, word by word: what `dump` shows beside the peers.
#pragma once

#include <functional>
#include <string_view>

#include "shm/roster.hpp"

namespace rollcall::cli {

using Out = std::function<void(std::string_view)>;

// For people: indented lines.
void print_memory(const Out& out, const shm::Roster& roster);
// For programs: one JSON object, one line a slot and a card.
void write_memory(const Out& out, const shm::Roster& roster);

}  // namespace rollcall::cli
