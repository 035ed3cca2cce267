// What is complete, or backed by memory, before anybody may look at it: [attach] and [extent], explored by Relacy. Transcriptions, but for
// is_blob_number of shm/blob.hpp.
#include "tests/models/small_roster.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr unsigned schedules = 50'000;
constexpr auto relaxed = std::memory_order_relaxed;

struct InOrder {
    static constexpr bool last_is_last = true;
    static constexpr Weakness last = Weakness::none;
};
struct TooEarly : InOrder {
    static constexpr bool last_is_last = false;
};
struct RelaxedStore : InOrder {
    static constexpr Weakness last = Weakness::relaxed_stores;
};
struct RelaxedLoad : InOrder {
    static constexpr Weakness last = Weakness::relaxed_loads;
};

// Transcribes build and store_preamble against read_geometry and check_host (shm/segment.cpp).
template <class Code>
struct Attach : rl::test_suite<Attach<Code>, 2> {
    WatchedAtomic<std::uint64_t> magic, boot;
    WatchedAtomic<std::uint32_t> version, lifecycle, capacity;

    void before() { lifecycle.weaken(Code::last); }
    void thread(unsigned who) {
        if (who == 0) {
            if (!Code::last_is_last) lifecycle.store(1, std::memory_order_release);
            capacity.store(64, relaxed);
            boot.store(7, relaxed);
            version.store(layout_version, relaxed);
            magic.store(roster_magic, relaxed);
            if (Code::last_is_last) lifecycle.store(1, std::memory_order_release);  // [attach]
            return;
        }
        if (magic.load(relaxed) != roster_magic || version.load(relaxed) != layout_version) return;
        if (lifecycle.load(std::memory_order_acquire) != 1) return;  // [attach]
        require(capacity.load(relaxed) == 64 && boot.load(relaxed) == 7, "who finds it live finds all of it");
    }
};

TEST(AdmissionModel, WhoFindsASegmentLiveFindsAllOfIt) {
    EXPECT_TRUE(holds<Attach<InOrder>>(schedules));
    EXPECT_TRUE(is_caught<Attach<TooEarly>>(schedules));
    EXPECT_TRUE(is_caught<Attach<RelaxedStore>>(schedules));
    EXPECT_TRUE(is_caught<Attach<RelaxedLoad>>(schedules));
}

// Transcribes BlobHeap::add_extent against is_blob_number itself. `backed` stands for fallocate.
template <class Code>
struct Extent : rl::test_suite<Extent<Code>, 2> {
    SmallRoster roster;
    WatchedAtomic<std::uint32_t> backed;

    void before() {
        roster.header().blob_extents_used.store(0, relaxed);
        roster.header().blob_extents_used.weaken(Code::last);
        roster.extent_class(0).store(no_index, relaxed);
    }
    void thread(unsigned who) {
        if (who == 0) {
            if (!Code::last_is_last) roster.header().blob_extents_used.store(1, std::memory_order_release);
            backed.store(1, relaxed);
            roster.extent_class(0).store(0, relaxed);
            if (Code::last_is_last) roster.header().blob_extents_used.store(1, std::memory_order_release);  // [extent]
            return;
        }
        if (is_blob_number(roster, 0)) require(backed.load(relaxed) == 1, "nobody is told of memory that is not there");
        if (roster.header().blob_extents_used.load(std::memory_order_acquire) == 1)  // [extent]
            require(is_blob_number(roster, 0), "an extent that counts has its class");
    }
};

TEST(AdmissionModel, NobodyIsToldOfMemoryThatIsNotBacked) {
    EXPECT_TRUE(holds<Extent<InOrder>>(schedules));
    EXPECT_TRUE(is_caught<Extent<TooEarly>>(schedules));
    EXPECT_TRUE(is_caught<Extent<RelaxedStore>>(schedules));
    EXPECT_TRUE(is_caught<Extent<RelaxedLoad>>(schedules));
}

}  // namespace
}  // namespace rollcall::models
