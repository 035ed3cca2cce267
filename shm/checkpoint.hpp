// Publication: everything that is true at one position of the ring, selected by one store.
//
// The selector packs `head` and a count of publications; its lowest bit names the checkpoint that counts. The engine fills the other
// one and stores the selector: that store is the moment at which a commit happens, for observers and for a successor alike.
// A reader accepts what it copied if the selector has not moved; a checkpoint is rewritten only after one more publication.
#pragma once

#include <array>
#include <cstdint>

#include "shm/layout.hpp"
#include "shm/settings.hpp"
#include "shm/units.hpp"

namespace rollcall::shm {

// A stretch of time in which nobody observed, in stamps.
struct Pause {
    Stamp begin, end;
    friend bool operator==(const Pause&, const Pause&) = default;
};

struct CheckpointValues {
    Sequence head{};
    std::uint64_t view = 0;
    std::uint64_t list_version = 0;
    std::uint64_t host_incarnation = 0;
    std::uint64_t greatest_incarnation = 0;
    Settings settings;
    std::array<std::uint64_t, counter_count> counters{};
    std::uint32_t pause_count = 0;
    std::array<Pause, max_pauses> pauses{};
};

constexpr Sequence head_in(std::uint64_t selector) noexcept { return Sequence{selector >> 16}; }

inline Sequence load_head(const RosterHeader& header) noexcept {
    return head_in(header.selector.load(std::memory_order_acquire));  // [publish] pairs with publish: entries up to head are complete
}

// False if publications kept overtaking the reader, or the contents are damaged.
bool load_checkpoint(const RosterHeader& header, CheckpointValues& out) noexcept;

// The suspect timeout in force, alone. A torn read can only give the one before or the one after a change.
inline std::uint64_t load_suspect_ns(const RosterHeader& header) noexcept {
    const std::uint64_t selector = header.selector.load(std::memory_order_acquire);  // [publish]
    return header.checkpoints[selector & 1].settings_ns[1].load(std::memory_order_acquire);  // [publish]
}

// Fills the checkpoint that does not count and makes it count. Engine only. About 40 stores.
void publish(RosterHeader& header, const CheckpointValues& values) noexcept;

}  // namespace rollcall::shm
