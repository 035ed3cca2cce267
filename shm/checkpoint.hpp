// Publication: everything that is true at one position of the ring, selected by one store.
//
// The selector packs `head` and a count of publications; its lowest bit names the checkpoint that counts. The engine fills the other
// one and stores the selector: that store is the moment at which a commit happens, for observers and for a successor alike.
// A reader accepts what it copied if the selector has not moved; a checkpoint is rewritten only after one more publication.
#pragma once

#include <algorithm>
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

template <class Header>
Sequence load_head(const Header& header) noexcept {
    return head_in(header.selector.load(std::memory_order_acquire));  // [publish] pairs with publish: entries up to head are complete
}

inline constexpr int checkpoint_attempts = 1000;

inline std::array<Duration*, 5> durations(Settings& s) noexcept { return {&s.heartbeat, &s.suspect, &s.dead, &s.evict, &s.scan}; }

template <class Checkpoint>
void copy_checkpoint(const Checkpoint& from, CheckpointValues& to) noexcept {
    constexpr auto acquire = std::memory_order_acquire;  // [publish] a word of a later filling also shows its later selector
    to.head = Sequence{from.head.load(acquire)};
    to.view = from.view.load(acquire);
    to.list_version = from.list_version.load(acquire);
    to.host_incarnation = from.host_incarnation.load(acquire);
    to.greatest_incarnation = from.greatest_incarnation.load(acquire);
    const auto fields = durations(to.settings);
    for (std::size_t i = 0; i < fields.size(); ++i) *fields[i] = Duration{static_cast<std::int64_t>(from.settings_ns[i].load(acquire))};
    for (std::size_t i = 0; i < counter_count; ++i) to.counters[i] = from.counters[i].load(acquire);
    to.pause_count = static_cast<std::uint32_t>(from.pause_count.load(acquire));
    for (std::size_t i = 0; i < std::min<std::size_t>(to.pause_count, max_pauses); ++i)
        to.pauses[i] = {Stamp{from.pauses[i][0].load(acquire)}, Stamp{from.pauses[i][1].load(acquire)}};
}

// False if publications kept overtaking the reader, or the contents are damaged.
template <class Header>
bool load_checkpoint(const Header& header, CheckpointValues& out) noexcept {
    for (int attempt = 0; attempt < checkpoint_attempts; ++attempt) {
        const std::uint64_t selector = header.selector.load(std::memory_order_acquire);  // [publish] pairs with publish
        copy_checkpoint(header.checkpoints[selector & 1], out);
        if (header.selector.load(std::memory_order_acquire) != selector) continue;  // [publish]
        return out.head == head_in(selector) && out.pause_count <= max_pauses && validate(out.settings).has_value();
    }
    return false;
}

// The suspect timeout in force, alone. A torn read can only give the one before or the one after a change.
template <class Header>
std::uint64_t load_suspect_ns(const Header& header) noexcept {
    const std::uint64_t selector = header.selector.load(std::memory_order_acquire);  // [publish]
    return header.checkpoints[selector & 1].settings_ns[1].load(std::memory_order_acquire);  // [publish]
}

template <class Checkpoint>
void store_rare(Checkpoint& to, const CheckpointValues& values) noexcept {
    constexpr auto release = std::memory_order_release;  // [publish]
    Settings settings = values.settings;
    const auto fields = durations(settings);
    for (std::size_t i = 0; i < fields.size(); ++i) to.settings_ns[i].store(static_cast<std::uint64_t>(fields[i]->count()), release);
    to.pause_count.store(values.pause_count, release);
    for (std::size_t i = 0; i < values.pause_count; ++i) {
        to.pauses[i][0].store(values.pauses[i].begin.value, release);
        to.pauses[i][1].store(values.pauses[i].end.value, release);
    }
}

// What the two checkpoints hold of what changes rarely (settings, pauses): an edition each. 0: nobody knows.
struct HeldEditions {
    std::array<std::uint64_t, 2> editions{};
};

// Fills the checkpoint that does not count and makes it count. Engine only. What changes rarely is written only where the checkpoint holds another than
// this edition: 17 stores, with it 6 and two a pause more.
template <class Header>
void publish(Header& header, const CheckpointValues& values, std::uint64_t edition, HeldEditions& held) noexcept {
    constexpr auto release = std::memory_order_release;  // [publish] a reader of this word also sees the selector before it
    const std::uint64_t selector = header.selector.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    auto& to = header.checkpoints[(selector + 1) & 1];
    to.head.store(values.head.value, release);
    to.view.store(values.view, release);
    to.list_version.store(values.list_version, release);
    to.host_incarnation.store(values.host_incarnation, release);
    to.greatest_incarnation.store(values.greatest_incarnation, release);
    for (std::size_t i = 0; i < counter_count; ++i) to.counters[i].store(values.counters[i], release);
    std::uint64_t& there = held.editions[(selector + 1) & 1];
    if (there == 0 || there != edition) store_rare(to, values);
    there = edition;
    const std::uint64_t next = values.head.value << 16 | ((selector + 1) & 0xFFFF);
    header.selector.store(next, release);  // [publish] pairs with load_head and load_checkpoint; the commit happens here
}
template <class Header>
void publish(Header& header, const CheckpointValues& values) noexcept {
    HeldEditions unknown;
    publish(header, values, 0, unknown);
}

}  // namespace rollcall::shm
