// Making the two files of a cluster, and replacing what was there.
#include "shm/segment.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "shm/checkpoint.hpp"
#include "shm/word.hpp"
#include "tests/shm/private_segment.hpp"
#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::set<std::string> files_in(const std::string& folder) {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder)) names.insert(file.path().filename().string());
    return names;
}

mode_t mode_of(const std::string& path) {
    struct stat s{};
    return ::stat(path.c_str(), &s) == 0 ? s.st_mode & 07777 : 0;
}

class SegmentFiles : public testing::Test {
protected:
    Segment create(std::uint64_t instance = 0x1234, std::uint32_t capacity = 64) {
        auto made = Segment::create(paths_, test::small_options(capacity, 64, instance), host_);
        EXPECT_TRUE(made.has_value()) << made.error().message;
        return made ? std::move(*made) : Segment();
    }

    test::TemporaryFolder folder_;
    Paths paths_{folder_.path()};
    HostIdentity host_ = HostIdentity::current();
};

using SegmentCreate = SegmentFiles;

TEST_F(SegmentCreate, MakesBothFilesAndNothingElse) {
    const mode_t before = ::umask(077);  // whatever the user's mask, clients must be able to read
    const Segment segment = create();
    ::umask(before);
    EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("roster", "pulse.0000000000001234"));
    EXPECT_EQ(mode_of(paths_.roster()), 0644u);
    EXPECT_EQ(mode_of(paths_.pulse(0x1234)), 0664u);
    EXPECT_EQ(std::filesystem::file_size(paths_.roster()), segment.roster().geometry().roster_bytes);
    EXPECT_EQ(std::filesystem::file_size(paths_.pulse(0x1234)), segment.roster().geometry().pulse_bytes);
    EXPECT_TRUE(segment.is_in_place());
    EXPECT_FALSE(segment.is_superseded());
}

TEST_F(SegmentCreate, GivesThePulseToItsGroup) {
    SegmentOptions options = test::small_options();
    options.group = ::getegid();
    ASSERT_TRUE(Segment::create(paths_, options, host_).has_value());
    struct stat s{};
    ASSERT_EQ(::stat(paths_.pulse(options.instance).c_str(), &s), 0);
    EXPECT_EQ(s.st_gid, ::getegid());
    EXPECT_EQ(s.st_mode & 0777, 0664u);
}

// What a new memory says: who it is, nobody in it, no word below any threshold, nothing published but the settings.
void expect_new(const Segment& segment, const SegmentOptions& options) {
    const Roster& roster = segment.roster();
    const RosterHeader& header = roster.header();
    EXPECT_EQ(segment.instance(), options.instance);
    EXPECT_EQ(roster.pulse_preamble().instance.load(), options.instance);
    EXPECT_EQ(roster.preamble().version.load(), layout_version);
    EXPECT_EQ(roster.preamble().words_offset.load(), roster.geometry().words);
    EXPECT_EQ(roster.preamble().word_count.load(), options.capacity);
    EXPECT_EQ(header.stream.load(), options.stream);
    EXPECT_EQ(header.capacity.load(), options.capacity);
    EXPECT_EQ(header.ring_entries.load(), options.ring_entries);
    EXPECT_EQ(roster.base_ns(), options.base_ns);
    EXPECT_EQ(header.cluster[0].load(), Name::of(options.cluster).words[0]);
    EXPECT_EQ(roster.high_water(), 0u);
    EXPECT_EQ(load_head(header), Sequence{0});
    EXPECT_EQ(header.prepared.load(), 0u);
    CheckpointValues values;
    ASSERT_TRUE(load_checkpoint(header, values));
    EXPECT_EQ(values.settings, options.settings);
    for (std::uint32_t i = 0; i < roster.geometry().word_count; ++i) ASSERT_EQ(roster.word(Slot{i}).load(), free_word);
    FoundRecord found;
    EXPECT_EQ(find(roster, Name::of("a"), found), Lookup::absent);
}

TEST_F(SegmentCreate, ANewMemoryIsEmpty) {
    for (const std::uint32_t capacity : {1u, 64u, 513u}) {
        const Segment segment = create(capacity, capacity);
        expect_new(segment, test::small_options(capacity, 64, capacity));
    }
}

TEST_F(SegmentCreate, PrivateMemoryHasTheSameLayoutAndNoName) {
    const Segment segment = test::private_segment();
    expect_new(segment, test::small_options());
    EXPECT_TRUE(segment.is_in_place());
    EXPECT_TRUE(files_in(folder_.path()).empty());
}

TEST_F(SegmentCreate, OutsideTmpfsIsRefused) {
    std::string disk;
    struct statfs fs{};
    for (const char* candidate : {"/var/tmp", "/tmp", ".", "/"})
        if (disk.empty() && ::access(candidate, W_OK) == 0 && ::statfs(candidate, &fs) == 0 && fs.f_type != TMPFS_MAGIC) disk = candidate;
    ASSERT_FALSE(disk.empty()) << "this host has nothing but tmpfs to write to";
    const test::TemporaryFolder on_disk(disk);
    const auto made = Segment::create(Paths{on_disk.path()}, test::small_options(), host_);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::refused);
    EXPECT_THAT(made.error().message, HasSubstr("tmpfs"));
    EXPECT_TRUE(files_in(on_disk.path()).empty()) << "nothing is left behind";
}

TEST_F(SegmentCreate, WithoutPermissionIsRefused) {
    ::chmod(folder_.path().c_str(), 0555);
    const test::WithoutRights nobody;
    const auto made = Segment::create(paths_, test::small_options(), host_);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::refused);
    EXPECT_THAT(made.error().message, HasSubstr(folder_.path()));
}

TEST_F(SegmentCreate, InNoFolderFails) {
    const auto made = Segment::create(Paths{folder_ / "missing"}, test::small_options(), host_);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::system);
}

// A creation that was interrupted at any point leaves files that no published roster names. The next one removes them, and nothing else.
TEST_F(SegmentCreate, RemovesWhatAnInterruptedOneLeft) {
    for (const char* stray : {"pulse.00000000000000aa", "roster.00000000000000aa", "pulse.00000000000000bb", "lock", "control.sock", "notes"}) std::ofstream(folder_ / stray) << "x";
    const Segment segment = create();
    EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("roster", "pulse.0000000000001234", "lock", "control.sock", "notes"));
    EXPECT_TRUE(Segment::attach(paths_, Access::observer, host_).has_value());
}

TEST_F(SegmentCreate, NeverWritesThroughALinkThatLiesInItsWay) {
    std::ofstream(folder_ / "precious") << "contents";
    std::filesystem::create_symlink(folder_ / "precious", paths_.pulse(0x1234));
    EXPECT_FALSE(Segment::create(paths_, test::small_options(), host_).has_value());
    std::filesystem::remove(paths_.pulse(0x1234));
    std::filesystem::create_symlink(folder_ / "precious", paths_.roster());
    const Segment segment = create();
    EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(paths_.roster())));
    std::string text;
    std::ifstream(folder_ / "precious") >> text;
    EXPECT_EQ(text, "contents");
}

using SegmentReplace = SegmentFiles;

TEST_F(SegmentReplace, FreesEveryWordOfTheOldOneAndMarksBothItsFiles) {
    Segment old = create(1);
    for (std::uint32_t i = 0; i < 64; ++i) activate(old.writable().word(Slot{i}), Stamp{5}, Generation{9});
    const auto member = Segment::attach(paths_, Access::producer, host_);
    ASSERT_TRUE(member.has_value());
    const Segment fresh = create(2);
    for (const Segment* mapped : {static_cast<const Segment*>(&old), &*member}) {
        EXPECT_TRUE(mapped->is_superseded());
        EXPECT_FALSE(mapped->is_in_place());
        EXPECT_EQ(mapped->roster().pulse_preamble().lifecycle.load(), static_cast<std::uint32_t>(Lifecycle::superseded));
        for (std::uint32_t i = 0; i < 64; ++i) ASSERT_EQ(mapped->roster().word(Slot{i}).load(), free_word);
    }
    EXPECT_EQ(beat(old.writable().word(Slot{3}), Stamp{6}, Generation{9}), WordBeat::foreign) << "every beat on it learns";
    EXPECT_FALSE(fresh.is_superseded());
    EXPECT_TRUE(fresh.is_in_place());
    EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("roster", "pulse.0000000000000002"));
}

TEST_F(SegmentReplace, MayChangeTheCapacity) {
    const Segment old = create(1, 512), fresh = create(2, 7);
    EXPECT_TRUE(old.is_superseded());
    const auto attached = Segment::attach(paths_, Access::observer, host_);
    ASSERT_TRUE(attached.has_value());
    EXPECT_EQ(attached->roster().capacity(), 7u);
}

// The engine died between freeing the old words and publishing the new files: simply repeated.
TEST_F(SegmentReplace, InterruptedBeforeItsPublicationIsRepeated) {
    Segment old = create(1);
    old.writable().preamble().lifecycle.store(static_cast<std::uint32_t>(Lifecycle::superseded));
    std::ofstream(paths_.pulse(2)) << "half";
    std::ofstream(paths_.new_roster(2)) << "half";
    const Segment fresh = create(3);
    EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("roster", "pulse.0000000000000003"));
    EXPECT_EQ(Segment::attach(paths_, Access::engine, host_)->instance(), 3u);
}

// Another version's memory is ended by what is frozen in its preamble, wherever its words lie.
TEST_F(SegmentReplace, EndsTheMemoryOfAnotherLayoutVersion) {
    Segment old = create(1);
    constexpr std::uint64_t elsewhere = 2 * page;
    old.writable().preamble().version.store(layout_version + 40);
    old.writable().preamble().words_offset.store(elsewhere);
    old.writable().preamble().word_count.store(10);
    old.writable().preamble().reserved[0].store(99);
    auto* word = reinterpret_cast<Word*>(reinterpret_cast<std::byte*>(&old.writable().pulse_preamble()) + elsewhere);
    for (int i = 0; i < 11; ++i) word[i].store(42);
    const Segment fresh = create(2);
    EXPECT_TRUE(old.is_superseded());
    for (int i = 0; i < 10; ++i) EXPECT_EQ(word[i].load(), free_word);
    EXPECT_EQ(word[10].load(), 42) << "beyond its words";
    EXPECT_EQ(old.roster().preamble().reserved[0].load(), 99u);
}

// Whatever the old preamble says, only its own words may be touched.
TEST_F(SegmentReplace, OfADamagedPreambleTouchesNoOtherMemory) {
    struct Row {
        std::uint64_t offset, count;
    };
    const Row rows[] = {{0 - std::uint64_t{4'096}, 512}, {0 - std::uint64_t{8}, 1}, {0 - std::uint64_t{8}, 2}, {4'097, 1}, {4'096, max_capacity}, {4'096, ~std::uint64_t{0}}, {1ull << 40, 1}, {0, 8}, {56, 1}};
    std::uint64_t instance = 1;
    for (const Row& row : rows) {
        Segment old = create(instance++);
        old.writable().preamble().words_offset.store(row.offset);
        old.writable().preamble().word_count.store(row.count);
        const Segment fresh = create(instance++);
        EXPECT_TRUE(old.is_superseded());
        EXPECT_EQ(old.roster().pulse_preamble().magic.load(), pulse_magic) << "the words do not begin inside the preamble: " << row.offset;
        EXPECT_TRUE(Segment::attach(paths_, Access::observer, host_).has_value());
    }
}

TEST_F(SegmentReplace, OfNoiseAndOfEmptyFilesWorks) {
    std::uint64_t instance = 1;
    for (const std::string& contents : {std::string(), std::string("x"), std::string(100'000, '\xFF'), std::string(100'000, '\0')}) {
        std::ofstream(paths_.roster(), std::ios::binary | std::ios::trunc) << contents;
        const Segment fresh = create(instance++);
        EXPECT_TRUE(Segment::attach(paths_, Access::engine, host_).has_value());
        std::filesystem::remove(paths_.roster());
    }
}

TEST_F(SegmentFiles, KnowsThatSomebodyRemovedItsFile) {
    const Segment segment = create();
    std::filesystem::remove(paths_.roster());
    EXPECT_FALSE(segment.is_in_place());
}

using RemoveFolder = SegmentFiles;

TEST_F(RemoveFolder, RemovesAStoppedClusterAndNothingElse) {
    create();
    for (const char* name : {"lock", "control.sock", "pulse.00000000000000aa"}) std::ofstream(folder_ / name) << "x";
    ASSERT_TRUE(remove_folder(paths_).has_value());
    EXPECT_FALSE(std::filesystem::exists(folder_.path()));
    EXPECT_TRUE(remove_folder(paths_).has_value()) << "it is gone already";
}

TEST_F(RemoveFolder, LeavesWhatIsNotOurs) {
    create();
    std::ofstream(folder_ / "notes") << "x";
    ASSERT_TRUE(remove_folder(paths_).has_value());
    EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("notes"));
}

}  // namespace
}  // namespace rollcall::shm
