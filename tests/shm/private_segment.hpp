// Memory that no other process can reach, small enough that everything in it wraps soon; and its simplest contents.
#pragma once

#include <stdexcept>
#include <string>

#include "shm/blob.hpp"
#include "shm/index.hpp"
#include "shm/record.hpp"
#include "shm/segment.hpp"

namespace rollcall::test {

inline shm::SegmentOptions small_options(std::uint32_t capacity = 64, std::uint32_t ring = 64, std::uint64_t instance = 0x1234) {
    shm::SegmentOptions options;
    options.cluster = "test";
    options.capacity = capacity;
    options.ring_entries = ring;
    options.base_ns = 1'000;
    options.stream = 77;
    options.instance = instance;
    return options;
}

inline shm::Segment private_segment(std::uint32_t capacity = 64, std::uint32_t ring = 64) {
    auto made = shm::Segment::create_private(small_options(capacity, ring));
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}

// Makes the next extent of the heap one of `size_class`; returns the number of its first blob.
inline std::uint32_t add_blob_extent(shm::Roster& roster, std::size_t size_class) {
    auto& used = roster.header().blob_extents_used;
    const std::uint32_t extent = used.load(std::memory_order_relaxed);  // relaxed: one thread
    roster.extent_class(extent).store(static_cast<std::uint32_t>(size_class), std::memory_order_relaxed);
    used.store(extent + 1, std::memory_order_release);  // [extent]
    return extent * static_cast<std::uint32_t>(shm::blob_extent_bytes / shm::blob_unit);
}

// A living peer in `slot`, in the index; the high-water mark rises over it.
inline void put_peer(shm::Roster& roster, Slot slot, const std::string& node, std::uint64_t incarnation = 1) {
    auto& high_water = roster.header().high_water;
    if (high_water.load(std::memory_order_relaxed) <= slot.value) high_water.store(slot.value + 1, std::memory_order_release);  // [extent]
    shm::Hot hot;
    hot.state = State::alive;
    hot.reason = Reason::join;
    hot.incarnation = Incarnation{incarnation};
    hot.word_slot = slot;
    const shm::Name name = shm::Name::of(node);
    shm::store_name(roster.record(slot), shm::hash_of(name), name);
    shm::store_hot(roster.record(slot), shm::encode(hot));
    shm::link(roster, slot);
}

// As a leave does it: first the record, then the chain.
inline void remove_peer(shm::Roster& roster, Slot slot) {
    shm::Hot hot = shm::own_hot(roster.record(slot));
    hot.state = State::none;
    shm::store_hot(roster.record(slot), shm::encode(hot));
    shm::unlink(roster, slot);
}

}  // namespace rollcall::test
