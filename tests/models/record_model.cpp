// The hot record, two copies and a version, explored by Relacy: shm/record.hpp itself.
#include "tests/models/watched_atomic.hpp"

#include "shm/record.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr unsigned schedules = 100'000;

using WatchedRecord = BasicRecord<WatchedAtomic>;

struct AsWritten {
    static void weaken(WatchedRecord&) {}
    static void store(WatchedRecord& record, const HotWords& words) { store_hot(record, words); }
    static bool load(const WatchedRecord& record, RecordView& out) { return shm::load(record, out); }
};
struct RelaxedPayloadStores : AsWritten {
    static void weaken(WatchedRecord& record) {
        for (auto& copy : record.copies)
            for (auto& word : copy) word.weaken(Weakness::relaxed_stores);
    }
};
struct RelaxedPayloadLoads : AsWritten {
    static void weaken(WatchedRecord& record) {
        for (auto& copy : record.copies)
            for (auto& word : copy) word.weaken(Weakness::relaxed_loads);
    }
};
struct RelaxedNameStores : AsWritten {
    static void weaken(WatchedRecord& record) {
        for (auto& word : record.name) word.weaken(Weakness::relaxed_stores);
    }
};
struct RelaxedVersionStore : AsWritten {
    static void weaken(WatchedRecord& record) { record.version.weaken(Weakness::relaxed_stores); }
};
struct VersionFirst : AsWritten {
    static void store(WatchedRecord& record, const HotWords& words) {
        const std::uint64_t version = record.version.load(std::memory_order_relaxed);
        record.version.store(version + 1, std::memory_order_release);
        for (std::size_t i = 0; i < hot_words; ++i) record.copies[(version + 1) & 1][i].store(words[i], std::memory_order_release);
    }
};
struct CurrentCopyOverwritten : AsWritten {
    static void store(WatchedRecord& record, const HotWords& words) {
        const std::uint64_t version = record.version.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < hot_words; ++i) record.copies[version & 1][i].store(words[i], std::memory_order_release);
        record.version.store(version + 2, std::memory_order_release);
    }
};
struct VersionNotLookedAtAgain : AsWritten {
    static bool load(const WatchedRecord& record, RecordView& out) {
        out.version = load_version(record);
        out.hot = decode(load_copy(record, out.version));
        out.name = load_name(record);
        return true;
    }
};

// Every word is a function of the life that the record is of; the third write leaves the record free, and the next life may begin.
constexpr std::uint64_t writes = 5;
constexpr std::uint64_t life_at(std::uint64_t write) { return write / 3; }

Hot contents(std::uint64_t write) {
    Hot h;
    h.incarnation = Incarnation{write};
    h.state = write % 3 == 2 ? State::none : State::alive;
    h.lsn = Sequence{write};
    h.since = Stamp{write};
    h.last_beat = Stamp{write};
    h.blob = static_cast<std::uint32_t>(write);
    h.suspect_units = h.dead_units = write;
    return h;
}
Name name_of(std::uint64_t life) { return Name::of(std::string(62, static_cast<char>('a' + life))); }

template <class Code>
struct WriterAgainstReader : rl::test_suite<WriterAgainstReader<Code>, 2> {
    WatchedRecord record;

    static void write(WatchedRecord& to, std::uint64_t number) {
        if (number % 3 == 0) store_name(to, 7, name_of(life_at(number)));
        Code::store(to, encode(contents(number)));
    }
    void before() {
        write(record, 0);
        Code::weaken(record);
    }
    void thread(unsigned who) {
        if (who == 0) {
            for (std::uint64_t number = 1; number < writes; ++number) write(record, number);
            return;
        }
        Sequence last{0};
        for (int look = 0; look < 3; ++look) {
            RecordView view;
            require(Code::load(record, view), "a reader is not kept out");
            const std::uint64_t number = view.hot.incarnation.value;
            require(encode(view.hot) == encode(contents(number)), "the copy is whole");
            require(view.hot.state == State::none || view.name == name_of(life_at(number)), "the name is this life's");
            require(view.hot.lsn >= last, "no reader goes back");
            last = view.hot.lsn;
        }
    }
};

TEST(RecordModel, AReaderAcceptsNothingTorn) { EXPECT_TRUE(holds<WriterAgainstReader<AsWritten>>(schedules)); }

TEST(RecordModel, ItsMutantsAreCaught) {
    EXPECT_TRUE(is_caught<WriterAgainstReader<RelaxedPayloadStores>>(schedules));
    EXPECT_TRUE(is_caught<WriterAgainstReader<RelaxedPayloadLoads>>(schedules));
    EXPECT_TRUE(is_caught<WriterAgainstReader<RelaxedNameStores>>(schedules));
    EXPECT_TRUE(is_caught<WriterAgainstReader<RelaxedVersionStore>>(schedules));
    EXPECT_TRUE(is_caught<WriterAgainstReader<VersionFirst>>(schedules));
    EXPECT_TRUE(is_caught<WriterAgainstReader<CurrentCopyOverwritten>>(schedules));
    EXPECT_TRUE(is_caught<WriterAgainstReader<VersionNotLookedAtAgain>>(schedules));
}

// A writer that dies at any store leaves a record that reads, as it was or as it should have become.
struct WriterDies : rl::test_suite<WriterDies, 2> {
    WatchedRecord record;

    void before() { store_hot(record, encode(contents(0))); }
    void thread(unsigned who) {
        if (who == 0) {
            const HotWords words = encode(contents(1));
            auto& copy = record.copies[0];  // the one that does not count: version is 1
            const unsigned stores = rl::rand(hot_words + 1);
            for (std::size_t i = 0; i < stores; ++i) copy[i].store(words[i], std::memory_order_release);
            return;
        }
        RecordView view;
        require(load(record, view) && view.hot.incarnation == Incarnation{0}, "half a copy is none");
    }
};

TEST(RecordModel, AWriterThatDiesHalfWayKeepsNobodyOut) { EXPECT_TRUE(holds<WriterDies>(schedules)); }

}  // namespace
}  // namespace rollcall::models
