// A mapped pair of files as typed regions. Owns nothing; `Segment` does. Constness is deep: readers hold a const Roster.
#pragma once

#include <cstddef>

#include "shm/layout.hpp"
#include "shm/units.hpp"

namespace rollcall::shm {

class Roster {
public:
    Roster() = default;
    Roster(std::byte* roster, std::byte* pulse, const Geometry& geometry) noexcept : roster_(roster), pulse_(pulse), geometry_(geometry) {}

    const Geometry& geometry() const noexcept { return geometry_; }
    std::uint32_t capacity() const noexcept { return geometry_.capacity; }

    const Preamble& preamble() const noexcept { return at<Preamble>(roster_, 0); }
    Preamble& preamble() noexcept { return at<Preamble>(roster_, 0); }
    const Preamble& pulse_preamble() const noexcept { return at<Preamble>(pulse_, 0); }
    Preamble& pulse_preamble() noexcept { return at<Preamble>(pulse_, 0); }
    const RosterHeader& header() const noexcept { return at<RosterHeader>(roster_, sizeof(Preamble)); }
    RosterHeader& header() noexcept { return at<RosterHeader>(roster_, sizeof(Preamble)); }

    const Entry& entry(Sequence s) const noexcept { return at<Entry>(roster_, geometry_.ring, s.value & (geometry_.ring_entries - 1)); }
    Entry& entry(Sequence s) noexcept { return at<Entry>(roster_, geometry_.ring, s.value & (geometry_.ring_entries - 1)); }
    const std::atomic<std::uint32_t>& bucket(std::uint32_t i) const noexcept { return at<std::atomic<std::uint32_t>>(roster_, geometry_.buckets, i); }
    std::atomic<std::uint32_t>& bucket(std::uint32_t i) noexcept { return at<std::atomic<std::uint32_t>>(roster_, geometry_.buckets, i); }
    const std::atomic<std::uint32_t>& extent_class(std::uint32_t i) const noexcept { return at<std::atomic<std::uint32_t>>(roster_, geometry_.extent_classes, i); }
    std::atomic<std::uint32_t>& extent_class(std::uint32_t i) noexcept { return at<std::atomic<std::uint32_t>>(roster_, geometry_.extent_classes, i); }
    const Record& record(Slot s) const noexcept { return at<Record>(roster_, geometry_.records, s.value); }
    Record& record(Slot s) noexcept { return at<Record>(roster_, geometry_.records, s.value); }
    // The words of the blob with this number; the caller has checked the number.
    const AtomicWord64* blob(std::uint32_t number) const noexcept { return &at<AtomicWord64>(roster_, geometry_.blobs, std::size_t{number} * (blob_unit / 8)); }
    AtomicWord64* blob(std::uint32_t number) noexcept { return &at<AtomicWord64>(roster_, geometry_.blobs, std::size_t{number} * (blob_unit / 8)); }

    const Word& word(Slot s) const noexcept { return at<Word>(pulse_, geometry_.words, s.value); }
    Word& word(Slot s) noexcept { return at<Word>(pulse_, geometry_.words, s.value); }
    const Card& card(std::uint32_t i) const noexcept { return at<Card>(pulse_, geometry_.cards, i); }
    Card& card(std::uint32_t i) noexcept { return at<Card>(pulse_, geometry_.cards, i); }

    // Slots that were ever used, and so are backed by memory. What the header says is bounded by what is mapped.
    std::uint32_t high_water() const noexcept {
        const std::uint32_t n = header().high_water.load(std::memory_order_acquire);  // [extent] pairs with the rise after fallocate
        return n < geometry_.capacity ? n : geometry_.capacity;
    }
    std::int64_t base_ns() const noexcept { return static_cast<std::int64_t>(header().base_ns.load(std::memory_order_relaxed)); }

private:
    template <class T>
    static T& at(std::byte* base, std::uint64_t offset, std::size_t index = 0) noexcept {
        return reinterpret_cast<T*>(base + offset)[index];
    }

    std::byte* roster_ = nullptr;
    std::byte* pulse_ = nullptr;
    Geometry geometry_;
};

}  // namespace rollcall::shm
