#include "engine/adoption.hpp"

#include <algorithm>

#include "shm/index.hpp"
#include "shm/verify.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

using shm::Hot;
using shm::StoredEvent;

namespace {

// First all records, in order, guarded by their LSN. Counters, view and incarnations are computed on from the checkpoint.
Result<std::vector<Slot>> redo_records(shm::Roster& roster, shm::CheckpointValues& values, Sequence prepared) {
    std::vector<Slot> touched;
    for (Sequence s = values.head + 1; s <= prepared; s = s + 1) {
        StoredEvent event;
        if (!shm::load_entry(roster.entry(s), s, event)) return fail(ErrorKind::damaged, "event " + std::to_string(s.value) + " was prepared but is not in the ring");
        if (event.slot != no_slot) {
            if (event.slot.value >= roster.high_water()) return fail(ErrorKind::damaged, "event " + std::to_string(s.value) + " names a slot that does not exist");
            shm::Record& record = roster.record(event.slot);
            const Hot current = shm::own_hot(record);
            if (current.lsn < s) {
                if (plain_kind(event.kind) == EventKind::joined && current.state == State::none) shm::store_name(record, shm::hash_of(event.name), event.name);
                shm::store_hot(record, shm::encode(event.hot));
            }
            touched.push_back(event.slot);
        }
        account(values, event);
    }
    return touched;
}

// Then index and word of every touched slot are made to agree with the final record.
void agree(shm::Roster& roster, Slot slot, Stamp now) {
    const Hot hot = shm::own_hot(roster.record(slot));
    const bool linked = shm::is_linked(roster, slot);
    if (hot.state != State::none && !linked) shm::link(roster, slot);
    if (hot.state == State::none && linked) shm::unlink(roster, slot);
    if (!has_own_word(slot, hot)) return;
    shm::Word& word = roster.word(slot);
    const std::int64_t seen = word.load(std::memory_order_acquire);  // [beat]
    if (hot.state == State::none || hot.is_proof()) {
        if (seen != shm::free_word) shm::free_by_proof(word);
    } else if (hot.state != State::dead && (seen < 0 || shm::generation_of(seen) != hot.generation)) {
        shm::activate(word, now, hot.generation);
    }
}

// Other hosts, by their records; what they said of their members is as good as what was announced of them.
void rebuild_hosts(Books& books, Stamp now) {
    const std::uint32_t high_water = books.roster().high_water();
    for (std::uint32_t i = 0; i < high_water; ++i) {
        const Hot hot = books.hot(Slot{i});
        const shm::Name name = books.name(Slot{i});
        shm::Blob blob;
        if (hot.state == State::none || !name.is_host() || !shm::load_blob(books.roster(), hot.blob, blob) || blob.token >= high_water) continue;
        RemoteHost& host = books.hosts.add(name, Slot{i}, Slot{static_cast<std::uint32_t>(blob.token)}, Generation{});
        host.interval = Duration{static_cast<std::int64_t>(blob.start_ticks)};
        host.card = books.cards.keep(blob.card);
    }
    for (std::uint32_t i = 0; i < high_water; ++i) {
        const Slot slot{i};
        const Hot hot = books.hot(slot);
        if (hot.state == State::none || has_own_word(slot, hot) || hot.word_slot.value >= high_water) continue;
        RemoteHost* host = books.hosts.of_word(hot.word_slot);
        if (host == nullptr) host = &books.hosts.add_gone(hot.word_slot);  // half evicted: the rest follows
        const bool is_said = hot.is_proof() || hot.reason == Reason::host_said;
        books.hosts.add_member(*host, slot, is_said ? Said{hot.state, hot.reason, hot.status} : Said{});
        host->carried_over.insert(slot.value);
    }
    books.hosts.each([&](RemoteHost& host) {
        shm::Word& word = books.roster().word(host.word);
        const std::int64_t seen = word.load(std::memory_order_acquire);  // [beat]
        const bool is_good = seen >= 0 && seen != shm::free_word && shm::stamp_of(seen) <= now;
        host.word_generation = is_good ? shm::generation_of(seen) : shm::first_generation;
        if (!is_good) shm::activate(word, now, host.word_generation);
        books.table.set(host.word, Announced::alive, is_good ? shm::stamp_of(seen) : now);
        books.table.own(host.word, host.word_generation);
        books.hosts.unsettle(host);
        return true;
    });
}

// Free slots wait in the order in which they became free; blobs that no record names are free.
void rebuild(Books& books, Stamp now) {
    std::vector<std::pair<Sequence, Slot>> free;
    std::vector<std::uint32_t> blobs;
    rebuild_hosts(books, now);
    const std::uint32_t high_water = books.roster().high_water();
    for (std::uint32_t i = 0; i < high_water; ++i) {
        const Slot slot{i};
        const Hot hot = books.hot(slot);
        if (hot.state == State::none) {
            if (books.hosts.of_word(slot) == nullptr) free.emplace_back(hot.lsn, slot);
            continue;
        }
        const bool is_told = !has_own_word(slot, hot) && !hot.is_proof();
        books.table.set(slot, is_told ? Announced::told : announced(hot.state, hot.reason));
        if (!hot.is_proof() && has_own_word(slot, hot)) books.table.own(slot, hot.generation);
        blobs.push_back(hot.blob);
    }
    std::sort(free.begin(), free.end());
    for (const auto& [lsn, slot] : free) books.slots.release(slot, now);  // they rest as if freed just now
    books.ledger.blobs().rebuild(blobs);
}

}  // namespace

Result<std::unique_ptr<Books>> adopt(shm::Segment segment, const Now& now, std::uint32_t epoch) {
    shm::Roster& roster = segment.writable();
    shm::CheckpointValues values;
    if (!shm::load_checkpoint(roster.header(), values)) return fail(ErrorKind::damaged, "the checkpoint does not read");
    // Else stamps would stand still until then, and no silence would be judged.
    if (roster.base_ns() > now.mono_ns) return fail(ErrorKind::damaged, "the base of its stamps makes no sense");
    const Sequence prepared{roster.header().prepared.load(std::memory_order_acquire)};  // [prepare]
    if (prepared < values.head || prepared - values.head > roster.geometry().ring_entries / 4) return fail(ErrorKind::damaged, "the ring's cursors make no sense");

    auto touched = redo_records(roster, values, prepared);
    if (!touched) return fail(touched.error());
    for (const Slot slot : *touched) agree(roster, slot, now.stamp);
    if (prepared != values.head) {
        values.head = prepared;
        shm::publish(roster.header(), values);
    }
    segment.mend_pulse();
    // Redone and published, every invariant holds, or this is not what an engine of ours left. Damaged words are put right by the audit.
    if (const auto found = shm::verify(roster, Stamp{stamp_limit}); !found.is_structure_sound) return fail(ErrorKind::damaged, found.broken.front());
    const auto last_step = static_cast<std::int64_t>(roster.header().step_ns.load(std::memory_order_relaxed));
    auto books = std::make_unique<Books>(std::move(segment), values, epoch, roster.high_water());
    rebuild(*books, now.stamp);
    books->time = ObservedTime(nullptr, 0, now.stamp);  // nobody looked before
    if (last_step != 0) books->time = ObservedTime(values.pauses.data(), values.pause_count, std::min(now.stamp, to_stamp(instant_from_ns(last_step), books->roster().base_ns())));
    return books;
}

}  // namespace rollcall::engine
