// Traffic in the roster's header. The engine writes it a few times a second; whoever reads it meanwhile may see counts of two moments.
#pragma once

#include "engine/traffic.hpp"
#include "shm/layout.hpp"

namespace rollcall {

// The first `shm::max_transports` transports are shown. One writer at a time.
void store_traffic(shm::RosterHeader& header, const Traffic& traffic) noexcept;
Traffic load_traffic(const shm::RosterHeader& header);

}  // namespace rollcall
