// Blobs that are freed and reused while somebody reads, explored by Relacy: shm/blob.hpp, copy_slot and fold of shm/snapshot.hpp.
#include "tests/models/small_roster.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr unsigned schedules = 100'000;

struct ReusedAtOnce : AsWritten {
    static constexpr bool publishes_before_reuse = false;
};
struct RelaxedStores : AsWritten {
    static void weaken(SmallRoster& roster) {
        for (auto& word : roster.heap()) word.weaken(Weakness::relaxed_stores);
    }
};
struct RelaxedLoads : AsWritten {
    static void weaken(SmallRoster& roster) {
        for (auto& word : roster.heap()) word.weaken(Weakness::relaxed_loads);
    }
};
// The blob keeps its old sequence until its new one is stored: the text alone is rewritten before.
struct NoZero : AsWritten {
    static void store_blob(SmallRoster& roster, std::uint32_t number, const Blob& blob) {
        auto* to = roster.blob(number);
        for (std::size_t i = blob_fixed_words; i < SmallRoster::blob_words; ++i) to[i].store(0x7878'7878'7878'7878, std::memory_order_release);
        shm::store_blob(roster, number, blob);
    }
};

struct Copying : AsWritten {
    static bool copy(const SmallRoster& roster, Slot slot, SlotImage& out) { return copy_slot(roster, slot, out); }
};
// copy_slot that believes what it copied.
struct VersionNotLookedAtAgain : AsWritten {
    static bool copy(const SmallRoster& roster, Slot slot, SlotImage& out) {
        RecordView view;
        if (!load(roster.record(slot), view)) return false;
        out.hot = view.hot;
        return load_blob(roster, view.hot.blob, out.blob);
    }
};
template <class Mutant>
struct CopyingWith : Mutant {
    static bool copy(const SmallRoster& roster, Slot slot, SlotImage& out) { return copy_slot(roster, slot, out); }
};

// Who holds a record's version takes only that record's blob.
template <class Code>
struct ByRecord : rl::test_suite<ByRecord<Code>, 2> {
    SmallRoster roster;

    void before() { begin<Code>(roster); }
    void thread(unsigned who) {
        if (who == 0) return write_all<Code>(roster);
        SlotImage seen;
        require(Code::copy(roster, Slot{0}, seen), "the slot reads");
        require(same_blob(seen.blob, blob_of(seen.hot.lsn.value)), "record and blob belong together");
    }
};

TEST(BlobModel, ARecordIsNeverTakenTogetherWithAnotherOnesBlob) { EXPECT_TRUE(holds<ByRecord<Copying>>(schedules)); }

TEST(BlobModel, MutantsOfReuseAreCaughtByReadersOfRecords) {
    EXPECT_TRUE(is_caught<ByRecord<CopyingWith<ReusedAtOnce>>>(schedules));
    EXPECT_TRUE(is_caught<ByRecord<CopyingWith<RelaxedStores>>>(schedules));
    EXPECT_TRUE(is_caught<ByRecord<CopyingWith<RelaxedLoads>>>(schedules));
    EXPECT_TRUE(is_caught<ByRecord<VersionNotLookedAtAgain>>(schedules));
}

struct Folding : AsWritten {
    static void fold(const SmallRoster& roster, Image& image, const StoredEvent& event) { shm::fold(roster, image, event); }
};
// fold that looks at the sequence before it copies, but not after.
struct SequenceNotLookedAtAgain : AsWritten {
    static void fold(const SmallRoster& roster, Image& image, const StoredEvent& event) {
        SlotImage& slot = image.slots[event.slot.value];
        Blob blob;
        if (load_blob(roster, event.hot.blob, blob) && blob.sequence == event.sequence) slot.blob = blob;
        image.at = event.sequence;
        slot.blob_pending = blob.sequence != event.sequence;
    }
};
template <class Mutant>
struct FoldingWith : Mutant {
    static void fold(const SmallRoster& roster, Image& image, const StoredEvent& event) { shm::fold(roster, image, event); }
};

// Who follows the ring takes only the blob that its event brought, or knows that it is gone.
template <class Code>
struct ByEvent : rl::test_suite<ByEvent<Code>, 2> {
    SmallRoster roster;

    void before() { begin<Code>(roster); }
    void thread(unsigned who) {
        if (who == 0) return write_all<Code>(roster);
        Image image;
        image.slots.resize(SmallRoster::slots);
        for (std::uint64_t number = 1; number <= 2; ++number) {
            StoredEvent event;
            if (Sequence{number} > load_head(roster.header())) return;
            require(load_entry(roster.entry(Sequence{number}), Sequence{number}, event), "the ring is long enough");
            Code::fold(roster, image, event);
            const SlotImage& slot = image.slots[0];
            require(slot.blob_pending || same_blob(slot.blob, blob_of(number)), "the blob is the event's");
        }
    }
};

TEST(BlobModel, AnEventIsNeverTakenTogetherWithAnotherOnesBlob) { EXPECT_TRUE(holds<ByEvent<Folding>>(schedules)); }

TEST(BlobModel, MutantsOfReuseAreCaughtByFolds) {
    EXPECT_TRUE(is_caught<ByEvent<FoldingWith<RelaxedStores>>>(schedules));
    EXPECT_TRUE(is_caught<ByEvent<FoldingWith<RelaxedLoads>>>(schedules));
    EXPECT_TRUE(is_caught<ByEvent<FoldingWith<NoZero>>>(schedules));
    EXPECT_TRUE(is_caught<ByEvent<SequenceNotLookedAtAgain>>(schedules));
}

}  // namespace
}  // namespace rollcall::models
