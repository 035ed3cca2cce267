// What the parts of the engine share: the memory, its ledger, and the private books that are rebuilt from it at adoption.
#pragma once

#include <algorithm>
#include <bit>

#include "engine/card_pool.hpp"
#include "engine/host_table.hpp"
#include "engine/judgement.hpp"
#include "engine/ledger.hpp"
#include "engine/observed_time.hpp"
#include "engine/peer_table.hpp"
#include "engine/receivers.hpp"
#include "engine/slot_pool.hpp"
#include "shm/record.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

struct Books {
    shm::Segment segment;
    Ledger ledger;
    PeerTable table;
    SlotPool slots;
    CardPool cards;
    ObservedTime time;
    Receivers receivers;  // of what other hosts say
    HostTable hosts;

    Books(shm::Segment memory, const shm::CheckpointValues& at, std::uint32_t epoch, std::uint32_t high_water)
        : segment(std::move(memory)), ledger(segment, at, epoch), table(segment.roster().capacity()), slots(segment.roster().capacity(), high_water), cards(segment) {}
    Books(const Books&) = delete;
    Books& operator=(const Books&) = delete;

    shm::Roster& roster() noexcept { return segment.writable(); }
    const Settings& settings() const noexcept { return ledger.values().settings; }
    shm::Hot hot(Slot s) noexcept { return shm::own_hot(roster().record(s)); }
    shm::Name name(Slot s) noexcept { return shm::load_name(roster().record(s)); }

    // With the last beat as its word tells it, where the word is still this life's.
    shm::Hot heard(Slot s, shm::Hot h) noexcept {
        const std::int64_t word = roster().word(s).load(std::memory_order_acquire);  // [beat] for the evidence only
        if (has_own_word(s, h) && word >= 0 && shm::generation_of(word) == h.generation) h.last_beat = shm::stamp_of(word);
        return h;
    }

    // By how much the observed age of what was judged exceeds its timeout, in stamp units; `lost` is what nobody observed since.
    std::uint64_t late(Stamp judged, std::uint64_t lost, std::uint64_t timeout) const noexcept {
        const std::uint64_t age = ledger.now().stamp.value > judged.value ? ledger.now().stamp.value - judged.value : 0;
        return age > lost + timeout ? age - lost - timeout : 0;
    }

    // Makes of `h` the after-image of a judgement at this step: evidence filled in, state and ground as given.
    void judge(shm::Hot& h, State state, Reason reason) const noexcept {
        if (h.state != state || reason == Reason::process_exit || (is_proof(state, reason) && !h.is_proof())) h.since = ledger.now().stamp;
        h.state = state;
        h.reason = reason;
        h.suspect_units = to_stamp_units_up(settings().suspect);
        h.dead_units = to_stamp_units_up(settings().dead);
        h.late_units = 0;
        h.lost_units = time.lost_since(h.last_beat);
    }
    shm::Hot judged(shm::Hot h, State state, Reason reason) const noexcept {
        judge(h, state, reason);
        return h;
    }

    // The host in whose list the peer in this slot is; none: it is of this host.
    RemoteHost* host_of(Slot s, const shm::Hot& h) const noexcept { return has_own_word(s, h) ? nullptr : hosts.of_word(h.word_slot); }

    // Another peer takes its place, or none: the host that spoke for it does so no more. Of a host that is gone, the last member takes the word along.
    void disown(Slot s, const shm::Hot& h) {
        RemoteHost* host = host_of(s, h);
        if (host != nullptr) hosts.remove_member(*host, s);
        else if (host = hosts.of_record(s); host != nullptr) hosts.lose_record(*host);
        if (host != nullptr && host->is_gone && host->members.empty()) release_word(*host);
    }
    void release_word(const RemoteHost& host) {
        const Slot word = host.word;
        cards.give_back(host.card);
        hosts.remove(host);
        shm::free_by_proof(roster().word(word));
        table.set(word, Announced::nobody);
        slots.release(word, ledger.now().stamp);
    }

    // The peer is gone from every table; its slot rests, its blob goes after the publication. Call before planning the event.
    shm::Hot vacated(Slot s, shm::Hot h, Reason reason) {
        disown(s, h);
        ledger.blobs().free_later(h.blob);
        h = judged(h, State::none, reason);
        h.blob = shm::no_index;
        table.set(s, Announced::nobody);
        slots.release(s, ledger.now().stamp);
        return h;
    }

    void plan(EventKind kind, Slot s, const shm::Hot& after, const shm::Name& peer, State before) {
        ledger.plan(kind, s, after, peer, before);
        table.touch(s, ledger.commit_number());
    }
};

// Adds one to a histogram that this thread alone writes: bucket b counts values of b significant bits.
inline void count_in(std::atomic<std::uint64_t> (&histogram)[shm::histogram_buckets], std::uint64_t ns) noexcept {
    auto& bucket = histogram[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(ns)), shm::histogram_buckets - 1)];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // relaxed: a statistic with one writer
}

}  // namespace rollcall::engine
