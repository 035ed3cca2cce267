// Hot records: a reader accepts a whole copy or none, and a dead writer blocks nobody.
#include "shm/record.hpp"

#include <gtest/gtest.h>

#include "tests/shm/scripted_atomic.hpp"

namespace rollcall::shm {
namespace {

using ScriptedRecord = BasicRecord<test::ScriptedAtomic>;

// A life whose every field tells its number.
Hot life(std::uint64_t n, State state = State::alive) {
    Hot h;
    h.incarnation = Incarnation{n};
    h.state = state;
    h.lsn = Sequence{n};
    h.generation = Generation{static_cast<std::uint16_t>(n)};
    h.since = Stamp{n};
    h.last_beat = Stamp{n};
    h.word_slot = Slot{static_cast<std::uint32_t>(n)};
    h.blob = static_cast<std::uint32_t>(n);
    h.suspect_units = h.dead_units = n;
    return h;
}

TEST(Record, ReadsWhatWasStored) {
    Record record{};
    const Name name = Name::of("worker-1");
    store_name(record, hash_of(name), name);
    store_hot(record, encode(life(41)));
    store_hot(record, encode(life(42)));
    RecordView view;
    ASSERT_TRUE(load(record, view));
    EXPECT_EQ(view.version, 2u);
    EXPECT_EQ(encode(view.hot), encode(life(42)));
    EXPECT_EQ(view.name, name);
    EXPECT_EQ(encode(own_hot(record)), encode(life(42)));
    EXPECT_EQ(record.hash.load(), hash_of(name));
}

TEST(Record, MemoryOfZerosIsASlotWithoutAPeer) {
    const Record record{};
    RecordView view;
    ASSERT_TRUE(load(record, view));
    EXPECT_EQ(view.hot.state, State::none);
    EXPECT_EQ(view.name.size(), 0u);
}

// A writer that dies after any number of its stores leaves the old record readable: only the copy that is not current was touched.
TEST(Record, AWriterThatDiesHalfWayLeavesTheOldRecordReadable) {
    std::vector<test::Store> stores;
    ScriptedRecord record{};
    store_hot(record, encode(life(1)));
    const ScriptedRecord before = record;
    test::Script::recording = &stores;
    store_hot(record, encode(life(2)));
    test::Script::recording = nullptr;
    ASSERT_EQ(stores.size(), hot_words + 1);
    for (std::size_t survived = 0; survived <= stores.size(); ++survived) {
        record = before;
        test::Script(stores, {}).run_writer_to(survived);
        RecordView view;
        ASSERT_TRUE(load(record, view));
        EXPECT_EQ(encode(view.hot), encode(life(survived == stores.size() ? 2 : 1))) << "after " << survived << " stores";
        store_hot(record, encode(life(3)));  // a successor goes on
        ASSERT_TRUE(load(record, view));
        EXPECT_EQ(encode(view.hot), encode(life(3)));
    }
}

TEST(Record, AReaderGivesUpOnARecordThatNeverHoldsStill) {
    ScriptedRecord record{};
    std::vector<test::Store> stores;
    std::vector<test::Switch> switches;
    for (std::size_t i = 0; i < 100'000; ++i) {
        stores.push_back({&record.version, 8, i + 1});
        switches.push_back({i, i + 1});
    }
    test::Script script(stores, switches);
    test::Script::playing = &script;
    RecordView view;
    EXPECT_FALSE(load(record, view));
    test::Script::playing = nullptr;
    EXPECT_LT(script.loads(), 100'000u);
}

// What a reader may see: each version with its copy, and its name where it has a peer.
struct Truth {
    Hot hot;
    Name name;
};

// Runs `load` against the recorded writer under every schedule and compares with the truth of the version it accepted.
void expect_never_torn(ScriptedRecord& record, const std::vector<test::Store>& stores, const ScriptedRecord& before, const std::vector<Truth>& truth) {
    constexpr std::size_t loads_of_one_attempt = 1 + hot_words + name_words + 1;
    const std::uint64_t first_version = before.version.load(std::memory_order_relaxed);
    std::vector<std::size_t> accepted(truth.size());
    std::size_t torn = 0, refused = 0;
    test::for_each_schedule(loads_of_one_attempt, stores.size(), [&](const std::vector<test::Switch>& switches) {
        record = before;
        test::Script script(stores, switches);
        test::Script::playing = &script;
        RecordView view;
        const bool read = load(record, view);
        test::Script::playing = nullptr;
        refused += script.loads() > loads_of_one_attempt;
        const std::size_t index = view.version - first_version;
        const bool whole = read && index < truth.size() && encode(view.hot) == encode(truth[index].hot) && (view.hot.state == State::none || view.name == truth[index].name);
        torn += !whole;
        if (whole) ++accepted[index];
    });
    EXPECT_EQ(torn, 0u);
    EXPECT_GT(refused, 0u) << "no schedule ever disturbed the reader: the test shows nothing";
    for (const std::size_t count : accepted) EXPECT_GT(count, 0u);
}

// Two writes pass under a reader that is stopped up to three times, at any of its loads, for any number of the writer's stores.
TEST(Record, IsNeverAcceptedTornUnderAnySchedule) {
    ScriptedRecord record{};
    const Name name = Name::of("node");
    store_name(record, hash_of(name), name);
    store_hot(record, encode(life(1)));
    const ScriptedRecord before = record;
    std::vector<test::Store> stores;
    test::Script::recording = &stores;
    store_hot(record, encode(life(2)));
    store_hot(record, encode(life(3)));
    test::Script::recording = nullptr;
    expect_never_torn(record, stores, before, {{life(1), name}, {life(2), name}, {life(3), name}});
}

// The slot is freed and given to another node: no reader may combine the one's life with the other's name.
TEST(Record, IsNeverReadWithTheNameOfAnotherLife) {
    ScriptedRecord record{};
    const Name first = Name::of("the first node that had this slot, with a long name"), second = Name::of("and the second one: it is another node altogether");
    store_name(record, hash_of(first), first);
    store_hot(record, encode(life(1)));
    const ScriptedRecord before = record;
    std::vector<test::Store> stores;
    test::Script::recording = &stores;
    store_hot(record, encode(life(2, State::none)));
    store_name(record, hash_of(second), second);
    store_hot(record, encode(life(3)));
    test::Script::recording = nullptr;
    expect_never_torn(record, stores, before, {{life(1), first}, {life(2, State::none), first}, {life(3), second}});
}

}  // namespace
}  // namespace rollcall::shm
