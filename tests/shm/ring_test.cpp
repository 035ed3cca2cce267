// Entries of the event ring: accepted whole under the sequence that was asked for, or not at all.
#include "shm/ring.hpp"

#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/shm/scripted_atomic.hpp"

namespace rollcall::shm {
namespace {

using ScriptedEntry = BasicEntry<test::ScriptedAtomic>;

// An event whose every field tells its sequence.
StoredEvent event_of(std::uint64_t n) {
    StoredEvent e;
    e.sequence = Sequence{n};
    e.slot = Slot{static_cast<std::uint32_t>(n)};
    e.kind = static_cast<EventKind>(1 + n % 8);
    e.before = static_cast<State>(n % 4);
    e.hot.incarnation = Incarnation{n};
    e.hot.lsn = e.sequence;
    e.hot.last_beat = Stamp{n};
    e.hot.blob = static_cast<std::uint32_t>(n);
    e.hot.suspect_units = e.hot.dead_units = n;
    e.view = e.mono_ns = e.wall_us = e.length_ns = e.list_version = n;
    e.epoch = static_cast<std::uint32_t>(n);
    e.name = Name::of("node-" + std::to_string(n) + std::string(40, static_cast<char>('a' + n % 26)));
    return e;
}

bool same(const StoredEvent& a, const StoredEvent& b) {
    return a.sequence == b.sequence && a.slot == b.slot && a.kind == b.kind && a.before == b.before && encode(a.hot) == encode(b.hot) && a.view == b.view &&
           a.mono_ns == b.mono_ns && a.wall_us == b.wall_us && a.length_ns == b.length_ns && a.epoch == b.epoch && a.list_version == b.list_version && a.name == b.name;
}

TEST(Ring, AnEntryComesOutAsItWentIn) {
    Entry entry{};
    StoredEvent read;
    for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{77}, std::uint64_t{0xFFFF'FFFF'FFFF}}) {
        StoredEvent wanted = event_of(n & 0xFFFF);
        wanted.sequence = wanted.hot.lsn = Sequence{n};
        store_entry(entry, wanted);
        ASSERT_TRUE(load_entry(entry, Sequence{n}, read));
        EXPECT_TRUE(same(read, wanted)) << n;
    }
}

TEST(Ring, AnEntryIsRefusedUnderAnyOtherSequence) {
    Entry entry{};
    StoredEvent read;
    EXPECT_FALSE(load_entry(entry, Sequence{1}, read)) << "never written";
    store_entry(entry, event_of(65));
    EXPECT_FALSE(load_entry(entry, Sequence{1}, read)) << "overwritten";
    EXPECT_FALSE(load_entry(entry, Sequence{129}, read)) << "not yet written";
}

TEST(Ring, AnyContentsDecode) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 2'000; ++i) {
        Entry entry{};
        entry.what.store(random());
        for (auto& word : entry.hot) word.store(random());
        for (auto& word : entry.name) word.store(random());
        entry.epoch.store(random());
        entry.sequence.store(9);
        StoredEvent read;
        ASSERT_TRUE(load_entry(entry, Sequence{9}, read));
        ASSERT_LE(read.name.view().size(), max_node_id);
    }
}

// From the first to the last but one of the writer's stores the entry belongs to nobody.
TEST(Ring, AnEntryIsNotAcceptedWhileItIsBeingWritten) {
    ScriptedEntry entry{};
    store_entry(entry, event_of(1));
    const ScriptedEntry before = entry;
    std::vector<test::Store> stores;
    test::Script::recording = &stores;
    store_entry(entry, event_of(65));
    test::Script::recording = nullptr;
    for (std::size_t done = 0; done <= stores.size(); ++done) {
        entry = before;
        test::Script(stores, {}).run_writer_to(done);
        StoredEvent read;
        EXPECT_EQ(load_entry(entry, Sequence{1}, read), done == 0) << done;
        EXPECT_EQ(load_entry(entry, Sequence{65}, read), done == stores.size()) << done;
    }
}

// A reader is stopped up to three times, at any of its loads, while the entry is overwritten: it reads its event whole, or learns that
// it was lapped.
TEST(Ring, ALappedReaderIsRefusedUnderAnySchedule) {
    ScriptedEntry entry{};
    store_entry(entry, event_of(1));
    const ScriptedEntry before = entry;
    std::vector<test::Store> stores;
    test::Script::recording = &stores;
    store_entry(entry, event_of(65));
    test::Script::recording = nullptr;
    constexpr std::size_t loads = 2 + 1 + hot_words + 6 + name_words;
    std::size_t good = 0, refused = 0, torn = 0;
    test::for_each_schedule(loads, stores.size(), [&](const std::vector<test::Switch>& switches) {
        for (const std::uint64_t wanted : {1, 65}) {
            entry = before;
            test::Script script(stores, switches);
            test::Script::playing = &script;
            StoredEvent read;
            const bool accepted = load_entry(entry, Sequence{wanted}, read);
            test::Script::playing = nullptr;
            if (!accepted) ++refused;
            else ++(same(read, event_of(wanted)) ? good : torn);
        }
    });
    EXPECT_EQ(torn, 0u);
    EXPECT_GT(good, 0u);
    EXPECT_GT(refused, 0u);
}

// Real threads: the writer laps the readers all the time.
TEST(Ring, NoReaderAcceptsATornEntryWhileAWriterLapsIt) {
    constexpr std::uint64_t wanted = 10'000, entries = 4;
    std::array<Entry, entries> ring{};
    std::array<StoredEvent, 26 * 4> events;  // prepared, so that the writer does nothing but store
    std::atomic<std::uint64_t> head{0};
    std::atomic<int> done{0};
    std::array<std::uint64_t, 2> torn{};
    for (std::size_t i = 0; i < events.size(); ++i) events[i] = event_of(i + 1);
    {
        std::vector<std::jthread> readers;
        for (std::uint64_t& bad : torn)
            readers.emplace_back([&] {
                for (std::uint64_t good = 0; good < wanted && bad == 0;) {
                    const std::uint64_t n = head.load(std::memory_order_acquire);  // [publish]
                    StoredEvent read, truth = events[n % events.size()];
                    if (!load_entry(ring[(n + 1) % entries], Sequence{n + 1}, read)) continue;
                    truth.sequence = Sequence{n + 1};
                    ++(same(read, truth) ? good : bad);
                }
                done.fetch_add(1, std::memory_order_relaxed);  // relaxed: joining the thread publishes its counts
            });
        for (std::uint64_t n = 0; done.load(std::memory_order_relaxed) < 2; ++n) {
            StoredEvent event = events[n % events.size()];
            event.sequence = Sequence{n + 1};
            store_entry(ring[(n + 1) % entries], event);
            head.store(n, std::memory_order_release);  // [publish] entry n + 1 is complete
        }
    }
    for (const std::uint64_t bad : torn) EXPECT_EQ(bad, 0u);
}

}  // namespace
}  // namespace rollcall::shm
