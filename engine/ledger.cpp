#include "engine/ledger.hpp"

#include <algorithm>

#include "shm/index.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

using shm::Hot;
using shm::StoredEvent;

Ledger::Ledger(shm::Segment& segment, const shm::CheckpointValues& at, std::uint32_t epoch)
    : segment_(segment), blobs_(segment), values_(at), prepared_(at.head), epoch_(epoch) {
    const std::uint32_t ring = segment.roster().geometry().ring_entries;
    step_limit_ = ring / 4;
    commit_limit_ = std::min(largest_commit, step_limit_);
    plans_.resize(commit_limit_);
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
    if (plain_kind(event.kind) == EventKind::joined) values.greatest_incarnation = std::max(values.greatest_incarnation, event.hot.incarnation.value);
}

namespace {
// Only of its own members does a host tell others.
bool is_in_own_list(const StoredEvent& event) noexcept { return event.slot != no_slot && !event.name.is_host() && has_own_word(event.slot, event.hot); }

constexpr std::uint64_t entries_ahead = 8;  // of a ring that is larger than the caches
bool leaves_index(const StoredEvent& event) noexcept { return event.hot.state == State::none && event.slot != no_slot; }
}  // namespace

void Ledger::plan(EventKind kind, Slot slot, const Hot& hot, const shm::Name& name, State before, std::uint64_t length_ns) {
    const Sequence sequence = next_sequence();
    shm::prefetch(roster().entry(sequence + entries_ahead));
    auto& [event, words] = plans_[planned_++];
    event.sequence = sequence;
    event.slot = slot;
    event.kind = name.is_host() ? host_kind(kind) : kind;
    event.name = name;
    event.before = before;
    event.hot = hot;
    event.hot.lsn = event.sequence;
    event.view = values_.view + (raises_view(event.kind, before) ? 1 : 0);
    event.list_version = is_in_own_list(event) && kind != EventKind::duplicate ? sequence.value : values_.list_version;
    event.mono_ns = static_cast<std::uint64_t>(now_.mono_ns);
    event.wall_us = static_cast<std::uint64_t>(now_.wall_us);
    event.length_ns = length_ns;
    event.epoch = epoch_;
    words = shm::encode(event.hot);
    shm::store_entry(roster().entry(sequence), event, words);
    if (leaves_index(event)) __builtin_prefetch(&shm::head_of(roster(), slot), 1);
    account(values_, event);
    ++step_events_;
}

// By now the heads of the chains that peers will be taken out of have come; of some the one to be changed comes second.
void Ledger::fetch_chains() const noexcept {
    const shm::Roster& from = segment_.roster();
    for (std::uint32_t i = 0; i < planned_; ++i) {
        const StoredEvent& event = plans_[i].event;
        if (!leaves_index(event)) continue;
        const std::uint32_t first = shm::head_of(from, event.slot).load(std::memory_order_relaxed);  // relaxed: our own
        if (first != event.slot.value && first < from.capacity()) __builtin_prefetch(&from.record(Slot{first}).next, 1);
    }
}

void Ledger::commit() {
    if (planned_ == 0 && !dirty_) return;
    prepared_ = prepared_ + planned_;
    roster().header().prepared.store(prepared_.value, std::memory_order_release);  // [prepare] from here on a successor redoes them
    fetch_chains();
    for (std::uint32_t i = 0; i < planned_; ++i) apply(plans_[i]);
    values_.head = prepared_;
    shm::publish(roster().header(), values_, edition_, held_);
    blobs_.release_freed();
    planned_ = 0;
    ++commit_number_;
    dirty_ = false;
    published_ = true;
}

// The order of these stores is what readers and a successor rely on: a joining word comes last, a dying word after its record.
void Ledger::apply(const Planned& planned) {
    const StoredEvent& event = planned.event;
    if (event.slot == no_slot) return;
    shm::Roster& to = roster();
    shm::Record& record = to.record(event.slot);
    const bool was_free = shm::own_state(record) == State::none;
    const bool own_word = has_own_word(event.slot, event.hot);
    const EventKind kind = plain_kind(event.kind);
    if (kind == EventKind::joined && was_free) shm::store_name(record, shm::hash_of(event.name), event.name);
    shm::store_hot(record, planned.hot);
    switch (kind) {
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
