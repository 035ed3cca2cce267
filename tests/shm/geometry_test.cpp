// The arithmetic of the layout: nothing overlaps, everything fits, and what was promised of memory is kept.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "shm/word.hpp"
#include "tests/shm/private_segment.hpp"
#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

constexpr std::uint32_t capacities[] = {1, 2, 7, 8, 63, 64, 65, 511, 512, 513, 4'095, 4'096, 4'097, 65'536, 1'000'000, 1'048'576, 3'500'000, max_capacity - 1, max_capacity};

TEST(Geometry, RegionsFollowEachOtherOnPageBoundaries) {
    for (const std::uint32_t capacity : capacities)
        for (const std::uint32_t ring : {min_ring, default_ring, max_ring}) {
            const Geometry g = Geometry::of(capacity, ring);
            for (const std::uint64_t at : {g.ring, g.buckets, g.extent_classes, g.records, g.blobs, g.roster_bytes, g.words, g.cards, g.pulse_bytes}) ASSERT_EQ(at % page, 0u);
            ASSERT_GE(g.ring, sizeof(Preamble) + sizeof(RosterHeader));
            ASSERT_GE(g.buckets - g.ring, std::uint64_t{ring} * sizeof(Entry));
            ASSERT_GE(g.extent_classes - g.buckets, std::uint64_t{g.bucket_count} * 4);
            ASSERT_GE(g.records - g.extent_classes, std::uint64_t{g.blob_extents} * 4);
            ASSERT_GE(g.blobs - g.records, std::uint64_t{capacity} * sizeof(Record));
            ASSERT_EQ(g.roster_bytes - g.blobs, std::uint64_t{g.blob_extents} * blob_extent_bytes);
            ASSERT_GE(g.words, sizeof(Preamble));
            ASSERT_GE(g.cards - g.words, g.word_count * sizeof(Word));
            ASSERT_GE(g.pulse_bytes - g.cards, std::uint64_t{capacity} * sizeof(Card));
        }
}

TEST(Geometry, WordsArePaddedToWholeBlocks) {
    for (const std::uint32_t capacity : capacities) {
        const Geometry g = Geometry::of(capacity, min_ring);
        EXPECT_EQ(g.word_count % block_words, 0u);
        EXPECT_GE(g.word_count, capacity);
        EXPECT_LT(g.word_count, capacity + block_words);
    }
}

TEST(Geometry, HasRoomForTheLargestBlobOfEveryPeer) {
    for (const std::uint32_t capacity : capacities) {
        const Geometry g = Geometry::of(capacity, min_ring);
        const std::uint64_t per_extent = blob_extent_bytes / blob_class_bytes.back();
        EXPECT_GE(std::uint64_t{g.blob_extents} * per_extent, std::uint64_t{capacity} + 4'096) << capacity;
        EXPECT_LT(std::uint64_t{g.blob_extents} * (blob_extent_bytes / blob_unit), no_index) << capacity;
    }
}

TEST(Geometry, TheDefaultsFitA64MBSharedMemory) {
    const Geometry g = Geometry::of(default_capacity, default_ring);
    EXPECT_LE(g.roster_bytes + g.pulse_bytes, 64u * 1024 * 1024);
}

// Beside the ring, endpoints and tags, and what is there whether anybody comes or not (header, tables of extents, roundings to a page).
TEST(Geometry, APeerTakesAtMost256BytesAndAProcess128) {
    for (const std::uint32_t capacity : capacities) {
        const Geometry g = Geometry::of(capacity, min_ring);
        const std::uint64_t fixed_part_of_a_blob = blob_class_bytes.front();
        EXPECT_LE(std::uint64_t{capacity} * sizeof(Record) + std::uint64_t{g.bucket_count} * 4 + capacity * (sizeof(Word) + fixed_part_of_a_blob), std::uint64_t{capacity} * 256);
        EXPECT_LE((g.blobs - g.records) + (g.extent_classes - g.buckets), std::uint64_t{capacity} * 200 + 2 * page);
        EXPECT_LE(g.cards - g.words, std::uint64_t{capacity} * sizeof(Word) + block_words * sizeof(Word) + page);
        EXPECT_LE(g.pulse_bytes - g.cards, std::uint64_t{capacity} * 128 + page);
    }
}

std::uint64_t bytes_in_use(const std::string& path) {
    struct stat s{};
    EXPECT_EQ(::stat(path.c_str(), &s), 0) << path;
    return static_cast<std::uint64_t>(s.st_blocks) * 512;
}

// The same on real files, filled with as many peers as they take; each with the smallest blob. Records come in pages, blobs in extents.
TEST(Geometry, AFullSegmentUsesNoMoreThanWasPromised) {
    for (const std::uint32_t capacity : {1u, 64u, 1'000u, 4'096u}) {
        const test::TemporaryFolder folder;
        const Paths paths{folder.path()};
        auto made = Segment::create(paths, test::small_options(capacity, 64), HostIdentity::current());
        ASSERT_TRUE(made.has_value());
        Roster& roster = made->writable();
        const Geometry& g = roster.geometry();
        const std::uint32_t per_extent = blob_extent_bytes / blob_class_bytes[0];
        std::uint32_t first_blob = 0;
        for (std::uint32_t i = 0; i < capacity; ++i) {
            if (i % per_extent == 0) first_blob = test::add_blob_extent(roster, 0);
            store_blob(roster, first_blob + i % per_extent * (blob_class_bytes[0] / blob_unit), Blob{});
            test::put_peer(roster, Slot{i}, "n" + std::to_string(i));
            activate(roster.word(Slot{i}), Stamp{1}, first_generation);
        }
        const std::uint64_t there_anyway = roster_header_bytes + (g.buckets - g.ring) + (g.records - g.extent_classes) + page /* pulse preamble */;
        const std::uint64_t roundings = 2 * page /* records, buckets */ + block_words * 8 + page /* words */ + blob_extent_bytes;
        EXPECT_LE(bytes_in_use(paths.roster()) + bytes_in_use(paths.pulse(made->instance())), there_anyway + roundings + std::uint64_t{capacity} * 256) << capacity;
    }
}

}  // namespace
}  // namespace rollcall::shm
