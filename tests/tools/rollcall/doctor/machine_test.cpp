// What doctor makes of the machine, by table: a verdict for each side of every bound, and advice wherever it is not ok.
#include "tools/rollcall/doctor/machine.hpp"

#include <cerrno>
#include <limits>

#include "shm/layout.hpp"
#include "tests/tools/rollcall/doctor/expect.hpp"

namespace rollcall::cli::doctor {
namespace {

using namespace std::chrono_literals;

TEST(Doctor, KnowsTheLeastKernel) {
    const struct {
        const char* release;
        Grade grade;
        const char* says;
    } rows[]{{"6.18.44-fc", Grade::ok, "Linux 6.18.44-fc (5.4 is the least)"},
             {"5.4.0-216-generic", Grade::ok, "5.4"},
             {"5.10.0", Grade::ok, "5.10"},
             {"10.0", Grade::ok, "10.0"},
             {"5.3.18", Grade::bad, "cannot be waited for"},
             {"5.2.0", Grade::bad, "no pidfd_open"},
             {"4.19.0-27-amd64", Grade::bad, "no pidfd_open"},
             {"", Grade::note, "5.4 is the least"},
             {"custom", Grade::note, "'custom'"}};
    for (const auto& row : rows) expect(kernel(row.release), row.grade, row.says);
}

TEST(Doctor, KnowsWhetherProcessesCanBeWatched) {
    expect(watching(0), Grade::ok, "pidfd_open works");
    expect(watching(EPERM), Grade::bad, "seccomp");
    expect(watching(ENOSYS), Grade::bad, "newer kernel");
    expect(watching(EMFILE), Grade::bad, "ulimit -n");
}

TEST(Doctor, WantsProc) {
    expect(proc(true), Grade::ok, "/proc: is there");
    expect(proc(false), Grade::bad, "mount -t proc");
}

TEST(Doctor, KnowsASlowClock) {
    expect(clock({"tsc", 25ns}), Grade::ok, "source tsc, 25 ns a reading");
    expect(clock({"kvm-clock", 199ns}), Grade::ok, "kvm-clock");
    expect(clock({"", 30ns}), Grade::ok, "source unknown");
    expect(clock({"tsc", 200ns}), Grade::note, "Every beat reads the clock");
    expect(clock({"hpet", 100ns}), Grade::note, "slow device");
    expect(clock({"acpi_pm", 900ns}), Grade::note, "acpi_pm, 900 ns");
    expect(clock({"tsc", std::nullopt}), Grade::note, "cannot be read");
}

TEST(Doctor, ComparesTheLimitOfOpenFilesWithTheCapacity) {
    expect(descriptors({std::numeric_limits<std::uint64_t>::max(), false}, 16'777'216), Grade::ok, "no limit");
    expect(descriptors({2 * 4096 + 64, true}, 4096), Grade::ok, "open files of the engine: at most 8256");
    expect(descriptors({2 * 4096 + 63, false}, 4096), Grade::note, "Enough for about 4095 processes");
    expect(descriptors({1024, false}, 4096), Grade::note, "Enough for about 480 processes");
    expect(descriptors({64, false}, 4096), Grade::note, "Enough for about 0 processes");
    expect(descriptors({63, false}, 4096), Grade::bad, "hardly starts");
}

FolderSeen folder_seen() {
    FolderSeen seen;
    seen.dir = "/run/x/rollcall";
    seen.standing = "/run";
    return seen;
}

TEST(Doctor, KnowsTheFolder) {
    FolderSeen seen = folder_seen();
    seen.make_error = EACCES;
    expect(folder(seen), Grade::bad, "may not be made in /run: Permission denied");
    seen.exists = true;
    expect(folder(seen), Grade::bad, "may not make the cluster's folder in /run/x/rollcall: Permission denied");
    seen.make_error = EROFS;
    expect(folder(seen), Grade::bad, "may not make the cluster's folder in /run/x/rollcall: Read-only file system");
    seen.make_error = 0;
    expect(folder(seen), Grade::ok, "/run/x/rollcall");
    seen.exists = false;
    expect(folder(seen), Grade::note, "The first engine makes it");
    seen.refused = "folder /run/x/rollcall belongs to uid 7";
    expect(folder(seen), Grade::bad, "belongs to uid 7. Nothing in it is believed");
}

// Where the cluster's folder is there already, nothing has to be made above it. Where an engine is in it, it is at home.
TEST(Doctor, KnowsWhetherAnEngineCouldWriteInTheClustersFolder) {
    FolderSeen seen = folder_seen();
    seen.exists = seen.has_cluster = true;
    seen.make_error = EACCES;
    expect(folder(seen), Grade::ok, "/run/x/rollcall");
    seen.write_error = EROFS;
    expect(folder(seen), Grade::bad, "No engine starts there");
    seen.write_error = EACCES;
    expect(folder(seen), Grade::bad, "chmod it to 0755");
    seen.is_own = false;
    seen.owner = 7;
    expect(folder(seen), Grade::note, "this user cannot start an engine here (the folder is uid 7's)");
    seen.is_lock_held = true;
    expect(folder(seen), Grade::ok, "/run/x/rollcall");
    seen.write_error = EROFS;
    expect(folder(seen), Grade::ok, "/run/x/rollcall");
}

TEST(Doctor, ComparesTheLimitOfFilesWithTheMemory) {
    expect(file_size({}, 22'000'000, false), Grade::ok, "no limit");
    expect(file_size({22'000'000, false}, 22'000'000, false), Grade::ok, "file size: at most 22 MB");
    expect(file_size({21'999'999, false}, 22'000'000, false), Grade::bad, "No engine starts");
    expect(file_size({21'999'999, true}, 22'000'000, true), Grade::note, "file size of the engine: at most 22 MB");
}

TEST(Doctor, KnowsFilesystems) {
    const struct {
        std::int64_t type;
        Grade grade;
        const char* says;
    } rows[]{{0x01021994, Grade::ok, "tmpfs"},          {0x858458F6, Grade::bad, "ramfs"},  {0xEF53, Grade::bad, "ext4"},
             {0x58465342, Grade::bad, "xfs"},           {0x6969, Grade::bad, "nfs"},        {0xFF534D42, Grade::bad, "cifs"},
             {0x794C7630, Grade::bad, "overlay"},       {0x9123683E, Grade::bad, "btrfs"},  {0xABCDEF, Grade::bad, "of type 0xabcdef"}};
    for (const auto& row : rows) expect(filesystem({"/x", row.type, 0, 0, 0}), row.grade, row.says);
    expect(filesystem({"/x", 0, EACCES, 0, 0}), Grade::bad, "Permission denied");
}

// The default capacity with the ring that is chosen for 64 MB fits the /dev/shm of a container, and little fits in less.
TEST(Doctor, ComparesSpaceWithWhatTheCapacityTakes) {
    constexpr std::uint64_t mega = 1 << 20;
    const auto in = [](std::uint64_t total, std::uint64_t free) { return FilesystemSeen{"/dev/shm", 0x01021994, 0, total, free}; };
    const Needs fresh = needs_of(shm::default_capacity, shm::default_ring, false, 0, 5);
    expect(space(in(64 * mega, 64 * mega), fresh), Grade::ok, "67 MB free of 67 MB, a cluster of capacity 4096 takes 2");
    expect(space(in(64 * mega, 20 * mega), fresh), Grade::note, "--shm-size");
    expect(space(in(64 * mega, 8 * mega), fresh), Grade::bad, "to start. A container's");
    expect(space(in(1024 * mega, 8 * mega), fresh), Grade::bad, "remount");
    expect(space(in(0, 0), fresh), Grade::ok, "no limit but the machine's memory");
    const Needs present = needs_of(shm::default_capacity, shm::default_ring, true, 14 * mega, 5);
    EXPECT_EQ(present.to_start, 0u);
    EXPECT_EQ(present.to_be_full, fresh.to_be_full - 14 * mega);
    expect(space(in(64 * mega, 0), present), Grade::note, "joins are refused");
    expect(space(in(64 * mega, 50 * mega), present), Grade::ok, "the cluster of capacity 4096 may take");
    EXPECT_EQ(needs_of(64, 64, true, 1 << 30, 0).to_be_full, 0u);
}

// As many as an engine makes: folder, lock, pulse, roster and socket. What is there already wants none.
TEST(Doctor, ComparesInodesWithWhatAnEngineMakes) {
    FilesystemSeen seen{"/dev/shm", 0x01021994, 0, 0, 0};
    const Needs fresh = needs_of(64, 64, false, 0, 5), present = needs_of(64, 64, true, 0, 5);
    seen.inodes = 5;
    expect(space(seen, fresh), Grade::ok, "no limit but");
    seen.inodes = 4;
    expect(space(seen, fresh), Grade::bad, "4 inodes left, an engine makes 5");
    expect(space(seen, present), Grade::ok, "no limit but");
    seen.inodes = 0;
    expect(space(seen, fresh), Grade::bad, "0 inodes left");
    expect(space(seen, present), Grade::note, "no inode left");
}

// Whichever bound is reached first is the one that is told of.
TEST(Doctor, CountsATmpfsAsMemoryOfItsCgroup) {
    constexpr std::uint64_t mega = 1 << 20;
    const Needs fresh = needs_of(shm::default_capacity, shm::default_ring, false, 0, 5);
    const auto in = [](std::uint64_t total, std::uint64_t free, std::uint64_t left) { return FilesystemSeen{"/dev/shm", 0x01021994, 0, total, free, no_limit, left}; };
    expect(space(in(1024 * mega, 1024 * mega, 1 * mega), fresh), Grade::bad, "1074 MB free of 1074 MB, but 1 MB left of the cgroup's memory");
    expect(space(in(1024 * mega, 1024 * mega, 20 * mega), fresh), Grade::note, "MemoryMax=");
    expect(space(in(0, 0, 1 * mega), fresh), Grade::bad, "no limit but the machine's memory, but 1 MB left");
    expect(space(in(1024 * mega, 1024 * mega, 100 * mega), fresh), Grade::ok, "105 MB left of the cgroup's memory");
    expect(space(in(64 * mega, 64 * mega, 100 * mega), fresh), Grade::ok, "67 MB free of 67 MB, a cluster");
    expect(space(in(64 * mega, 1 * mega, 100 * mega), fresh), Grade::bad, "--shm-size");
}

TEST(Doctor, WritesBytes) {
    EXPECT_EQ(in_bytes(0), "0 kB");
    EXPECT_EQ(in_bytes(1), "1 kB");
    EXPECT_EQ(in_bytes(999'001), "1000 kB");
    EXPECT_EQ(in_bytes(1'499'999), "1 MB");
    EXPECT_EQ(in_bytes(67'108'864), "67 MB");
}

}  // namespace
}  // namespace rollcall::cli::doctor
