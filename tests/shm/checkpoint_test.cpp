// Publication: readers see one position of the ring and everything that is true there, or they try again.
#include "shm/checkpoint.hpp"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "tests/shm/interruptions.hpp"
#include "tests/shm/private_segment.hpp"

namespace rollcall::shm {
namespace {

// Values that all tell their number.
CheckpointValues values_of(std::uint64_t n) {
    CheckpointValues v;
    v.head = Sequence{n};
    v.view = v.list_version = v.host_incarnation = v.greatest_incarnation = n;
    v.settings.evict = Duration(std::chrono::seconds(100)) + Duration(static_cast<std::int64_t>(n % 1'000'000));
    v.counters.fill(n);
    v.pause_count = static_cast<std::uint32_t>(n % (max_pauses + 1));
    for (std::size_t i = 0; i < v.pause_count; ++i) v.pauses[i] = {Stamp{n + i}, Stamp{n + i + 1}};
    return v;
}

bool same(const CheckpointValues& a, const CheckpointValues& b) {
    return a.head == b.head && a.view == b.view && a.list_version == b.list_version && a.host_incarnation == b.host_incarnation && a.greatest_incarnation == b.greatest_incarnation &&
           a.settings == b.settings && a.counters == b.counters && a.pause_count == b.pause_count && std::equal(a.pauses.begin(), a.pauses.begin() + a.pause_count, b.pauses.begin());
}

TEST(Checkpoint, ReadsWhatWasPublishedLast) {
    const auto header = std::make_unique<RosterHeader>();
    for (const std::uint64_t n : {1ull, 2ull, 64ull, 65ull, 0xFFFF'FFFF'FFFFull}) {
        publish(*header, values_of(n));
        CheckpointValues read;
        ASSERT_TRUE(load_checkpoint(*header, read));
        EXPECT_TRUE(same(read, values_of(n)));
        EXPECT_EQ(load_head(*header), Sequence{n});
    }
}

// A new setting or a pause publishes without an event: the selector must move all the same, more often than its 16 bits can count.
TEST(Checkpoint, APublicationWithoutEventsMovesTheSelectorToo) {
    const auto header = std::make_unique<RosterHeader>();
    CheckpointValues values = values_of(7);
    for (std::uint64_t i = 0; i < 70'000; ++i) {
        const std::uint64_t before = header->selector.load();
        values.view = i;
        publish(*header, values);
        ASSERT_NE(header->selector.load(), before);
        ASSERT_NE(header->selector.load() & 1, before & 1) << "the checkpoint that counted was overwritten";
        ASSERT_EQ(load_head(*header), Sequence{7});
        CheckpointValues read;
        ASSERT_TRUE(load_checkpoint(*header, read));
        ASSERT_EQ(read.view, i);
    }
}

// An engine that dies while it fills the other checkpoint has published nothing.
TEST(Checkpoint, OneThatWasNotFinishedDoesNotCount) {
    const auto header = std::make_unique<RosterHeader>();
    publish(*header, values_of(5));
    Checkpoint& other = header->checkpoints[(header->selector.load() + 1) & 1];
    other.head.store(6);
    other.view.store(999);
    other.pause_count.store(12'345);
    CheckpointValues read;
    ASSERT_TRUE(load_checkpoint(*header, read));
    EXPECT_TRUE(same(read, values_of(5)));
    publish(*header, values_of(6));
    ASSERT_TRUE(load_checkpoint(*header, read));
    EXPECT_TRUE(same(read, values_of(6)));
}

TEST(Checkpoint, DamagedContentsAreRefused) {
    const auto header = std::make_unique<RosterHeader>();
    CheckpointValues read;
    EXPECT_FALSE(load_checkpoint(*header, read)) << "zeros: no settings";
    const auto damaged = [&](auto damage) {
        publish(*header, values_of(5));
        damage(header->checkpoints[header->selector.load() & 1]);
        return !load_checkpoint(*header, read);
    };
    EXPECT_FALSE(damaged([](Checkpoint&) {}));
    EXPECT_TRUE(damaged([](Checkpoint& c) { c.head.store(6); })) << "it is not of this head";
    EXPECT_TRUE(damaged([](Checkpoint& c) { c.pause_count.store(max_pauses + 1); }));
    EXPECT_TRUE(damaged([](Checkpoint& c) { c.pause_count.store(0xFFFF'FFFF); }));
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(damaged([&](Checkpoint& c) { c.settings_ns[i].store(0); })) << i;
        EXPECT_TRUE(damaged([&](Checkpoint& c) { c.settings_ns[i].store(~std::uint64_t{0}); })) << i;
        EXPECT_TRUE(damaged([&](Checkpoint& c) { c.settings_ns[i].store(std::uint64_t{1} << 62); })) << i;
    }
    EXPECT_TRUE(damaged([&](Checkpoint&) { header->selector.fetch_add(1 << 16); })) << "a selector that names another head";
}

// The reader is interrupted between any two of its instructions, by up to three publications.
TEST(Checkpoint, IsReadWholeWhereverTheReaderIsInterrupted) {
    const auto header = std::make_unique<RosterHeader>();
    std::vector<CheckpointValues> values;
    for (std::uint64_t n = 0; n < 64; ++n) values.push_back(values_of(n));
    publish(*header, values[1]);
    std::atomic<std::uint64_t> published{1};  // relaxed: one thread, and its signal handler
    int good = 0, torn = 0;
    const test::Interruptions writer([&] {
        for (std::uint64_t n = 1 + published.load(std::memory_order_relaxed) % 3; n > 0; --n) publish(*header, values[published.fetch_add(1, std::memory_order_relaxed) % 64]);
    });
    while (writer.count() < 2'000 && torn == 0) {
        CheckpointValues read;
        load_checkpoint(*header, read) && read.head.value < 64 && same(read, values[read.head.value]) ? ++good : ++torn;
    }
    EXPECT_EQ(torn, 0);
    EXPECT_GT(good, 2'000);
}

// One thread publishes as fast as it can; whatever the reader accepts belongs to one publication.
TEST(Checkpoint, IsReadWholeUnderAWriter) {
    constexpr int wanted = 5'000;
    const auto header = std::make_unique<RosterHeader>();
    publish(*header, values_of(1));
    std::array<int, 2> torn{};
    std::atomic<int> done{0};
    {
        std::vector<std::jthread> readers;
        for (int& bad : torn)
            readers.emplace_back([&] {
                std::uint64_t newest = 0;
                for (int good = 0; good < wanted && bad == 0;) {
                    CheckpointValues read;
                    if (!load_checkpoint(*header, read)) continue;  // overtaken a thousand times
                    same(read, values_of(read.head.value)) && read.head.value >= newest ? ++good : ++bad;
                    newest = read.head.value;
                }
                done.fetch_add(1, std::memory_order_relaxed);  // relaxed: joining the thread publishes its counts
            });
        for (std::uint64_t n = 2; done.load(std::memory_order_relaxed) < 2; ++n) {
            publish(*header, values_of(n));
            if (n % 256 == 0) std::this_thread::yield();
        }
    }
    for (const int bad : torn) EXPECT_EQ(bad, 0);
}

// Two checkpoints take turns: what changed once must reach both, and what did not change need not be written again.
TEST(Checkpoint, WhatChangesRarelyReachesBoth) {
    Segment segment = test::private_segment();
    RosterHeader& header = segment.writable().header();
    CheckpointValues values;
    ASSERT_TRUE(load_checkpoint(header, values));
    HeldEditions held;
    for (std::uint64_t edition = 1; edition <= 3; ++edition) {
        values.settings.evict += std::chrono::seconds(1);
        values.pauses[0] = {Stamp{edition}, Stamp{edition + 1}};
        values.pause_count = 1;
        for (int publication = 0; publication < 3; ++publication) {
            values.head = values.head + 1;
            publish(header, values, edition, held);
            CheckpointValues read;
            ASSERT_TRUE(load_checkpoint(header, read));
            EXPECT_EQ(read.head, values.head);
            EXPECT_EQ(read.settings, values.settings);
            EXPECT_EQ(read.pauses[0], values.pauses[0]);
        }
    }
}

}  // namespace
}  // namespace rollcall::shm
