// The allocator of blobs: every number is somebody's once, freed ones come back after a publication, and books are rebuilt.
#include "engine/blob_heap.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using shm::blob_class_bytes;
using shm::blob_class_count;

class BlobHeapTest : public testing::Test {
protected:
    static shm::Segment make(std::uint32_t capacity) {
        shm::SegmentOptions options;
        options.cluster = "test";
        options.capacity = capacity;
        options.ring_entries = shm::min_ring;
        options.instance = 1;
        return std::move(*shm::Segment::create_private(options));
    }
    std::uint32_t allocated(BlobHeap& heap, std::size_t size_class) {
        const auto number = heap.allocate(size_class);
        EXPECT_TRUE(number.has_value()) << number.error().message;
        EXPECT_TRUE(!number || shm::is_blob_number(segment_.roster(), *number));
        return number.value_or(shm::no_index);
    }
    // Where a blob's bytes lie, for overlaps.
    std::pair<std::uint64_t, std::uint64_t> bytes_of(std::uint32_t number) const {
        const std::uint32_t extent = number / (shm::blob_extent_bytes / shm::blob_unit);
        const std::uint64_t begin = std::uint64_t{number} * shm::blob_unit;
        return {begin, begin + blob_class_bytes[segment_.roster().extent_class(extent).load()]};
    }
    void expect_disjoint(const std::vector<std::uint32_t>& numbers) {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
        for (const std::uint32_t number : numbers) ranges.push_back(bytes_of(number));
        std::sort(ranges.begin(), ranges.end());
        for (std::size_t i = 1; i < ranges.size(); ++i) ASSERT_LE(ranges[i - 1].second, ranges[i].first);
    }

    shm::Segment segment_ = make(64);
    BlobHeap heap_{segment_};
};

TEST_F(BlobHeapTest, GivesBlobsOfEveryClassThatDoNotOverlap) {
    std::vector<std::uint32_t> all;
    for (int round = 0; round < 200; ++round)
        for (std::size_t c = 0; c < blob_class_count; ++c) {
            all.push_back(allocated(heap_, c));
            const auto [begin, end] = bytes_of(all.back());
            ASSERT_EQ(end - begin, blob_class_bytes[c]);
        }
    expect_disjoint(all);
}

TEST_F(BlobHeapTest, TheLowestNumberOfANewExtentIsUsedFirst) {
    EXPECT_EQ(allocated(heap_, 0), 0u);
    EXPECT_EQ(allocated(heap_, 0), 3u);
    EXPECT_EQ(segment_.roster().header().blob_extents_used.load(), 1u);
}

// Readers of what is published until then may still hold the number.
TEST_F(BlobHeapTest, AFreedBlobIsReusedOnlyAfterThePublication) {
    const std::uint32_t number = allocated(heap_, 9);
    heap_.free_later(number);
    for (int i = 0; i < 200; ++i) ASSERT_NE(allocated(heap_, 9), number);
    heap_.release_freed();
    EXPECT_EQ(allocated(heap_, 9), number);
    heap_.release_freed();
    EXPECT_NE(allocated(heap_, 9), number) << "it came back once only";
}

TEST_F(BlobHeapTest, FreeingWhatIsNoBlobDoesNothing) {
    const std::uint32_t number = allocated(heap_, 4);
    for (const std::uint32_t damaged : {shm::no_index, number + 1, 0x1234'5678u}) heap_.free_later(damaged);
    heap_.release_freed();
    EXPECT_NE(allocated(heap_, 4), number);
}

TEST_F(BlobHeapTest, IsFullWhenEveryExtentIsUsedAndSaysSo) {
    std::vector<std::uint32_t> all;
    for (;;) {
        const auto number = heap_.allocate(9);
        if (!number) {
            EXPECT_EQ(number.error().kind, ErrorKind::full);
            break;
        }
        all.push_back(*number);
        ASSERT_LT(all.size(), 100'000u);
    }
    EXPECT_EQ(segment_.roster().header().blob_extents_used.load(), segment_.roster().geometry().blob_extents);
    EXPECT_GE(all.size(), 64u + 4'096) << "the largest blob of every peer, and one more of each event in flight";
    heap_.free_later(all[7]);
    heap_.release_freed();
    EXPECT_EQ(allocated(heap_, 9), all[7]) << "and goes on when something is freed";
}

// Peers whose tags grow step by step pass through all classes; what they leave behind must serve the next class.
TEST(BlobHeap, ServesEveryClassInTurn) {
    shm::SegmentOptions options;
    options.cluster = "test";
    options.ring_entries = shm::min_ring;
    options.instance = 1;
    auto segment = shm::Segment::create_private(options);
    ASSERT_TRUE(segment.has_value());
    BlobHeap heap(*segment);
    std::vector<std::uint32_t> held(options.capacity, shm::no_index);
    for (int round = 0; round < 3; ++round)
        for (std::size_t c = 0; c < blob_class_count; ++c) {
            for (std::uint32_t& blob : held) {
                const auto next = heap.allocate(c);
                ASSERT_TRUE(next.has_value()) << "class " << c << ": " << next.error().message;
                heap.free_later(std::exchange(blob, *next));
            }
            heap.release_freed();
        }
}

TEST_F(BlobHeapTest, RandomUseNeverGivesABlobTwice) {
    std::mt19937_64 random(1);
    std::vector<std::uint32_t> held;
    for (int i = 0; i < 20'000; ++i) {
        if (held.size() < 300 && random() % 3 != 0) held.push_back(allocated(heap_, random() % blob_class_count));
        else if (!held.empty()) {
            const std::size_t victim = random() % held.size();
            heap_.free_later(held[victim]);
            held[victim] = held.back();
            held.pop_back();
        }
        if (random() % 16 == 0) heap_.release_freed();
        if (i % 500 == 0) expect_disjoint(held);
        if (HasFatalFailure()) return;
    }
}

// A successor knows only what the records refer to: everything else is free, nothing of it is lost, and nothing is given twice.
TEST_F(BlobHeapTest, BooksAreRebuiltFromWhatTheRecordsUse) {
    std::mt19937_64 random(2);
    std::vector<std::uint32_t> all;
    for (int i = 0; i < 1'000; ++i) {
        const std::uint32_t number = allocated(heap_, random() % 4);
        if (random() % 2 == 0) all.push_back(number);
    }
    const auto& extents_used = segment_.roster().header().blob_extents_used;
    const std::uint32_t extents = extents_used.load();
    std::size_t room = 0;
    for (std::uint32_t extent = 0; extent < extents; ++extent) room += shm::blob_extent_bytes / blob_class_bytes[segment_.roster().extent_class(extent).load()];
    BlobHeap successor(segment_);
    successor.rebuild(all);
    for (std::size_t c = 0; c < 4; ++c)
        for (const std::uint32_t before = extents_used.load(); extents_used.load() == before;) all.push_back(allocated(successor, c));
    expect_disjoint(all);
    EXPECT_EQ(all.size(), room + 4) << "every blob of the old extents, and one of each new one";
}

TEST_F(BlobHeapTest, ASuccessorLosesAnExtentWhoseClassIsDamaged) {
    const std::uint32_t lost = allocated(heap_, 9);
    segment_.writable().extent_class(0).store(77);
    BlobHeap successor(segment_);
    successor.rebuild({});
    for (std::size_t c = 0; c < blob_class_count; ++c)
        for (int i = 0; i < 100; ++i) ASSERT_NE(allocated(successor, c) / (shm::blob_extent_bytes / shm::blob_unit), lost / (shm::blob_extent_bytes / shm::blob_unit));
}

}  // namespace
}  // namespace rollcall::engine
