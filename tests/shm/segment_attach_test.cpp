// Attaching: by each access what it may do, and every memory that must not be believed is refused with its reason.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shm/word.hpp"
#include "tests/shm/private_segment.hpp"
#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

using testing::HasSubstr;

constexpr Access every_access[] = {Access::observer, Access::producer, Access::engine, Access::copy};

// What the kernel lets this process do with the page of `address`.
bool is_writable(const void* address) {
    std::ifstream maps("/proc/self/maps");
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0, end = 0;
        char rights[5] = {};
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) == 3 && begin <= wanted && wanted < end) return rights[1] == 'w';
    }
    return false;
}

class SegmentAttach : public testing::Test {
protected:
    SegmentAttach() : made_(Segment::create(paths_, test::small_options(), host_)) {}

    Roster& roster() { return made_->writable(); }
    std::string pulse() const { return paths_.pulse(0x1234); }

    // Every access but those in `allowed` fails with this kind and says this.
    void expect_refused(ErrorKind kind, const char* message, std::initializer_list<Access> allowed = {}) {
        for (const Access access : every_access) {
            const auto attached = Segment::attach(paths_, access, host_);
            if (std::find(allowed.begin(), allowed.end(), access) != allowed.end()) {
                EXPECT_TRUE(attached.has_value()) << attached.error().message;
                continue;
            }
            ASSERT_FALSE(attached.has_value()) << message;
            EXPECT_EQ(attached.error().kind, kind) << attached.error().message;
            EXPECT_THAT(attached.error().message, HasSubstr(message));
            EXPECT_EQ(attached.error().message.find('\n'), std::string::npos);
        }
    }
    // As above, for a damage that is undone afterwards.
    template <class Field, class Value>
    void expect_refused_with(Field& field, Value damaged, ErrorKind kind, const char* message, std::initializer_list<Access> allowed = {}) {
        const auto before = field.exchange(damaged);
        expect_refused(kind, message, allowed);
        field.store(before);
        expect_refused(kind, message, {Access::observer, Access::producer, Access::engine, Access::copy});
    }

    test::TemporaryFolder folder_;
    Paths paths_{folder_.path()};
    HostIdentity host_ = HostIdentity::current();
    Result<Segment> made_;
};

TEST_F(SegmentAttach, GivesEachAccessWhatItMayWriteAndNoMore) {
    struct Row {
        Access access;
        bool roster, pulse;
    };
    for (const Row& row : {Row{Access::observer, false, false}, Row{Access::producer, false, true}, Row{Access::engine, true, true}, Row{Access::copy, false, false}}) {
        const auto attached = Segment::attach(paths_, row.access, host_);
        ASSERT_TRUE(attached.has_value()) << attached.error().message;
        EXPECT_EQ(is_writable(&attached->roster().header()), row.roster);
        EXPECT_EQ(is_writable(&attached->roster().word(Slot{0})), row.pulse);
        EXPECT_EQ(attached->instance(), 0x1234u);
        EXPECT_EQ(attached->roster().capacity(), 64u);
        EXPECT_TRUE(attached->is_in_place());
    }
}

TEST_F(SegmentAttach, EverybodySeesTheSameMemory) {
    auto member = Segment::attach(paths_, Access::producer, host_);
    const auto observer = Segment::attach(paths_, Access::observer, host_);
    ASSERT_TRUE(member.has_value() && observer.has_value());
    test::put_peer(roster(), Slot{2}, "a");
    activate(roster().word(Slot{2}), Stamp{1}, first_generation);
    ASSERT_EQ(beat(member->writable().word(Slot{2}), Stamp{9}, first_generation), WordBeat::moved);
    EXPECT_EQ(stamp_of(observer->roster().word(Slot{2}).load()), Stamp{9});
    FoundRecord found;
    EXPECT_EQ(find(observer->roster(), Name::of("a"), found), Lookup::found);
}

TEST_F(SegmentAttach, NothingThereIsNoCluster) {
    std::filesystem::remove(paths_.roster());
    expect_refused(ErrorKind::no_cluster, "no cluster memory");
    std::filesystem::remove_all(folder_.path());
    expect_refused(ErrorKind::no_cluster, "no cluster memory");
}

TEST_F(SegmentAttach, AnotherMagicIsDamage) { expect_refused_with(roster().preamble().magic, roster_magic + 1, ErrorKind::damaged, "not rollcall's memory"); }

TEST_F(SegmentAttach, AnotherVersionIsIncompatibleAndNamesBoth) {
    expect_refused_with(roster().preamble().version, layout_version + 1, ErrorKind::incompatible, "layout version 2, this build reads 1");
    expect_refused_with(roster().preamble().version, 0u, ErrorKind::incompatible, "layout version 0");
}

TEST_F(SegmentAttach, AMemoryThatWasNeverCompletedIsDamage) {
    expect_refused_with(roster().preamble().lifecycle, static_cast<std::uint32_t>(Lifecycle::building), ErrorKind::damaged, "never completed");
    expect_refused_with(roster().preamble().lifecycle, 77u, ErrorKind::damaged, "never completed");
}

// Observers of a superseded memory may still look; it says itself that it is over.
TEST_F(SegmentAttach, ASupersededMemoryAttachesAndSaysSo) {
    roster().preamble().lifecycle.store(static_cast<std::uint32_t>(Lifecycle::superseded));
    for (const Access access : every_access) {
        const auto attached = Segment::attach(paths_, access, host_);
        ASSERT_TRUE(attached.has_value());
        EXPECT_TRUE(attached->is_superseded());
    }
}

TEST_F(SegmentAttach, ImpossibleSizesAreDamage) {
    for (const std::uint32_t capacity : {0u, max_capacity + 1, ~0u}) expect_refused_with(roster().header().capacity, capacity, ErrorKind::damaged, "impossible capacity or ring");
    for (const std::uint32_t ring : {0u, 1u, 63u, 65u, max_ring * 2, ~0u}) expect_refused_with(roster().header().ring_entries, ring, ErrorKind::damaged, "impossible capacity or ring");
}

TEST_F(SegmentAttach, SizesThatAreNotThoseOfTheFileAreDamage) {
    for (const std::uint32_t capacity : {1u, 4'096u}) expect_refused_with(roster().header().capacity, capacity, ErrorKind::damaged, "its layout needs");
    expect_refused_with(roster().header().ring_entries, 128u, ErrorKind::damaged, "its layout needs");
}

// A stamp means nothing after a reboot or under another clock; a copy may be read all the same.
TEST_F(SegmentAttach, AnotherBootOrClockIsIncompatibleSaveForACopy) {
    expect_refused_with(roster().header().boot_id[0], 1u, ErrorKind::incompatible, "another boot", {Access::copy});
    expect_refused_with(roster().header().boot_id[1], 1u, ErrorKind::incompatible, "another boot", {Access::copy});
    expect_refused_with(roster().header().time_namespace, 1u, ErrorKind::incompatible, "time namespace", {Access::copy});
}

TEST_F(SegmentAttach, ATruncatedRosterIsDamage) {
    for (const std::uint64_t bytes : {roster().geometry().roster_bytes - 1, roster().geometry().records, roster_header_bytes}) {
        std::filesystem::resize_file(paths_.roster(), bytes);
        expect_refused(ErrorKind::damaged, "its layout needs");
    }
    for (const std::uint64_t bytes : {std::uint64_t{roster_header_bytes - 1}, std::uint64_t{64}, std::uint64_t{0}}) {
        std::filesystem::resize_file(paths_.roster(), bytes);
        expect_refused(ErrorKind::damaged, "truncated");
    }
}

TEST_F(SegmentAttach, ATruncatedPulseIsDamage) {
    for (const std::uint64_t bytes : {roster().geometry().pulse_bytes - 1, std::uint64_t{64}, std::uint64_t{0}}) {
        std::filesystem::resize_file(pulse(), bytes);
        expect_refused(ErrorKind::damaged, "truncated");
    }
}

TEST_F(SegmentAttach, APulseOfAnotherInstanceIsNeverCombined) {
    expect_refused_with(roster().pulse_preamble().instance, 0x9999u, ErrorKind::damaged, "does not belong to");
    expect_refused_with(roster().pulse_preamble().magic, roster_magic, ErrorKind::damaged, "does not belong to");
    expect_refused_with(roster().preamble().instance, 0x9999u, ErrorKind::damaged, "is missing");
    std::filesystem::remove(pulse());
    expect_refused(ErrorKind::damaged, "is missing");
}

TEST_F(SegmentAttach, NoiseIsDamage) {
    for (const char byte : {'\0', '\xFF', 'R'}) {
        std::filesystem::remove(paths_.roster());
        std::ofstream(paths_.roster(), std::ios::binary) << std::string(100'000, byte);
        expect_refused(ErrorKind::damaged, "not rollcall's memory");
    }
}

TEST_F(SegmentAttach, WhatIsNoRegularFileIsRefused) {
    std::filesystem::remove(paths_.roster());
    std::filesystem::create_directory(paths_.roster());
    for (const Access access : every_access) EXPECT_FALSE(Segment::attach(paths_, access, host_).has_value());
    std::filesystem::remove(paths_.roster());
    std::filesystem::create_symlink("/dev/null", paths_.roster());
    expect_refused(ErrorKind::refused, "roster");
}

// Opening a FIFO waits for somebody at its other end, unless one asks not to.
TEST_F(SegmentAttach, AFifoIsRefusedAtOnce) {
    std::filesystem::remove(paths_.roster());
    ASSERT_EQ(::mkfifo(paths_.roster().c_str(), 0666), 0);
    for (const Access access : every_access) {
        const auto attached = Segment::attach(paths_, access, host_);
        ASSERT_FALSE(attached.has_value());
        EXPECT_THAT(attached.error().message, HasSubstr("not a regular file"));
    }
}

TEST_F(SegmentAttach, WithoutPermissionIsRefused) {
    const auto with_modes = [&](mode_t roster_mode, mode_t pulse_mode, std::initializer_list<Access> allowed) {
        ::chmod(paths_.roster().c_str(), roster_mode);
        ::chmod(pulse().c_str(), pulse_mode);
        const test::WithoutRights nobody;
        expect_refused(ErrorKind::refused, folder_.path().c_str(), allowed);
    };
    with_modes(0000, 0664, {});
    with_modes(0444, 0000, {});
    with_modes(0444, 0444, {Access::observer, Access::copy});
    with_modes(0444, 0664, {Access::observer, Access::copy, Access::producer});
    // More than anybody may have is not believed.
    with_modes(0444, 0666, {});
    with_modes(0664, 0664, {});
    with_modes(0646, 0664, {});
}

// A folder that was copied elsewhere, onto any file system, can still be read.
TEST_F(SegmentAttach, ACopyOfTheFolderReads) {
    test::put_peer(roster(), Slot{0}, "a");
    const test::TemporaryFolder elsewhere("/tmp");
    std::filesystem::copy(folder_.path(), elsewhere / "copy");
    const auto copy = Segment::attach(Paths{elsewhere / "copy"}, Access::copy, {});
    ASSERT_TRUE(copy.has_value()) << copy.error().message;
    FoundRecord found;
    EXPECT_EQ(find(copy->roster(), Name::of("a"), found), Lookup::found);
}

TEST_F(SegmentAttach, MoreSlotsInUseThanThereAreAreNotBelieved) {
    roster().header().high_water.store(~0u);
    EXPECT_EQ(Segment::attach(paths_, Access::observer, host_)->roster().high_water(), 64u);
}

}  // namespace
}  // namespace rollcall::shm
