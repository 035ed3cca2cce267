#include "engine/ledger.hpp"

#include <algorithm>

#include "shm/index.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

using shm::Hot;
using shm::StoredEvent;

namespace {
constexpr std::uint32_t largest_commit = 4096;
constexpr std::uint64_t records_ahead = 16;
}

Ledger::Ledger(shm::Segment& segment, const shm::CheckpointValues& at, std::uint32_t epoch)
    : segment_(segment), blobs_(segment), values_(at), prepared_(at.head), epoch_(epoch) {
    const std::uint32_t ring = segment.roster().geometry().ring_entries;
    step_limit_ = ring / 4;
    commit_limit_ = std::min(largest_commit, step_limit_);
}

void Ledger::begin_step(const Now& now) noexcept {
    now_ = now;
    step_events_ = 0;
    published_ = false;
}

void Ledger::make_room(std::uint32_t events, Slot slot, const PeerTable& table) {
    const bool again = slot != no_slot && table.touched_in(slot, commit_number_);
    if (planned_ + events > commit_limit_ || again) commit();
}

void account(shm::CheckpointValues& values, const StoredEvent& event) noexcept {
    const auto count = [&](Counter c) { ++values.counters[static_cast<std::size_t>(c)]; };
    switch (event.kind) {
        case EventKind::joined: count(Counter::joined); break;
        case EventKind::suspect: count(Counter::suspected); break;
        case EventKind::dead: count(Counter::dead); break;
        case EventKind::evicted: count(Counter::evicted); break;
        case EventKind::recovered: count(Counter::recovered); break;
        case EventKind::paused: count(Counter::pauses); break;
        case EventKind::left: count(Counter::left); break;
        default: break;
    }
    values.view = event.view;
    values.list_version = event.list_version;
    if (event.kind == EventKind::joined) values.greatest_incarnation = std::max(values.greatest_incarnation, event.hot.incarnation.value);
}

void Ledger::plan(EventKind kind, Slot slot, const Hot& hot, const shm::Name& name, State before, std::uint64_t length_ns) {
    StoredEvent event;
    event.sequence = next_sequence();
    event.slot = slot;
    event.kind = kind;
    event.before = before;
    event.hot = hot;
    event.hot.lsn = event.sequence;
    event.view = values_.view + (raises_view(kind, before) ? 1 : 0);
    event.list_version = values_.list_version + (kind == EventKind::paused ? 0 : 1);
    event.mono_ns = static_cast<std::uint64_t>(now_.mono_ns);
    event.wall_us = static_cast<std::uint64_t>(now_.wall_us);
    event.length_ns = length_ns;
    event.epoch = epoch_;
    event.name = name;
    shm::store_entry(roster().entry(event.sequence), event);
    account(values_, event);
    ++planned_;
    ++step_events_;
}

// What applying the event `s` will touch. Half as far ahead, by when its record has come, also its chain.
void Ledger::prefetch_for(Sequence s) noexcept {
    const auto slot_in = [&](Sequence at) { return static_cast<std::uint32_t>(roster().entry(at).what.load(std::memory_order_relaxed) >> 32); };  // relaxed: our own
    if (s <= prepared_)
        if (const std::uint32_t slot = slot_in(s); slot < roster().capacity()) shm::prefetch(roster().record(Slot{slot}));
    const Sequence nearer{s.value - records_ahead / 2};
    if (nearer > prepared_) return;
    if (const std::uint32_t slot = slot_in(nearer); slot < roster().capacity()) __builtin_prefetch(&shm::head_of(roster(), Slot{slot}), 1);
}

void Ledger::commit() {
    if (planned_ == 0 && !dirty_) return;
    const Sequence first = prepared_ + 1;
    prepared_ = prepared_ + planned_;
    roster().header().prepared.store(prepared_.value, std::memory_order_release);  // [prepare] from here on a successor redoes them
    for (Sequence s = first; s <= prepared_; s = s + 1) {
        prefetch_for(s + records_ahead);
        StoredEvent event;
        if (shm::load_entry(roster().entry(s), s, event)) apply(event);
    }
    values_.head = prepared_;
    shm::publish(roster().header(), values_);
    blobs_.release_freed();
    planned_ = 0;
    ++commit_number_;
    dirty_ = false;
    published_ = true;
}

// The order of these stores is what readers and a successor rely on: a joining word comes last, a dying word after its record.
void Ledger::apply(const StoredEvent& event) {
    if (event.slot == no_slot) return;
    shm::Roster& to = roster();
    shm::Record& record = to.record(event.slot);
    const bool was_free = own_hot(record).state == State::none;
    const bool own_word = has_own_word(event.slot, event.hot);
    if (event.kind == EventKind::joined && was_free) shm::store_name(record, shm::hash_of(event.name), event.name);
    shm::store_hot(record, shm::encode(event.hot));
    switch (event.kind) {
        case EventKind::joined:
            if (was_free) shm::link(to, event.slot);
            if (own_word) shm::activate(to.word(event.slot), now_.stamp, event.hot.generation);
            break;
        case EventKind::left:
        case EventKind::evicted:
            if (own_word) shm::free_by_proof(to.word(event.slot));
            shm::unlink(to, event.slot);
            break;
        case EventKind::dead:
        case EventKind::updated:
            // The `joined` that follows a replaced life exchanges the word itself: the node is never without one.
            if (own_word && event.hot.is_proof() && event.hot.reason != Reason::replaced) shm::free_by_proof(to.word(event.slot));
            break;
        default: break;
    }
}

}  // namespace rollcall::engine
