// Hot records while they are written: what a reader accepts is whole.
#include <array>
#include <charconv>
#include <thread>

#include <gtest/gtest.h>

#include "shm/record.hpp"
#include "tests/shm/interruptions.hpp"

namespace rollcall::shm {
namespace {

// The record's contents are a function of its version, so that a reader can tell whether what it accepted is whole. Every third
// version has no peer; the name changes there.
Hot contents(std::uint64_t version) {
    Hot h;
    h.incarnation = Incarnation{version};
    h.state = version % 3 == 0 ? State::none : State::alive;
    h.lsn = Sequence{version};
    h.since = Stamp{version};
    h.last_beat = Stamp{version ^ 0xFFFF};
    h.blob = static_cast<std::uint32_t>(version);
    h.suspect_units = h.dead_units = version;
    return h;
}

// Written in a signal's handler, too: allocates nothing.
Name name_at(std::uint64_t version) {
    std::array<char, 62> text;
    text.fill(static_cast<char>('a' + version / 3 % 26));
    std::to_chars(text.data(), text.data() + text.size(), version / 3);
    return Name::of({text.data(), text.size()});
}

struct Count {
    std::uint64_t good = 0, refused = 0, torn = 0;
};

// One attempt at a time, so that refusals can be counted.
void look_once(const Record& record, Count& count) {
    RecordView view;
    view.version = load_version(record);
    const HotWords words = load_copy(record, view.version);
    view.name = load_name(record);
    if (load_version(record) != view.version) {
        ++count.refused;
        return;
    }
    const bool whole = words == encode(contents(view.version)) && (decode(words).state == State::none || view.name == name_at(view.version));
    ++(whole ? count.good : count.torn);
}

// What the writer does next, so that it can be done in one place or the other.
void write(Record& record, std::uint64_t version) {
    if (version % 3 == 1) store_name(record, static_cast<std::uint32_t>(version), name_at(version));
    store_hot(record, encode(contents(version)));
}

void begin(Record& record) {
    store_hot(record, encode(contents(1)));
    store_name(record, 0, name_at(1));
}

// The reader is interrupted between any two of its instructions, by up to four writes.
TEST(RecordRace, NoTornCopyIsAcceptedWhereverTheReaderIsInterrupted) {
    Record record{};
    begin(record);
    std::uint64_t version = 1;
    const test::Interruptions writer([&] {
        for (std::uint64_t n = 1 + version % 4; n > 0; --n) write(record, ++version);
    });
    Count count;
    while (writer.count() < 3'000 && count.torn == 0) look_once(record, count);
    EXPECT_EQ(count.torn, 0u);
    EXPECT_GT(count.good, 3'000u);
    EXPECT_GT(count.refused, 0u) << "no reader was ever disturbed: the test shows nothing";
}

// The same with real threads. The writer goes on until both readers have accepted enough, so that neither side's luck with the processor
// matters.
TEST(RecordRace, NoTornCopyIsAcceptedByOtherThreads) {
    constexpr std::uint64_t wanted = 20'000;
    Record record{};
    begin(record);
    std::array<Count, 2> counts;
    std::atomic<int> done{0};
    {
        std::vector<std::jthread> readers;
        for (Count& count : counts)
            readers.emplace_back([&] {
                while (count.good < wanted && count.torn == 0) look_once(record, count);
                done.fetch_add(1, std::memory_order_relaxed);  // relaxed: joining the thread publishes its counts
            });
        for (std::uint64_t version = 2; done.load(std::memory_order_relaxed) < 2; ++version) write(record, version);
    }
    std::uint64_t refused = 0;
    for (const Count& count : counts) {
        EXPECT_EQ(count.torn, 0u);
        EXPECT_GE(count.good, wanted);
        refused += count.refused;
    }
    RecordProperty("refused", std::to_string(refused));
}

}  // namespace
}  // namespace rollcall::shm
