// Entries of the event ring. The engine writes beyond `head` only; a reader copies an entry and accepts it if it still carries the
// sequence that was asked for. A reader that was overtaken sees another sequence, or 0, and knows that it was lapped.
#pragma once

#include "shm/hot.hpp"
#include "shm/layout.hpp"
#include "shm/name.hpp"

namespace rollcall::shm {

struct StoredEvent {
    Sequence sequence{};
    Slot slot = no_slot;
    EventKind kind = EventKind::none;
    State before = State::none;  // what the peer was announced as until this event
    Hot hot;                     // after-image
    std::uint64_t view = 0;
    std::uint64_t mono_ns = 0;
    std::uint64_t wall_us = 0;
    std::uint64_t length_ns = 0;
    std::uint32_t epoch = 0;
    std::uint64_t list_version = 0;
    Name name;
};

// `hot` is encode(event.hot).
template <class Entry>
void store_entry(Entry& entry, const StoredEvent& event, const HotWords& hot) noexcept {
    constexpr auto release = std::memory_order_release;  // [entry] whoever reads a new word also sees the 0 before it
    entry.sequence.store(0, release);                    // [entry] from here on nobody accepts the old contents
    entry.what.store(std::uint64_t{event.slot.value} << 32 | static_cast<std::uint64_t>(event.before) << 8 | static_cast<std::uint64_t>(event.kind), release);
    store_words(entry.hot, hot, release);
    entry.view.store(event.view, release);
    entry.mono_ns.store(event.mono_ns, release);
    entry.wall_us.store(event.wall_us, release);
    entry.length_ns.store(event.length_ns, release);
    entry.epoch.store(event.epoch, release);
    entry.list_version.store(event.list_version, release);
    store_words(entry.name, event.name.words, release);
    entry.sequence.store(event.sequence.value, release);  // [entry] pairs with load_entry; publishes the contents
}

template <class Entry>
void store_entry(Entry& entry, const StoredEvent& event) noexcept {
    store_entry(entry, event, encode(event.hot));
}

// False: this entry does not hold `wanted` (yet, or any more). Any contents decode; whoever believes a slot or a kind checks it.
template <class Entry>
bool load_entry(const Entry& entry, Sequence wanted, StoredEvent& out) noexcept {
    constexpr auto acquire = std::memory_order_acquire;  // [entry] pairs with store_entry
    if (entry.sequence.load(acquire) != wanted.value) return false;
    const std::uint64_t what = entry.what.load(acquire);
    const HotWords hot = load_words<hot_words>(entry.hot, acquire);
    out.view = entry.view.load(acquire);
    out.mono_ns = entry.mono_ns.load(acquire);
    out.wall_us = entry.wall_us.load(acquire);
    out.length_ns = entry.length_ns.load(acquire);
    out.epoch = static_cast<std::uint32_t>(entry.epoch.load(acquire));
    out.list_version = entry.list_version.load(acquire);
    out.name.words = load_words<name_words>(entry.name, acquire);
    if (entry.sequence.load(acquire) != wanted.value) return false;
    out.sequence = wanted;
    out.slot = Slot{static_cast<std::uint32_t>(what >> 32)};
    out.before = static_cast<State>(what >> 8 & 0xFF);
    out.kind = static_cast<EventKind>(what & 0xFF);
    decode(hot, out.hot);
    return true;
}

}  // namespace rollcall::shm
