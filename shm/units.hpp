// The quantities rollcall speaks in. Inside the code they are types; at the edge of the memory layout they are the plain
// integers that `layout.hpp` lists, converted here and nowhere else.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace rollcall {

// CLOCK_MONOTONIC of this host. Time is always a parameter: only runners and main functions read a clock.
using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

// A number that does not mix with other numbers. `Tag` only tells the types apart.
template <class Tag, class Rep>
struct Strong {
    Rep value{};

    constexpr Strong() = default;
    constexpr explicit Strong(Rep v) noexcept : value(v) {}
    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

// Index of a peer's record and, for a local peer, of its heartbeat word.
using Slot = Strong<struct SlotTag, std::uint32_t>;
inline constexpr Slot no_slot{0xFFFF'FFFF};

// Which owner of a slot a heartbeat word belongs to. 0 and 0xFFFF are never issued.
using Generation = Strong<struct GenerationTag, std::uint16_t>;

// One life of a node: max(wall clock in µs, greatest ever issued + 1), below 2^53 so that JSON readers keep it.
using Incarnation = Strong<struct IncarnationTag, std::uint64_t>;
inline constexpr std::uint64_t incarnation_limit = std::uint64_t{1} << 53;

// Position in the stream of events: 1 is the first. 48 bits are stored.
using Sequence = Strong<struct SequenceTag, std::uint64_t>;
inline constexpr std::uint64_t sequence_limit = std::uint64_t{1} << 48;
constexpr Sequence operator+(Sequence s, std::uint64_t n) noexcept { return Sequence{s.value + n}; }
constexpr std::uint64_t operator-(Sequence a, Sequence b) noexcept { return a.value - b.value; }

// Time in the unit of the heartbeat word: 8.192 µs since the segment's base.
using Stamp = Strong<struct StampTag, std::uint64_t>;
inline constexpr int stamp_shift = 13;
inline constexpr std::uint64_t stamp_limit = std::uint64_t{1} << 47;

constexpr std::int64_t to_ns(Instant t) noexcept { return std::chrono::nanoseconds(t.time_since_epoch()).count(); }
constexpr Instant instant_from_ns(std::int64_t ns) noexcept { return Instant{std::chrono::nanoseconds{ns}}; }

// The stamp in force at `t`, rounded down; instants before the base give 0.
constexpr Stamp to_stamp(Instant t, std::int64_t base_ns) noexcept {
    // Any two numbers, no overflow: the base lies in shared memory.
    return Stamp{to_ns(t) <= base_ns ? 0 : (static_cast<std::uint64_t>(to_ns(t)) - static_cast<std::uint64_t>(base_ns)) >> stamp_shift};
}
constexpr Instant to_instant(Stamp s, std::int64_t base_ns) noexcept {
    return instant_from_ns(static_cast<std::int64_t>((static_cast<std::uint64_t>(base_ns) + (s.value << stamp_shift)) & (UINT64_MAX >> 2)));  // any bits, no overflow
}

// A timeout in stamp units, rounded up: together with a strict comparison no judgement is ever early.
constexpr std::uint64_t to_stamp_units_up(Duration d) noexcept {
    return d.count() <= 0 ? 0 : (static_cast<std::uint64_t>(d.count()) + (1u << stamp_shift) - 1) >> stamp_shift;
}
constexpr Duration from_stamp_units(std::uint64_t units) noexcept {
    return Duration{static_cast<std::int64_t>(units << stamp_shift)};
}

}  // namespace rollcall
