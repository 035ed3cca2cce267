// The index while a record moves from one chain to another, explored by Relacy: shm/index.hpp and store_name of shm/record.hpp.
#include "tests/models/watched_atomic.hpp"

#include "shm/index.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr unsigned schedules = 100'000;

constexpr std::uint32_t slots = 3, chains = 3;

// Three records in three chains: what find, link and unlink see of a roster. Fresh records are zeros, as in a new file.
class SmallIndex {
public:
    using WatchedRecord = BasicRecord<WatchedAtomic>;

    SmallIndex() {
        geometry_.capacity = slots;
        geometry_.bucket_count = chains;
        for (auto& bucket : buckets_) bucket.store(no_index, std::memory_order_relaxed);
    }
    const Geometry& geometry() const { return geometry_; }
    std::uint32_t capacity() const { return geometry_.capacity; }
    std::uint32_t high_water() const { return geometry_.capacity; }
    WatchedRecord& record(Slot s) { return records_[s.value]; }
    const WatchedRecord& record(Slot s) const { return records_[s.value]; }
    WatchedAtomic<std::uint32_t>& bucket(std::uint32_t i) { return buckets_[i]; }
    const WatchedAtomic<std::uint32_t>& bucket(std::uint32_t i) const { return buckets_[i]; }

private:
    Geometry geometry_;
    std::array<WatchedRecord, slots> records_;
    std::array<WatchedAtomic<std::uint32_t>, chains> buckets_;
};

struct Node {
    Name name;
    Incarnation incarnation;
};
// A node whose name belongs to that chain.
Node node_in(std::uint32_t chain, std::uint64_t incarnation) {
    for (int serial = 0;; ++serial) {
        const Name name = Name::of("n" + std::to_string(incarnation) + "-" + std::to_string(serial));
        if (bucket_of(hash_of(name), chains) == chain) return {name, Incarnation{incarnation}};
    }
}
const std::array<Node, 2> stays{node_in(0, 1), node_in(1, 2)};
const std::array<Node, 4> comes_and_goes{node_in(1, 3), node_in(2, 4), node_in(1, 5), node_in(0, 6)};

struct AsWritten {
    static constexpr bool looks_at_chain = true, looks_at_version = true, marks_next = true;
    static void weaken(SmallIndex&) {}
    static Lookup find(const SmallIndex& index, const Name& name, FoundRecord& out) { return shm::find(index, name, out); }
};

// `walk` without one of its looks. What it does otherwise is what the original does.
template <class Code>
Walk careless_walk(const SmallIndex& index, const Name& name, std::uint32_t bucket, FoundRecord& out) {
    const std::uint32_t hash = hash_of(name);
    std::uint32_t at = index.bucket(bucket).load(std::memory_order_acquire);
    for (std::uint32_t steps = 0; at != no_index; ++steps) {
        if (at >= index.high_water() || steps > index.high_water()) return Walk::changed;
        const auto& record = index.record(Slot{at});
        const std::uint64_t version = load_version(record);
        const HotWords words = load_copy(record, version);
        const std::uint32_t its_hash = record.hash.load(std::memory_order_acquire);
        out.record.name = load_name(record);
        const std::uint32_t next = record.next.load(std::memory_order_acquire);
        if (Code::looks_at_chain && bucket_of(its_hash, chains) != bucket) return Walk::changed;
        if (Code::looks_at_version && load_version(record) != version) return Walk::changed;
        out.slot = Slot{at};
        out.record.hot = decode(words);
        if (its_hash == hash && out.record.hot.state != State::none && out.record.name == name) return Walk::match;
        at = next;
    }
    return Walk::end;
}

template <class Code>
Lookup careless_find(const SmallIndex& index, const Name& name, FoundRecord& out) {
    for (int attempt = 0; attempt < find_attempts; ++attempt) {
        const Walk end = careless_walk<Code>(index, name, bucket_of(hash_of(name), chains), out);
        if (end != Walk::changed) return end == Walk::match ? Lookup::found : Lookup::absent;
    }
    return Lookup::busy;
}

struct ChainNotLookedAt : AsWritten {
    static constexpr bool looks_at_chain = false;
    static Lookup find(const SmallIndex& index, const Name& name, FoundRecord& out) { return careless_find<ChainNotLookedAt>(index, name, out); }
};
struct VersionNotLookedAt : AsWritten {
    static constexpr bool looks_at_version = false;
    static Lookup find(const SmallIndex& index, const Name& name, FoundRecord& out) { return careless_find<VersionNotLookedAt>(index, name, out); }
};
struct NextNotMarked : AsWritten {
    static constexpr bool marks_next = false;
};
struct RelaxedHashStores : AsWritten {
    static void weaken(SmallIndex& index) { index.record(Slot{2}).hash.weaken(Weakness::relaxed_stores); }
};
struct RelaxedHashLoads : AsWritten {
    static void weaken(SmallIndex& index) { index.record(Slot{2}).hash.weaken(Weakness::relaxed_loads); }
};
struct RelaxedNextStores : AsWritten {
    static void weaken(SmallIndex& index) { index.record(Slot{2}).next.weaken(Weakness::relaxed_stores); }
};
struct RelaxedBuckets : AsWritten {
    static void weaken(SmallIndex& index) {
        for (std::uint32_t i = 0; i < chains; ++i) index.bucket(i).weaken(Weakness::relaxed_stores);
    }
};

template <class Code>
void put(SmallIndex& index, Slot slot, const Node& node) {
    auto& record = index.record(slot);
    Hot hot;
    hot.state = State::alive;
    hot.incarnation = node.incarnation;
    if (Code::marks_next) {
        store_name(record, hash_of(node.name), node.name);
    } else {
        record.hash.store(hash_of(node.name), std::memory_order_release);
        for (std::size_t i = 0; i < name_words; ++i) record.name[i].store(node.name.words[i], std::memory_order_release);
    }
    store_hot(record, encode(hot));
    link(index, slot);
}
void remove(SmallIndex& index, Slot slot) {
    Hot hot = own_hot(index.record(slot));
    hot.state = State::none;
    store_hot(index.record(slot), encode(hot));
    unlink(index, slot);
}
template <class Code>
void require_found(const SmallIndex& index, const Node& node) {
    FoundRecord found;
    const Lookup answer = Code::find(index, node.name, found);
    require(answer != Lookup::absent, "who is there is never absent");
    require(answer != Lookup::found || found.record.hot.incarnation == node.incarnation, "who is found is the one that was asked for");
}

// Slots 0 and 1 hold who stays, one at the end of a chain each; the third chain is empty. Slot 2, ever before them, holds now somebody of
// this chain, now of that.
template <class Code>
struct Moving : rl::test_suite<Moving<Code>, 2> {
    SmallIndex index;

    void before() {
        put<Code>(index, Slot{0}, stays[0]);
        put<Code>(index, Slot{1}, stays[1]);
        put<Code>(index, Slot{2}, comes_and_goes[0]);
        Code::weaken(index);
    }
    void thread(unsigned who) {
        if (who == 0) {
            for (std::size_t i = 1; i < comes_and_goes.size(); ++i) {
                remove(index, Slot{2});
                put<Code>(index, Slot{2}, comes_and_goes[i]);
            }
            return;
        }
        require_found<Code>(index, stays[1]);
        require_found<Code>(index, stays[0]);
        const Node& newcomer = comes_and_goes.back();
        FoundRecord found;
        if (Code::find(index, newcomer.name, found) == Lookup::found)
            require(found.record.hot.incarnation == newcomer.incarnation, "a newcomer is found whole");
    }
};

// Two in one chain, slot 0 at its end. A slot that nobody ever used comes before them: all zeros, it would lead to slot 0 at once.
template <class Code>
struct FirstUse : rl::test_suite<FirstUse<Code>, 2> {
    SmallIndex index;

    void before() {
        put<Code>(index, Slot{0}, comes_and_goes[3]);
        put<Code>(index, Slot{1}, stays[0]);
        Code::weaken(index);
    }
    void thread(unsigned who) {
        if (who == 0) put<Code>(index, Slot{2}, node_in(0, 7));
        else require_found<Code>(index, stays[0]);
    }
};

TEST(IndexModel, WhoIsThereIsNeverAbsentWhileRecordsMove) {
    EXPECT_TRUE(holds<Moving<AsWritten>>(schedules));
    EXPECT_TRUE(holds<FirstUse<AsWritten>>(schedules));
}

TEST(IndexModel, ItsMutantsAreCaught) {
    EXPECT_TRUE(is_caught<Moving<ChainNotLookedAt>>(schedules));
    EXPECT_TRUE(is_caught<Moving<VersionNotLookedAt>>(schedules));
    EXPECT_TRUE(is_caught<Moving<NextNotMarked>>(schedules));
    EXPECT_TRUE(is_caught<Moving<RelaxedHashStores>>(schedules));
    EXPECT_TRUE(is_caught<Moving<RelaxedHashLoads>>(schedules));
    EXPECT_TRUE(is_caught<Moving<RelaxedNextStores>>(schedules));
    EXPECT_TRUE(is_caught<FirstUse<RelaxedBuckets>>(schedules));
}

}  // namespace
}  // namespace rollcall::models
