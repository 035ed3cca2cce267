// Blobs: what comes out is what went in, and nothing that lies there leads a reader astray.
#include "shm/blob.hpp"

#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/shm/interruptions.hpp"
#include "tests/shm/page_trap.hpp"
#include "tests/shm/private_segment.hpp"

namespace rollcall::shm {
namespace {

constexpr std::uint32_t units_per_extent = blob_extent_bytes / blob_unit;

// A blob whose contents tell its sequence.
Blob blob_of(std::uint64_t n, std::size_t endpoint, std::size_t host, std::size_t tags) {
    Blob b;
    b.sequence = Sequence{n};
    b.set_text(std::string(endpoint, static_cast<char>('a' + n % 26)), std::string(host, static_cast<char>('A' + n % 26)), std::string(tags, static_cast<char>('0' + n % 10)));
    b.card = static_cast<std::uint32_t>(n);
    b.start_ticks = n & 0xFFFF'FFFF'FFFF;
    b.flags = static_cast<std::uint8_t>(n);
    b.pid = b.uid = b.gid = static_cast<std::uint32_t>(n * 7);
    b.token = n * 31;
    return b;
}

bool same(const Blob& a, const Blob& b) {
    return a.sequence == b.sequence && a.endpoint() == b.endpoint() && a.host() == b.host() && a.tags() == b.tags() && a.card == b.card && a.start_ticks == b.start_ticks && a.flags == b.flags &&
           a.pid == b.pid && a.uid == b.uid && a.gid == b.gid && a.token == b.token;
}

TEST(Blob, TheSmallestClassThatHoldsItIsChosen) {
    EXPECT_EQ(blob_class_for(Blob{}), 0u);
    for (std::size_t text = 0; text <= max_endpoint + max_node_id + 1 + max_tags; ++text) {
        Blob blob;
        blob.set_text("", "", std::string(text, 't'));
        const std::size_t c = blob_class_for(blob), bytes = blob_fixed_words * 8 + text;
        ASSERT_LT(c, blob_class_count);
        ASSERT_LE(bytes, blob_class_bytes[c]);
        ASSERT_TRUE(c == 0 || bytes > blob_class_bytes[c - 1]);
    }
}

// Every class, filled as far as the parts may go, at every place of an extent that can hold one; neighbours are left alone.
TEST(Blob, ComesOutAsItWentInInEveryClass) {
    for (std::size_t c = 0; c < blob_class_count; ++c) {
        Segment segment = test::private_segment();
        Roster& roster = segment.writable();
        const std::uint32_t first = test::add_blob_extent(roster, c), step = blob_class_bytes[c] / blob_unit;
        const std::size_t text = blob_class_bytes[c] - blob_fixed_words * 8, tags = std::min(text, max_tags), endpoint = std::min(text - tags, max_endpoint);
        const std::uint32_t count = static_cast<std::uint32_t>(blob_extent_bytes / blob_class_bytes[c]);
        const auto blob_at = [&](std::uint32_t i) { return blob_of(i + 1, endpoint, std::min(text - tags - endpoint, max_node_id), tags); };
        for (std::uint32_t i = 0; i < count; ++i) store_blob(roster, first + i * step, blob_at(i));
        for (std::uint32_t i = 0; i < count; ++i) {
            Blob read;
            ASSERT_TRUE(load_blob(roster, first + i * step, read)) << c << ' ' << i;
            ASSERT_TRUE(same(read, blob_at(i))) << c << ' ' << i;
            ASSERT_EQ(load_blob_sequence(roster, first + i * step), Sequence{i + 1});
        }
    }
}

TEST(Blob, ComesOutAsItWentInForAnyLengths) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const std::uint32_t number = test::add_blob_extent(roster, blob_class_count - 1);
    std::mt19937_64 random(1);
    for (int i = 0; i < 5'000; ++i) {
        const Blob blob = blob_of(random() & 0xFFFF'FFFF'FFFF, random() % (max_endpoint + 1), random() % (max_node_id + 1), random() % (max_tags + 1));
        store_blob(roster, number, blob);
        Blob read = blob_of(1, 3, 3, 3);  // whatever was in it is replaced
        ASSERT_TRUE(load_blob(roster, number, read));
        ASSERT_TRUE(same(read, blob));
    }
}

TEST(Blob, ANumberMustLieOnABoundaryInsideAnExtentInUse) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    EXPECT_FALSE(is_blob_number(roster, 0)) << "no extent is in use";
    ASSERT_EQ(test::add_blob_extent(roster, 2), 0u);                 // 96 bytes: 6 units
    ASSERT_EQ(test::add_blob_extent(roster, 9), units_per_extent);  // 896 bytes: 56 units, 73 an extent
    struct Row {
        std::uint32_t number;
        bool good;
    };
    const Row rows[] = {
        {0, true}, {1, false}, {6, true}, {3, false}, {681 * 6, true}, {682 * 6, false},
        {units_per_extent, true}, {units_per_extent + 6, false}, {units_per_extent + 56, true}, {units_per_extent + 72 * 56, true}, {units_per_extent + 73 * 56, false},
        {2 * units_per_extent, false}, {roster.geometry().blob_extents * units_per_extent, false}, {no_index, false}, {no_index - 1, false},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(is_blob_number(roster, row.number), row.good) << row.number;
        Blob blob;
        EXPECT_EQ(load_blob(roster, row.number, blob), row.good) << row.number;
    }
}

TEST(Blob, AnExtentOfNoClassHoldsNothing) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    for (const std::uint32_t damaged : {static_cast<std::uint32_t>(blob_class_count), 1'000u, no_index}) {
        roster.header().blob_extents_used.store(1);
        roster.extent_class(0).store(damaged);
        Blob blob;
        EXPECT_FALSE(is_blob_number(roster, 0));
        EXPECT_FALSE(load_blob(roster, 0, blob));
        EXPECT_EQ(load_blob_sequence(roster, 0), Sequence{});
    }
}

TEST(Blob, MoreExtentsInUseThanThereAreAreNotBelieved) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    roster.header().blob_extents_used.store(no_index);
    const std::uint32_t beyond = roster.geometry().blob_extents * units_per_extent;
    EXPECT_FALSE(is_blob_number(roster, beyond));
    EXPECT_FALSE(is_blob_number(roster, no_index / 56 * 56));
}

TEST(Blob, LengthsThatDoNotFitItsClassAreRefused) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const std::uint32_t number = test::add_blob_extent(roster, 3);  // 128 bytes: 80 of text
    struct Row {
        std::uint64_t endpoint, host, tags;
        bool good;
    };
    for (const Row& row : {Row{80, 0, 0, true}, Row{81, 0, 0, false}, Row{0, 81, 0, false}, Row{0, 0, 81, false}, Row{27, 27, 27, false}, Row{26, 27, 27, true}, Row{255, 255, 65'535, false},
                           Row{0, 0, 65'535, false}}) {
        store_blob(roster, number, blob_of(5, 10, 10, 10));
        roster.blob(number)[1].store(row.endpoint << 56 | row.host << 48 | row.tags << 32);
        Blob read;
        EXPECT_EQ(load_blob(roster, number, read), row.good) << row.endpoint << ' ' << row.host << ' ' << row.tags;
    }
}

TEST(Blob, AnyContentsReadOrAreRefused) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const std::uint32_t number = test::add_blob_extent(roster, 5);
    std::mt19937_64 random(2);
    for (int i = 0; i < 5'000; ++i) {
        for (std::size_t w = 0; w < blob_class_bytes[5] / 8u; ++w) roster.blob(number)[w].store(random() >> random() % 64);
        Blob read;
        ASSERT_TRUE(!load_blob(roster, number, read) || read.endpoint().size() + read.host().size() + read.tags().size() <= blob_class_bytes[5] - 48u);
    }
}

TEST(Blob, OneThatWasReusedCarriesAnotherSequence) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const std::uint32_t number = test::add_blob_extent(roster, 4);
    store_blob(roster, number, blob_of(5, 9, 9, 9));
    EXPECT_EQ(load_blob_sequence(roster, number), Sequence{5});
    store_blob(roster, number, blob_of(6, 20, 2, 2));
    EXPECT_EQ(load_blob_sequence(roster, number), Sequence{6});
    EXPECT_EQ(load_blob_sequence(roster, number + 1), Sequence{}) << "no such blob";
}

// A writer that is stopped half-way, where the blob goes on in the next page.
TEST(Blob, BelongsToNoEventWhileItIsBeingWritten) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const std::uint32_t number = test::add_blob_extent(roster, blob_class_count - 1) + 4 * 896 / blob_unit;
    store_blob(roster, number, blob_of(5, 255, 63, 500));
    test::PageTrap trap;
    trap.set(roster.blob(number) + 100, test::PageTrap::On::write, [&] { EXPECT_EQ(load_blob_sequence(roster, number), Sequence{}) << "neither the old event's nor the new one's"; });
    store_blob(roster, number, blob_of(6, 255, 63, 500));
    EXPECT_TRUE(trap.has_sprung());
    EXPECT_EQ(load_blob_sequence(roster, number), Sequence{6});
}

// The reader is interrupted between any two of its instructions, and the blob is reused.
TEST(Blob, IsWholeIfItsSequenceIsTheSameWhereverTheReaderIsInterrupted) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const std::uint32_t number = test::add_blob_extent(roster, 1);
    std::vector<Blob> blobs;
    for (std::uint64_t n = 1; n <= 64; ++n) blobs.push_back(blob_of(n, n % 6, n % 5, n % 4));  // short: storing them allocates nothing
    store_blob(roster, number, blobs[0]);
    std::uint64_t stored = 0;
    int good = 0, torn = 0;
    const test::Interruptions writer([&] { store_blob(roster, number, blobs[++stored % 64]); });
    while (writer.count() < 2'000 && torn == 0) {
        Blob read;
        if (!load_blob(roster, number, read) || load_blob_sequence(roster, number) != read.sequence) continue;
        same(read, blobs[(read.sequence.value - 1) % 64]) ? ++good : ++torn;
    }
    EXPECT_EQ(torn, 0);
    EXPECT_GT(good, 2'000);
}

// One thread reuses a blob all the time. Whoever reads the same sequence, not 0, before and after copying has copied one blob whole.
TEST(Blob, IsWholeIfItsSequenceIsTheSameBeforeAndAfter) {
    constexpr int wanted = 10'000;
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const std::uint32_t number = test::add_blob_extent(roster, 6);
    const auto nth = [](std::uint64_t n) { return blob_of(n, n % 90, n % 60, n % 150); };
    store_blob(roster, number, nth(1));
    std::atomic<bool> done{false};
    int torn = 0;
    {
        std::jthread reader([&] {
            for (int good = 0; good < wanted && torn == 0;) {
                Blob read;
                if (!load_blob(roster, number, read) || read.sequence.value == 0 || load_blob_sequence(roster, number) != read.sequence) continue;
                same(read, nth(read.sequence.value)) ? ++good : ++torn;
            }
            done.store(true, std::memory_order_relaxed);  // relaxed: joining the thread publishes its counts
        });
        for (std::uint64_t n = 2; !done.load(std::memory_order_relaxed); ++n) {
            const Blob next = nth(n);
            store_blob(roster, number, next);
            if (n % 64 == 0) std::this_thread::yield();
        }
    }
    EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace rollcall::shm
