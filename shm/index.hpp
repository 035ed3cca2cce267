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

inline constexpr int find_attempts = 64;

enum class Walk : std::uint8_t { end, match, changed };

// One walk along one chain. `changed`: the ground moved, or the chain makes no sense.
template <class Roster>
Walk walk(const Roster& roster, const Name& name, std::uint32_t hash, std::uint32_t bucket, FoundRecord& out) noexcept {
    const std::uint32_t limit = roster.high_water();
    std::uint32_t at = roster.bucket(bucket).load(std::memory_order_acquire);  // [index] pairs with link and unlink
    for (std::uint32_t steps = 0; at != no_index; ++steps) {
        if (at >= limit || steps > limit) return Walk::changed;
        const auto& record = roster.record(Slot{at});
        __builtin_prefetch(&record.name);  // a record is three lines, and one that is asked for is nearly always at the head of its chain
        const std::uint64_t version = load_version(record);
        const std::uint32_t its_hash = record.hash.load(std::memory_order_acquire);  // [index] before `next`: the writer moves it first
        bool match = its_hash == hash;
        if (match) {
            out.record.name = load_name(record);
            out.record.hot = decode(load_copy(record, version));
            match = out.record.name == name && out.record.hot.state != State::none;
        }
        const std::uint32_t next = record.next.load(std::memory_order_acquire);  // [index] pairs with link
        if (bucket_of(its_hash, roster.geometry().bucket_count) != bucket || load_version(record) != version) return Walk::changed;
        if (match) {
            out.slot = Slot{at};
            out.record.version = version;
            return Walk::match;
        }
        at = next;
    }
    return Walk::end;
}

// Any process, any time. About 0.4 µs at a million peers.
template <class Roster>
Lookup find(const Roster& roster, const Name& name, FoundRecord& out) noexcept {
    const std::uint32_t hash = hash_of(name);
    const std::uint32_t bucket = bucket_of(hash, roster.geometry().bucket_count);
    for (int attempt = 0; attempt < find_attempts; ++attempt) {
        switch (walk(roster, name, hash, bucket, out)) {
            case Walk::match: return Lookup::found;
            case Walk::end: return Lookup::absent;
            case Walk::changed: break;
        }
    }
    return Lookup::busy;
}

template <class Roster>
auto& head_of(Roster& roster, Slot slot) noexcept {
    const std::uint32_t hash = roster.record(slot).hash.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    return roster.bucket(bucket_of(hash, roster.geometry().bucket_count));
}

// Engine only. The record carries its name and hash, and is in no chain.
template <class Roster>
void link(Roster& roster, Slot slot) noexcept {
    auto& head = head_of(roster, slot);
    roster.record(slot).next.store(head.load(std::memory_order_relaxed), std::memory_order_release);  // [index]
    head.store(slot.value, std::memory_order_release);  // [index] pairs with the chain walk; publishes record and `next`
}

// Engine only. The record keeps hash and `next`, so that a reader standing on it walks on.
template <class Roster>
void unlink(Roster& roster, Slot slot) noexcept {
    auto* from = &head_of(roster, slot);
    for (std::uint32_t steps = 0; steps <= roster.capacity(); ++steps) {
        const std::uint32_t at = from->load(std::memory_order_relaxed);  // relaxed: the caller is the writer
        if (at >= roster.capacity()) return;
        if (at == slot.value) {
            from->store(roster.record(slot).next.load(std::memory_order_relaxed), std::memory_order_release);  // [index]
            return;
        }
        from = &roster.record(Slot{at}).next;
    }
}

// Engine only: is it in its chain?
template <class Roster>
bool is_linked(const Roster& roster, Slot slot) noexcept {
    const std::uint32_t hash = roster.record(slot).hash.load(std::memory_order_relaxed);
    const auto* from = &roster.bucket(bucket_of(hash, roster.geometry().bucket_count));
    for (std::uint32_t steps = 0; steps <= roster.capacity(); ++steps) {
        const std::uint32_t at = from->load(std::memory_order_relaxed);
        if (at == slot.value) return true;
        if (at >= roster.capacity()) return false;
        from = &roster.record(Slot{at}).next;
    }
    return false;
}

}  // namespace rollcall::shm
