// Blobs: what of a peer changes rarely and has no fixed length. Written once, never changed: an update writes a new blob and then
// switches the hot record. A freed blob is reused only after the publication that freed it; a reader who copied one checks the
// version of its record again, a fold checks that the blob still carries the sequence of the event that brought it.
//
//   word 0   sequence of the event that brought it; 0 while being written
//   word 1   endpoint length 8 | host length 8 | tags length 16 | producer card 32
//   word 2   start time 48 (ticks since boot) | flags 8 | size class 8
//   word 3   pid 32 | uid 32
//   word 4   gid 32 | spare 32
//   word 5   join token
//   then     endpoint, host, tags (key '=' value NUL, each), zero padded
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shm/error.hpp"
#include "shm/roster.hpp"

namespace rollcall::shm {

inline constexpr std::size_t blob_fixed_words = 6;
inline constexpr std::array<std::uint16_t, 10> blob_class_bytes{48, 64, 96, 128, 192, 256, 384, 512, 768, 896};
inline constexpr std::size_t blob_class_count = blob_class_bytes.size();
static_assert(blob_fixed_words * 8 + max_endpoint + (max_node_id + 1) + max_tags <= blob_class_bytes.back());

enum BlobFlag : std::uint8_t {
    blob_has_process = 1,  // somebody's exit proves this peer's death
    blob_wrapped = 2,      // a wrapper beats for the process
    blob_watchdog = 4,     // the process reports its own health: nobody may beat for it
};

struct Blob {
    Sequence sequence{};
    std::string endpoint, host, tags;
    std::uint32_t card = no_index;
    std::uint64_t start_ticks = 0;
    std::uint8_t flags = 0;
    std::uint32_t pid = 0, uid = 0, gid = 0;
    std::uint64_t token = 0;
};

// The smallest class that holds it; the lengths were validated.
std::size_t blob_class_for(const Blob& blob) noexcept;

// A number that lies inside the heap, inside one extent, on a boundary of its extent's class. Checks what the extent says, too.
bool is_blob_number(const Roster& roster, std::uint32_t number) noexcept;

// Copies and validates. False: no such blob, or its lengths make no sense (torn, reused, damaged): look at the record again.
bool load_blob(const Roster& roster, std::uint32_t number, Blob& out);
// The join token alone: 0 if there is no such blob.
std::uint64_t load_blob_token(const Roster& roster, std::uint32_t number) noexcept;
// The sequence alone: 0 while being written or if there is no such blob.
Sequence load_blob_sequence(const Roster& roster, std::uint32_t number) noexcept;

// Engine only; `number` came from the heap and is reachable by nobody.
void store_blob(Roster& roster, std::uint32_t number, const Blob& blob) noexcept;

}  // namespace rollcall::shm
