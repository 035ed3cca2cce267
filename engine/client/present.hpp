// From what lies in memory to what a program is given: copied, checked, decoded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/peer.hpp"
#include "shm/checkpoint.hpp"
#include "shm/ring.hpp"
#include "shm/snapshot.hpp"

namespace rollcall {

// Tags as they lie in a blob: key '=' value NUL, each. Fails with invalid: empty key, '=' in a key, control characters, over 512 bytes.
Result<std::string> encode_tags(const Tags& tags);
// What does not read is left out.
Tags decode_tags(std::string_view encoded);
// Up to 255 bytes of clean UTF-8.
Result<void> validate_endpoint(std::string_view endpoint);

Peer present_peer(const shm::Roster& roster, Slot slot, const shm::Hot& hot, const shm::Name& name, const shm::Blob& blob);
Event present_event(const shm::Roster& roster, const shm::StoredEvent& event);
Counters present_counters(const shm::CheckpointValues& values) noexcept;

// One peer by name: the record, its blob and its word, consistent with one another. busy or unknown_node otherwise.
Result<Peer> find_peer(const shm::Roster& roster, std::string_view node);
// All of them at one moment; `at` and `view` if given. Fails with busy.
Result<std::vector<Peer>> snapshot_peers(const shm::Roster& roster, Sequence* at, std::uint64_t* view);

// The other hosts at one moment. Fails with busy.
Result<std::vector<Host>> snapshot_hosts(const shm::Roster& roster);

}  // namespace rollcall
