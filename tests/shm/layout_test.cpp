// What is frozen for all versions, and what this version promised: bytes that other builds and other languages read.
#include "shm/layout.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "tests/shm/private_segment.hpp"

namespace rollcall::shm {
namespace {

// The preamble may never change: by it any build recognises another's memory, and ends it.
static_assert(sizeof(Preamble) == 64);
static_assert(offsetof(Preamble, magic) == 0 && sizeof(Preamble::magic) == 8);
static_assert(offsetof(Preamble, version) == 8 && sizeof(Preamble::version) == 4);
static_assert(offsetof(Preamble, lifecycle) == 12 && sizeof(Preamble::lifecycle) == 4);
static_assert(offsetof(Preamble, instance) == 16 && sizeof(Preamble::instance) == 8);
static_assert(offsetof(Preamble, words_offset) == 24 && sizeof(Preamble::words_offset) == 8);
static_assert(offsetof(Preamble, word_count) == 32 && sizeof(Preamble::word_count) == 8);
static_assert(offsetof(Preamble, reserved) == 40 && sizeof(Preamble::reserved) == 24);
static_assert(static_cast<int>(Lifecycle::building) == 0 && static_cast<int>(Lifecycle::live) == 1 && static_cast<int>(Lifecycle::superseded) == 2);

static_assert(sizeof(Record) == 192 && offsetof(Record, next) == 8 && offsetof(Record, hash) == 12 && offsetof(Record, copies) == 16 && offsetof(Record, name) == 128);
static_assert(sizeof(Entry) == 192 && offsetof(Entry, what) == 8 && offsetof(Entry, hot) == 16 && offsetof(Entry, view) == 72 && offsetof(Entry, mono_ns) == 80);
static_assert(offsetof(Entry, wall_us) == 88 && offsetof(Entry, length_ns) == 96 && offsetof(Entry, epoch) == 104 && offsetof(Entry, list_version) == 112);
static_assert(sizeof(Card) == 128 && alignof(Card) == 128 && sizeof(Word) == 8);

TEST(Layout, MagicsReadAsTextInADump) {
    char text[9] = {};
    std::memcpy(text, &roster_magic, 8);
    EXPECT_STREQ(text, "Rcroster");
    std::memcpy(text, &pulse_magic, 8);
    EXPECT_STREQ(text, "Rcpulse.");
}

// What moves at different rhythms lies on different cache lines.
TEST(Layout, CursorsHaveCacheLinesOfTheirOwn) {
    const std::size_t lines[] = {offsetof(RosterHeader, boot_id), offsetof(RosterHeader, engine_pid), offsetof(RosterHeader, step_ns), offsetof(RosterHeader, selector),
                                 offsetof(RosterHeader, prepared), offsetof(RosterHeader, checkpoints)};
    for (std::size_t i = 0; i < std::size(lines); ++i) {
        EXPECT_EQ((sizeof(Preamble) + lines[i]) % cache_line, 0u);
        EXPECT_TRUE(i == 0 || lines[i] - lines[i - 1] >= cache_line);
    }
    EXPECT_LE(sizeof(Preamble) + sizeof(RosterHeader), roster_header_bytes);
}

TEST(Layout, ARosterFindsItsRegionsWhereTheGeometryPutsThem) {
    Segment segment = test::private_segment(100, 64);
    Roster& roster = segment.writable();
    const Geometry& g = roster.geometry();
    const auto distance = [](const void* from, const void* to) { return reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from); };
    const auto in_roster = [&](const void* p) { return distance(&roster.preamble(), p); };
    const auto in_pulse = [&](const void* p) { return distance(&roster.pulse_preamble(), p); };
    EXPECT_EQ(in_roster(&roster.header()), 64u);
    EXPECT_EQ(in_roster(&roster.entry(Sequence{65})), g.ring + 192) << "the ring wraps";
    EXPECT_EQ(in_roster(&roster.bucket(3)), g.buckets + 12);
    EXPECT_EQ(in_roster(&roster.extent_class(3)), g.extent_classes + 12);
    EXPECT_EQ(in_roster(&roster.record(Slot{3})), g.records + 3 * 192);
    EXPECT_EQ(in_roster(roster.blob(5)), g.blobs + 5 * 16);
    EXPECT_EQ(in_pulse(&roster.word(Slot{3})), 4096u + 24);
    EXPECT_EQ(in_pulse(&roster.card(2)), g.cards + 256);
}

}  // namespace
}  // namespace rollcall::shm
