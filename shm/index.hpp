// Node id to slot: chains through the records, 1.75 × capacity buckets. Insert and unlink are one store each; nothing ever moves, so
// readers walk while the engine works. A reader may stand on a record that is freed and reused in another chain under its feet; it
// notices, because at each record it checks the chain (hash), then takes `next`, then looks at the version again, while the writer
// rewrites hash and `next` only after the version has moved.
#pragma once

#include "shm/record.hpp"
#include "shm/roster.hpp"

namespace rollcall::shm {

enum class Lookup : std::uint8_t {
    absent,  // certainly not there at some moment during the call
    found,
    busy,    // the index would not hold still; never said instead of "absent" or "found" by a quiet memory
};

struct FoundRecord {
    Slot slot = no_slot;
    RecordView record;
};

inline std::uint32_t bucket_of(std::uint32_t hash, std::uint32_t bucket_count) noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{hash} * bucket_count >> 32);  // Lemire's reduction: any count, no division
}

// Any process, any time. About 0.4 µs at a million peers.
Lookup find(const Roster& roster, const Name& name, FoundRecord& out) noexcept;

// Engine only. The record carries its name and hash, and is in no chain.
void link(Roster& roster, Slot slot) noexcept;
// Engine only. The record keeps hash and `next`, so that a reader standing on it walks on.
void unlink(Roster& roster, Slot slot) noexcept;
// Engine only: is it in its chain?
bool is_linked(const Roster& roster, Slot slot) noexcept;

}  // namespace rollcall::shm
