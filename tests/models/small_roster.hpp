// What the readers of shm/ see of a roster, small and watched: two slots, eight events, three blobs. And a transcription of the engine's
// Ledger::commit and BlobHeap, which write it.
#pragma once

#include "tests/models/watched_atomic.hpp"

#include "shm/snapshot.hpp"

namespace rollcall::models {

class SmallRoster {
public:
    static constexpr std::uint32_t slots = 2, events = 8, blobs = 3, blob_class = 1;
    static constexpr std::uint32_t blob_bytes = shm::blob_class_bytes[blob_class];
    static constexpr std::uint32_t blob_units = blob_bytes / shm::blob_unit, blob_words = blob_bytes / 8;

    using Record = shm::BasicRecord<WatchedAtomic>;
    using Entry = shm::BasicEntry<WatchedAtomic>;
    struct Header {
        WatchedAtomic<std::uint64_t> selector, prepared;
        WatchedAtomic<std::uint32_t> high_water, blob_extents_used;
        shm::BasicCheckpoint<WatchedAtomic> checkpoints[2];
    };

    SmallRoster() {
        geometry_.capacity = slots;
        geometry_.ring_entries = events;
        geometry_.blob_extents = 1;
        header_.blob_extents_used.store(1, std::memory_order_relaxed);
        extent_class_.store(blob_class, std::memory_order_relaxed);
    }
    const shm::Geometry& geometry() const { return geometry_; }
    std::uint32_t capacity() const { return slots; }
    std::uint32_t high_water() const { return header_.high_water.load(std::memory_order_acquire); }  // [extent]
    Header& header() { return header_; }
    const Header& header() const { return header_; }
    Record& record(Slot s) { return records_[s.value]; }
    const Record& record(Slot s) const { return records_[s.value]; }
    Entry& entry(Sequence s) { return ring_[s.value % events]; }
    const Entry& entry(Sequence s) const { return ring_[s.value % events]; }
    WatchedAtomic<std::uint32_t>& extent_class(std::uint32_t) { return extent_class_; }
    const WatchedAtomic<std::uint32_t>& extent_class(std::uint32_t) const { return extent_class_; }
    WatchedAtomic<std::uint64_t>* blob(std::uint32_t number) { return &heap_[number * shm::blob_unit / 8]; }
    const WatchedAtomic<std::uint64_t>* blob(std::uint32_t number) const { return &heap_[number * shm::blob_unit / 8]; }
    std::array<WatchedAtomic<std::uint64_t>, blobs * blob_words>& heap() { return heap_; }

private:
    shm::Geometry geometry_;
    Header header_;
    std::array<Record, slots> records_;
    std::array<Entry, events> ring_;
    WatchedAtomic<std::uint32_t> extent_class_;
    std::array<WatchedAtomic<std::uint64_t>, blobs * blob_words> heap_;
};

// What happens, event by event. Blob 0 belongs to slot 0 first, is freed by the second event, and belongs to slot 1 from the third on.
struct Happening {
    EventKind kind;
    std::uint32_t slot, blob;
};
inline constexpr std::array<Happening, 5> happenings{{
    {EventKind::none, 0, 0},
    {EventKind::joined, 0, 0},
    {EventKind::updated, 0, 1},
    {EventKind::joined, 1, 0},
    {EventKind::updated, 0, 2},
}};
inline constexpr std::uint64_t last_happening = happenings.size() - 1;

// All of it tells the number of its event.
inline shm::Blob blob_of(std::uint64_t number) {
    shm::Blob blob;
    blob.sequence = Sequence{number};
    blob.set_text(std::string(16, static_cast<char>('a' + number)), "", "");  // both words of text
    blob.start_ticks = blob.token = number;
    blob.card = blob.pid = blob.uid = blob.gid = static_cast<std::uint32_t>(number);
    return blob;
}
inline bool same_blob(const shm::Blob& a, const shm::Blob& b) {
    return a.sequence == b.sequence && a.endpoint() == b.endpoint() && a.host() == b.host() && a.tags() == b.tags() && a.card == b.card &&
           a.start_ticks == b.start_ticks && a.pid == b.pid && a.uid == b.uid && a.gid == b.gid && a.token == b.token;
}
inline shm::StoredEvent event_of(std::uint64_t number) {
    const Happening& what = happenings[number];
    shm::StoredEvent e;
    e.sequence = Sequence{number};
    e.slot = Slot{what.slot};
    e.kind = what.kind;
    e.hot.state = State::alive;
    e.hot.lsn = Sequence{number};
    e.hot.incarnation = Incarnation{number};
    e.hot.since = Stamp{number};
    e.hot.blob = what.blob * SmallRoster::blob_units;
    e.view = number;
    e.name = shm::Name::of(what.slot == 0 ? "first" : "second");
    return e;
}
// The last event of that slot up to that one; 0: none.
inline std::uint64_t last_event_of(std::uint32_t slot, std::uint64_t until) {
    for (; until > 0; --until)
        if (happenings[until].slot == slot) break;
    return until;
}

// Transcribes Membership (blob first), Ledger::plan, commit and apply. A mutant overrides what it does otherwise.
struct AsWritten {
    static constexpr bool publishes_before_reuse = true;
    static void weaken(SmallRoster&) {}
    static void store_blob(SmallRoster& roster, std::uint32_t number, const shm::Blob& blob) { shm::store_blob(roster, number, blob); }
};

template <class Code>
void plan(SmallRoster& roster, std::uint64_t number) {
    const shm::StoredEvent event = event_of(number);
    Code::store_blob(roster, event.hot.blob, blob_of(number));
    shm::store_entry(roster.entry(event.sequence), event);
}

inline void apply(SmallRoster& roster, std::uint64_t number) {
    const shm::StoredEvent event = event_of(number);
    auto& record = roster.record(event.slot);
    if (event.kind == EventKind::joined) {
        auto& high_water = roster.header().high_water;
        if (high_water.load(std::memory_order_relaxed) <= event.slot.value)
            high_water.store(event.slot.value + 1, std::memory_order_release);  // [extent]
        shm::store_name(record, 0, event.name);
    }
    shm::store_hot(record, shm::encode(event.hot));
}

inline void publish_at(SmallRoster& roster, std::uint64_t number) {
    shm::CheckpointValues values;
    values.head = Sequence{number};
    values.view = number;
    shm::publish(roster.header(), values);
}

template <class Code>
void commit(SmallRoster& roster, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number) plan<Code>(roster, number);
    roster.header().prepared.store(last, std::memory_order_release);  // [prepare]
    for (std::uint64_t number = first; number <= last; ++number) apply(roster, number);
    publish_at(roster, last);
}

// The mutant reuses blob 0 in the very commit that frees it.
template <class Code>
void write_all(SmallRoster& roster) {
    if (!Code::publishes_before_reuse) return commit<Code>(roster, 2, last_happening);
    commit<Code>(roster, 2, 2);
    commit<Code>(roster, 3, last_happening);
}

template <class Code>
void begin(SmallRoster& roster) {
    commit<Code>(roster, 1, 1);
    Code::weaken(roster);
}

}  // namespace rollcall::models
