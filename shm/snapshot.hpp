// The exact snapshot, without stopping anybody, and the fold that keeps it exact.
//
// H = head; copy every slot with its LSN, free ones too; M = the greatest of H and all LSNs read; then go on at H and apply an event
// only where it is newer than its slot. Up to M that completes what the copying caught half-way; at M the image is exact.
// (The idea is that of a fuzzy checkpoint with a redo log, as databases since ARIES take it.)
#pragma once

#include <vector>

#include "shm/blob.hpp"
#include "shm/ring.hpp"
#include "shm/roster.hpp"

namespace rollcall::shm {

struct SlotImage {
    Hot hot;
    Name name;
    Blob blob;
    bool blob_pending = false;  // its blob was gone when its event was read: a later event must bring another
};

struct Image {
    std::vector<SlotImage> slots;  // by slot, up to the high-water mark
    Sequence at{};                 // exact after this event
    std::uint64_t view = 0;
    std::size_t pending = 0;       // slots with blob_pending
};

enum class Snapshot : std::uint8_t {
    exact,
    // The engine died between applying and publishing: the image is what its successor will publish first (`at` is beyond head).
    unsettled,
    busy,  // writers kept overtaking this reader, or the memory is damaged
};

// Any process, any time; blocks nobody. Touches each record once, prefetching blobs.
Snapshot take_snapshot(const Roster& roster, Image& out);

// Applies one event. Events of the ring are checked against the geometry: what makes no sense changes nothing.
void fold(const Roster& roster, Image& image, const StoredEvent& event);

}  // namespace rollcall::shm
