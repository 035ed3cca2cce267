// Which slot the next peer gets.
//
// A producer's slots share cache lines with nobody else's as long as there are lines: eight words are a line, and two producers on one
// line pay four times as much for a beat. After that, lines are shared. Freed slots rest for a moment and are reused first in, first
// out, so that a generation comes round as late as possible.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "shm/units.hpp"

namespace rollcall::engine {

// Who beats in a slot. 0 is the engine's own process (peers registered by the embedding program).
using ProducerId = std::uint64_t;

// One thread. Knows no memory.
class SlotPool {
public:
    static constexpr std::uint32_t line = 8;

    // `high_water`: slots below it have been used before; none of them is free until `release` says so.
    SlotPool(std::uint32_t capacity, std::uint32_t high_water);

    // A slot for one more peer of `producer`; nothing when every slot is taken or resting. `quarantine`: how long a freed one rests.
    std::optional<Slot> take(ProducerId producer, Stamp now, std::uint64_t quarantine);
    // The slot is free from `now` on; Stamp{}: nobody can know it any more, it need not rest.
    void release(Slot slot, Stamp now);
    // No more peers of this producer will come: what was kept for it is anybody's.
    void forget(ProducerId producer);

    // Slots at or above this have never been handed out.
    std::uint32_t high_water() const noexcept { return high_water_; }

private:
    struct Freed {
        std::uint32_t index;  // a slot, or a line
        Stamp at;
    };
    static void enqueue(std::deque<Freed>& queue, Freed freed);
    std::optional<Slot> take_from_line(ProducerId producer, std::uint32_t line_number, bool fresh);
    std::optional<Slot> take_kept(ProducerId producer);
    std::optional<Slot> take_loose(Stamp now, std::uint64_t quarantine);
    std::optional<Slot> take_anybodys();
    Slot occupy(std::uint32_t index);

    enum class Where : std::uint8_t { unused, taken, kept, loose, idle_line };
    std::uint32_t capacity_;
    std::uint32_t high_water_;
    std::vector<Where> where_;
    std::vector<Stamp> freed_at_;
    std::vector<std::uint8_t> busy_;  // a line: slots taken or kept
    std::deque<Freed> loose_;
    std::deque<Freed> idle_lines_;
    std::unordered_map<ProducerId, std::vector<std::uint32_t>> kept_;
};

}  // namespace rollcall::engine
