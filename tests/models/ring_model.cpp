// Entries of the event ring and the cursors before them, explored by Relacy: shm/ring.hpp itself.
#include "tests/models/watched_atomic.hpp"

#include "shm/record.hpp"
#include "shm/ring.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr unsigned schedules = 100'000;

using WatchedEntry = BasicEntry<WatchedAtomic>;

StoredEvent event(std::uint64_t number) {
    StoredEvent e;
    e.sequence = Sequence{number};
    e.slot = Slot{static_cast<std::uint32_t>(number)};
    e.kind = EventKind::joined;
    e.hot.incarnation = Incarnation{number};
    e.hot.lsn = Sequence{number};
    e.hot.since = Stamp{number};
    e.hot.suspect_units = e.hot.dead_units = number;
    e.view = e.mono_ns = e.wall_us = e.length_ns = e.list_version = number;
    e.epoch = static_cast<std::uint32_t>(number);
    e.name = Name::of(std::string(62, static_cast<char>('a' + number)));
    return e;
}

void require_whole(const StoredEvent& seen, std::uint64_t number) {
    const StoredEvent wanted = event(number);
    require(seen.slot == wanted.slot && seen.kind == wanted.kind && seen.epoch == wanted.epoch, "slot, kind and epoch are the event's");
    require(encode(seen.hot) == encode(wanted.hot), "the after-image is the event's");
    require(seen.view == number && seen.mono_ns == number && seen.wall_us == number && seen.length_ns == number && seen.list_version == number,
            "the numbers are the event's");
    require(seen.name == wanted.name, "the name is the event's");
}

template <class Visit>
void for_each_payload(WatchedEntry& e, Visit visit) {
    for (auto* word : {&e.what, &e.view, &e.mono_ns, &e.wall_us, &e.length_ns, &e.epoch, &e.list_version}) visit(*word);
    for (auto& word : e.hot) visit(word);
    for (auto& word : e.name) visit(word);
}

struct AsWritten {
    static void weaken(WatchedEntry&) {}
    static void store(WatchedEntry& entry, const StoredEvent& e) { store_entry(entry, e); }
    static bool load(const WatchedEntry& entry, Sequence wanted, StoredEvent& out) { return load_entry(entry, wanted, out); }
};
struct RelaxedContentStores : AsWritten {
    static void weaken(WatchedEntry& entry) {
        for_each_payload(entry, [](auto& word) { word.weaken(Weakness::relaxed_stores); });
    }
};
struct RelaxedContentLoads : AsWritten {
    static void weaken(WatchedEntry& entry) {
        for_each_payload(entry, [](auto& word) { word.weaken(Weakness::relaxed_loads); });
    }
};
struct RelaxedSequence : AsWritten {
    static void weaken(WatchedEntry& entry) { entry.sequence.weaken(Weakness::relaxed_stores); }
};
// The writer's first step left out.
struct NoZero : AsWritten {
    static void store(WatchedEntry& entry, const StoredEvent& e) {
        constexpr auto release = std::memory_order_release;
        entry.what.store(std::uint64_t{e.slot.value} << 32 | static_cast<std::uint64_t>(e.kind), release);
        const HotWords hot = encode(e.hot);
        for (std::size_t i = 0; i < hot_words; ++i) entry.hot[i].store(hot[i], release);
        entry.sequence.store(e.sequence.value, release);
    }
};
struct SequenceNotLookedAtAgain : AsWritten {
    static bool load(const WatchedEntry& entry, Sequence wanted, StoredEvent& out) {
        StoredEvent contents;
        if (entry.sequence.load(std::memory_order_acquire) != wanted.value) return false;
        (void)load_entry(entry, wanted, contents);  // reads everything; its refusal is overheard
        out = contents;
        out.slot = Slot{static_cast<std::uint32_t>(entry.what.load(std::memory_order_acquire) >> 32)};
        out.kind = EventKind::joined;
        for (std::size_t i = 0; i < name_words; ++i) out.name.words[i] = entry.name[i].load(std::memory_order_acquire);
        return true;
    }
};

// A ring of one entry: every event overtakes the reader of the one before.
template <class Code>
struct Overtaken : rl::test_suite<Overtaken<Code>, 2> {
    WatchedEntry entry;

    void before() {
        Code::store(entry, event(1));
        Code::weaken(entry);
    }
    void thread(unsigned who) {
        if (who == 0) {
            Code::store(entry, event(2));
            Code::store(entry, event(3));
            return;
        }
        for (std::uint64_t number = 1; number <= 3; ++number) {
            StoredEvent seen;
            if (Code::load(entry, Sequence{number}, seen)) require_whole(seen, number);
        }
    }
};

TEST(RingModel, AnOvertakenReaderKnowsIt) { EXPECT_TRUE(holds<Overtaken<AsWritten>>(schedules)); }

TEST(RingModel, MutantsOfTheEntryAreCaught) {
    EXPECT_TRUE(is_caught<Overtaken<RelaxedContentStores>>(schedules));
    EXPECT_TRUE(is_caught<Overtaken<RelaxedContentLoads>>(schedules));
    EXPECT_TRUE(is_caught<Overtaken<RelaxedSequence>>(schedules));
    EXPECT_TRUE(is_caught<Overtaken<NoZero>>(schedules));
    EXPECT_TRUE(is_caught<Overtaken<SequenceNotLookedAtAgain>>(schedules));
}

// A transcription of Ledger::commit: entries, `prepared`, records, selector. Its readers: an observer, which never goes past head; one
// that found a record newer than head (an unsettled snapshot), which goes on to `prepared`.
struct Cursors {
    WatchedAtomic<std::uint64_t> prepared, selector;
};
struct InOrder {
    static constexpr bool prepare_first = true, records_before_head = true;
    static void weaken(Cursors&) {}
};
struct PreparedAfterRecords : InOrder {
    static constexpr bool prepare_first = false;
};
struct HeadBeforeRecords : InOrder {
    static constexpr bool records_before_head = false;
};
struct RelaxedHead : InOrder {
    static void weaken(Cursors& cursors) { cursors.selector.weaken(Weakness::relaxed_stores); }
};
struct RelaxedPrepared : InOrder {
    static void weaken(Cursors& cursors) { cursors.prepared.weaken(Weakness::relaxed_stores); }
};

template <class Code>
struct Commit : rl::test_suite<Commit<Code>, 2> {
    std::array<WatchedEntry, 2> ring;
    BasicRecord<WatchedAtomic> record;
    Cursors cursors;

    void before() { Code::weaken(cursors); }

    void apply(std::uint64_t number) { store_hot(record, encode(event(number).hot)); }
    void commit(std::uint64_t number) {
        store_entry(ring[number - 1], event(number));
        if (Code::prepare_first) cursors.prepared.store(number, std::memory_order_release);  // [prepare]
        if (Code::records_before_head) apply(number);
        if (!Code::prepare_first) cursors.prepared.store(number, std::memory_order_release);  // [prepare]
        cursors.selector.store(number, std::memory_order_release);                           // [publish]
        if (!Code::records_before_head) apply(number);
    }
    Sequence lsn() const {
        RecordView view;
        require(load(record, view), "the record reads");
        return view.hot.lsn;
    }
    void thread(unsigned who) {
        if (who == 0) {
            commit(1);
            commit(2);
            return;
        }
        StoredEvent seen;
        const std::uint64_t head = cursors.selector.load(std::memory_order_acquire);  // [publish]
        const Sequence newest = lsn();
        require(newest.value >= head, "who reads an event finds it applied");
        const std::uint64_t prepared = cursors.prepared.load(std::memory_order_acquire);  // [prepare]
        require(newest.value <= prepared, "nothing is applied that was not prepared");
        for (std::uint64_t number = 1; number <= head; ++number) {
            require(load_entry(ring[number - 1], Sequence{number}, seen), "events up to head are complete");
            require_whole(seen, number);
        }
        for (std::uint64_t number = 1; number <= prepared; ++number)
            require(load_entry(ring[number - 1], Sequence{number}, seen), "events up to prepared are complete");
    }
};

TEST(RingModel, WhoReadsAnEventFindsItAppliedAndWhatIsAppliedWasPrepared) { EXPECT_TRUE(holds<Commit<InOrder>>(schedules)); }

TEST(RingModel, MutantsOfTheCursorsAreCaught) {
    EXPECT_TRUE(is_caught<Commit<PreparedAfterRecords>>(schedules));
    EXPECT_TRUE(is_caught<Commit<HeadBeforeRecords>>(schedules));
    EXPECT_TRUE(is_caught<Commit<RelaxedHead>>(schedules));
    EXPECT_TRUE(is_caught<Commit<RelaxedPrepared>>(schedules));
}

}  // namespace
}  // namespace rollcall::models
