// The exact snapshot while an engine commits, explored by Relacy: the whole of shm/snapshot.hpp, and with it every pair that it relies on.
#include "tests/models/small_roster.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr unsigned schedules = 50'000;

struct Exact : AsWritten {
    static Snapshot take(const SmallRoster& roster, Image& out) { return take_snapshot(roster, out); }
};
// Copies and believes it: the events between head and what was copied are not applied.
struct NotFolded : AsWritten {
    static Snapshot take(const SmallRoster& roster, Image& out) {
        CheckpointValues checkpoint;
        if (!load_checkpoint(roster.header(), checkpoint)) return Snapshot::busy;
        out.at = checkpoint.head;
        out.view = checkpoint.view;
        Sequence newest;
        return copy_all(roster, out, newest) ? Snapshot::exact : Snapshot::busy;
    }
};
// The high-water mark first, then head: who joins between them is in neither.
struct HighWaterBeforeHead : AsWritten {
    static Snapshot take(const SmallRoster& roster, Image& out) {
        const std::uint32_t high_water = roster.high_water();
        CheckpointValues checkpoint;
        if (!load_checkpoint(roster.header(), checkpoint)) return Snapshot::busy;
        out.at = checkpoint.head;
        out.view = checkpoint.view;
        out.slots.assign(high_water, {});
        Sequence newest = checkpoint.head;
        for (std::uint32_t i = 0; i < high_water; ++i) {
            if (!copy_slot(roster, Slot{i}, out.slots[i])) return Snapshot::busy;
            newest = std::max(newest, out.slots[i].hot.lsn);
        }
        if (!is_published(roster, newest) || !fold_up_to(roster, out, newest)) return Snapshot::busy;
        return out.pending == 0 ? Snapshot::exact : Snapshot::busy;
    }
};
struct RelaxedSelector : Exact {
    static void weaken(SmallRoster& roster) { roster.header().selector.weaken(Weakness::relaxed_stores); }
};

template <class Code>
struct Taking : rl::test_suite<Taking<Code>, 2> {
    SmallRoster roster;

    void before() { begin<Code>(roster); }
    void thread(unsigned who) {
        if (who == 0) return write_all<Code>(roster);
        Image image;
        if (Code::take(roster, image) != Snapshot::exact) return;
        require(image.view == image.at.value, "the view is that of its sequence");
        for (std::uint32_t slot = 0; slot < SmallRoster::slots; ++slot) {
            const std::uint64_t number = last_event_of(slot, image.at.value);
            if (number == 0) {
                require(slot >= image.slots.size() || image.slots[slot].hot.state == State::none, "nobody is there too early");
                continue;
            }
            require(slot < image.slots.size(), "nobody is missing");
            const SlotImage& seen = image.slots[slot];
            const StoredEvent event = event_of(number);
            require(encode(seen.hot) == encode(event.hot) && seen.name == event.name, "the record is that of the image's sequence");
            require(same_blob(seen.blob, blob_of(number)), "the blob is that of the image's sequence");
        }
    }
};

TEST(SnapshotModel, AnImageIsExactAtItsSequence) { EXPECT_TRUE(holds<Taking<Exact>>(schedules)); }

TEST(SnapshotModel, ItsMutantsAreCaught) {
    EXPECT_TRUE(is_caught<Taking<NotFolded>>(schedules));
    EXPECT_TRUE(is_caught<Taking<HighWaterBeforeHead>>(schedules));
    EXPECT_TRUE(is_caught<Taking<RelaxedSelector>>(schedules));
}

}  // namespace
}  // namespace rollcall::models
