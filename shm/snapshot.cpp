#include "shm/snapshot.hpp"

#include <sched.h>

#include "shm/checkpoint.hpp"
#include "shm/record.hpp"

namespace rollcall::shm {

namespace {

constexpr int snapshot_attempts = 50;
constexpr int settle_attempts = 2000;  // yields: a living engine publishes within microseconds of applying
constexpr std::uint32_t prefetch_ahead = 32;

// One record and its blob, consistent with each other. A living record's blob that does not read is being reused: look again.
bool copy_slot(const Roster& roster, Slot slot, SlotImage& out) {
    for (int attempt = 0; attempt < record_attempts; ++attempt) {
        RecordView view;
        const Record& record = roster.record(slot);
        if (!load(record, view)) return false;
        out.hot = view.hot;
        out.name = view.name;
        out.blob_pending = false;
        if (view.hot.state == State::none) return true;
        const bool read = load_blob(roster, view.hot.blob, out.blob);
        if (load_version(record) != view.version) continue;
        return read && view.hot.state <= State::dead;
    }
    return false;
}

void prefetch_blob(const Roster& roster, std::uint32_t slot, std::uint32_t high_water) noexcept {
    if (slot >= high_water) return;
    const Record& record = roster.record(Slot{slot});
    const std::uint64_t version = record.version.load(std::memory_order_relaxed);  // relaxed: a hint
    const auto number = static_cast<std::uint32_t>(record.copies[version & 1][4].load(std::memory_order_relaxed));
    if (is_blob_number(roster, number)) __builtin_prefetch(reinterpret_cast<const char*>(roster.blob(number)));
}

// Copies every slot; the greatest sequence seen comes back in `newest`.
bool copy_all(const Roster& roster, Image& out, Sequence& newest) {
    const std::uint32_t high_water = roster.high_water();
    out.slots.assign(high_water, {});
    for (std::uint32_t i = 0; i < high_water; ++i) {
        prefetch_blob(roster, i + prefetch_ahead, high_water);
        if (!copy_slot(roster, Slot{i}, out.slots[i])) return false;
        newest = std::max(newest, out.slots[i].hot.lsn);
    }
    return true;
}

// Waits for head to reach `wanted`; a dead engine's never does.
bool is_published(const Roster& roster, Sequence wanted) noexcept {
    for (int attempt = 0; attempt < settle_attempts; ++attempt) {
        if (load_head(roster.header()) >= wanted) return true;
        ::sched_yield();
    }
    return false;
}

// Folds up to `until`; false if this reader was lapped.
bool fold_up_to(const Roster& roster, Image& image, Sequence until) {
    while (image.at < until) {
        StoredEvent event;
        if (!load_entry(roster.entry(image.at + 1), image.at + 1, event)) return false;
        fold(roster, image, event);
    }
    return true;
}

}  // namespace

void fold(const Roster& roster, Image& image, const StoredEvent& event) {
    image.at = event.sequence;
    image.view = event.view;
    if (event.slot.value >= roster.capacity()) return;
    if (event.slot.value >= image.slots.size()) image.slots.resize(event.slot.value + 1);
    SlotImage& slot = image.slots[event.slot.value];
    if (event.sequence <= slot.hot.lsn) return;
    const bool new_blob = event.kind == EventKind::joined || event.kind == EventKind::updated;
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

Snapshot take_snapshot(const Roster& roster, Image& out) {
    for (int attempt = 0; attempt < snapshot_attempts; ++attempt) {
        CheckpointValues checkpoint;
        if (!load_checkpoint(roster.header(), checkpoint)) return Snapshot::busy;
        out.at = checkpoint.head;
        out.view = checkpoint.view;
        out.pending = 0;
        Sequence newest = checkpoint.head;
        if (!copy_all(roster, out, newest)) continue;
        if (!is_published(roster, newest)) {
            // The successor redoes everything prepared, in order; so does this reader, for itself.
            const Sequence prepared{roster.header().prepared.load(std::memory_order_acquire)};  // [prepare] entries up to here are complete
            if (newest <= prepared && fold_up_to(roster, out, prepared)) return Snapshot::unsettled;
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
