// The exact snapshot, without stopping anybody, and the fold that keeps it exact.
//
// H = head; copy every slot with its LSN, free ones too; M = the greatest of H and all LSNs read; then go on at H and apply an event
// only where it is newer than its slot. Up to M that completes what the copying caught half-way; at M the image is exact.
// (The idea is that of a fuzzy checkpoint with a redo log, as databases since ARIES take it.)
#pragma once

#include <algorithm>
#include <vector>

#include <sched.h>

#include "shm/blob.hpp"
#include "shm/checkpoint.hpp"
#include "shm/record.hpp"
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
    std::uint64_t view = 0, list_version = 0;
    std::size_t pending = 0;       // slots with blob_pending
};

enum class Snapshot : std::uint8_t {
    exact,
    // The engine died between applying and publishing: the image is what its successor will publish first (`at` is beyond head).
    unsettled,
    busy,  // writers kept overtaking this reader, or the memory is damaged
};

inline constexpr int snapshot_attempts = 50;
inline constexpr int settle_attempts = 200;  // yields: a living engine publishes within microseconds of applying; a dead one never, and on busy cores each costs a time slice
inline constexpr std::uint32_t prefetch_ahead = 32;

// One record and its blob, consistent with each other. A living record's blob that does not read is being reused: look again.
template <class Roster>
bool copy_slot(const Roster& roster, Slot slot, SlotImage& out) {
    for (int attempt = 0; attempt < record_attempts; ++attempt) {
        std::uint64_t version = 0;
        const auto& record = roster.record(slot);
        if (!load(record, version, out.hot, out.name)) return false;
        out.blob_pending = false;
        if (out.hot.state == State::none) {
            out.blob = {};
            return true;
        }
        const bool read = load_blob(roster, out.hot.blob, out.blob);
        if (load_version(record) != version) continue;
        return read && out.hot.state <= State::dead;
    }
    return false;
}

template <class Roster>
void prefetch_blob(const Roster& roster, std::uint32_t slot, std::uint32_t high_water) noexcept {
    if (slot >= high_water) return;
    const auto& record = roster.record(Slot{slot});
    const std::uint64_t version = record.version.load(std::memory_order_relaxed);  // relaxed: a hint
    const auto number = static_cast<std::uint32_t>(record.copies[version & 1][4].load(std::memory_order_relaxed));
    if (is_blob_number(roster, number)) __builtin_prefetch(reinterpret_cast<const char*>(roster.blob(number)));
}

// Copies every slot; the greatest sequence seen comes back in `newest`.
template <class Roster>
bool copy_all(const Roster& roster, Image& out, Sequence& newest) {
    const std::uint32_t high_water = roster.high_water();
    out.slots.resize(high_water);  // each is overwritten; what an earlier snapshot allocated serves again
    for (std::uint32_t i = 0; i < high_water; ++i) {
        prefetch_blob(roster, i + prefetch_ahead, high_water);
        if (!copy_slot(roster, Slot{i}, out.slots[i])) return false;
        newest = std::max(newest, out.slots[i].hot.lsn);
    }
    return true;
}

// Waits for head to reach `wanted`; a dead engine's never does.
template <class Roster>
bool is_published(const Roster& roster, Sequence wanted) noexcept {
    for (int attempt = 0; attempt < settle_attempts; ++attempt) {
        if (load_head(roster.header()) >= wanted) return true;
        ::sched_yield();
    }
    return false;
}

// Applies one event. Events of the ring are checked against the geometry: what makes no sense changes nothing.
template <class Roster>
void fold(const Roster& roster, Image& image, const StoredEvent& event) {
    image.at = event.sequence;
    image.view = event.view;
    image.list_version = event.list_version;
    if (event.slot.value >= roster.capacity()) return;
    if (event.slot.value >= image.slots.size()) image.slots.resize(event.slot.value + 1);
    SlotImage& slot = image.slots[event.slot.value];
    if (event.sequence <= slot.hot.lsn) return;
    const EventKind kind = plain_kind(event.kind);
    const bool new_blob = kind == EventKind::joined || kind == EventKind::updated;
    slot.hot = event.hot;
    slot.hot.lsn = event.sequence;
    slot.name = event.name;
    image.pending -= slot.blob_pending;
    if (event.hot.state == State::none) {
        slot.blob = {};
        slot.blob_pending = false;
    } else if (new_blob) {
        // A proof added to a death by silence is an update that brings no blob; then the record's blob is still the old one.
        Blob blob;
        const bool read = load_blob(roster, event.hot.blob, blob) && load_blob_sequence(roster, event.hot.blob) == blob.sequence;
        const bool current = read && blob.sequence.value != 0 && (blob.sequence == event.sequence || blob.sequence == slot.blob.sequence);
        if (current) slot.blob = std::move(blob);
        slot.blob_pending = !current;
    }
    image.pending += slot.blob_pending;
}

// Folds up to `until`; false if this reader was lapped.
template <class Roster>
bool fold_up_to(const Roster& roster, Image& image, Sequence until) {
    while (image.at < until) {
        StoredEvent event;
        if (!load_entry(roster.entry(image.at + 1), image.at + 1, event)) return false;
        fold(roster, image, event);
    }
    return true;
}

// Any process, any time; blocks nobody. Touches each record once, prefetching blobs.
template <class Roster>
Snapshot take_snapshot(const Roster& roster, Image& out) {
    for (int attempt = 0; attempt < snapshot_attempts; ++attempt) {
        CheckpointValues checkpoint;
        if (!load_checkpoint(roster.header(), checkpoint)) return Snapshot::busy;
        out.at = checkpoint.head;
        out.view = checkpoint.view;
        out.list_version = checkpoint.list_version;
        out.pending = 0;
        Sequence newest = checkpoint.head;
        if (!copy_all(roster, out, newest)) continue;
        if (!is_published(roster, newest)) {
            // The successor redoes everything prepared, in order; so does this reader, for itself. Blobs of a dead engine stay where they are: if one is
            // gone, the engine was only slow.
            const Sequence prepared{roster.header().prepared.load(std::memory_order_acquire)};  // [prepare] entries up to here are complete
            if (newest <= prepared && fold_up_to(roster, out, prepared) && out.pending == 0) return Snapshot::unsettled;
            continue;
        }
        if (!fold_up_to(roster, out, newest)) continue;
        // A blob that was already gone was replaced by a later event: go on to it.
        while (out.pending != 0 && is_published(roster, out.at + 1) && fold_up_to(roster, out, load_head(roster.header()))) {}
        if (out.pending == 0) return Snapshot::exact;
    }
    return Snapshot::busy;
}

}  // namespace rollcall::shm
