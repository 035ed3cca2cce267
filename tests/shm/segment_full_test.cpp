// When the memory is full: refused with the reason, nothing left behind, and what was there goes on.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/shm/private_segment.hpp"
#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

// A namespace of mounts of one's own, for users who may have one.
bool enter_mount_namespace() {
    const uid_t uid = ::getuid();
    if (::unshare(CLONE_NEWNS) != 0) {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
        std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
    }
    return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// Runs `what` in a child that sees a small tmpfs at `folder`. 0: it was true there, 1: it was not, 2: this host lets nobody mount.
template <class What>
int in_small_memory(const std::string& folder, const char* size, What what) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (!enter_mount_namespace() || ::mount("none", folder.c_str(), "tmpfs", 0, (std::string("mode=0755,size=") + size).c_str()) != 0) ::_exit(2);
        ::_exit(what() ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

// True, or a line that says what was not.
bool holds(bool condition, const char* what) {
    if (!condition) std::fprintf(stderr, "does not hold: %s\n", what);
    return condition;
}

void expect_holds_or_no_mounts(int outcome) {
    EXPECT_TRUE(outcome == 0 || outcome == 2) << outcome;
    if (outcome == 2) testing::Test::RecordProperty("mounts", "not allowed here");
}

bool is_empty(const std::string& folder) { return std::filesystem::directory_iterator(folder) == std::filesystem::directory_iterator(); }

// The ring alone needs 12 MB.
TEST(FullMemory, ACreationThatDoesNotFitIsFullAndLeavesNothing) {
    const test::TemporaryFolder folder;
    expect_holds_or_no_mounts(in_small_memory(folder.path(), "4m", [&] {
        const auto made = Segment::create(Paths{folder.path()}, test::small_options(64, default_ring), HostIdentity::current());
        return holds(!made.has_value(), "refused") && holds(made.error().kind == ErrorKind::full, "full") && holds(is_empty(folder.path()), "nothing is left");
    }));
}

TEST(FullMemory, AReplacementThatDoesNotFitLeavesTheOldOneAlive) {
    const test::TemporaryFolder folder;
    expect_holds_or_no_mounts(in_small_memory(folder.path(), "4m", [&] {
        const Paths paths{folder.path()};
        const auto old = Segment::create(paths, test::small_options(64, 64, 1), HostIdentity::current());
        const auto fresh = Segment::create(paths, test::small_options(64, default_ring, 2), HostIdentity::current());
        return holds(old.has_value() && !fresh.has_value(), "the second is refused") && holds(!old->is_superseded() && old->is_in_place(), "the old one goes on") &&
               holds(Segment::attach(paths, Access::observer, HostIdentity::current()).has_value(), "the old one attaches") && holds(!std::filesystem::exists(paths.pulse(2)), "nothing is left");
    }));
}

TEST(FullMemory, RecordsAndCardsThatDoNotFitAreFull) {
    const test::TemporaryFolder folder;
    expect_holds_or_no_mounts(in_small_memory(folder.path(), "2m", [&] {
        auto made = Segment::create(Paths{folder.path()}, test::small_options(65'536, 64), HostIdentity::current());
        if (!holds(made.has_value(), "created")) return false;
        const Geometry& g = made->roster().geometry();
        const auto records = made->back_roster(g.records, std::uint64_t{g.capacity} * sizeof(Record));
        const auto cards = made->back_pulse(g.cards, std::uint64_t{g.capacity} * sizeof(Card));
        return holds(!records.has_value() && records.error().kind == ErrorKind::full, "records") && holds(!cards.has_value() && cards.error().kind == ErrorKind::full, "cards") &&
               holds(made->back_roster(g.records, 4'096).has_value(), "a page of them still fits");
    }));
}

// Every ring has 64 entries and more; the default one is smaller where there is little memory.
TEST(FullMemory, TheDefaultRingTakesAtMostAQuarterOfWhatIsFree) {
    EXPECT_EQ(default_ring_for(default_capacity, ""), default_ring);
    EXPECT_EQ(default_ring_for(1, ""), default_ring);
    EXPECT_EQ(default_ring_for(1'048'576, ""), default_ring);
    EXPECT_EQ(default_ring_for(1'048'592, ""), 2 * default_ring);
    EXPECT_EQ(default_ring_for(max_capacity, ""), max_capacity / 16);
    const test::TemporaryFolder folder;
    expect_holds_or_no_mounts(in_small_memory(folder.path(), "16m", [&] {
        const std::uint32_t ring = default_ring_for(default_capacity, folder.path());
        return holds(ring == 16'384, "16,384 entries are 3 of 16 MB");
    }));
    expect_holds_or_no_mounts(in_small_memory(folder.path(), "64k", [&] { return holds(default_ring_for(default_capacity, folder.path()) == 1'024, "never below 1,024"); }));
}

TEST(FullMemory, TheDefaultsFitA64MBSharedMemory) {
    const test::TemporaryFolder folder;
    expect_holds_or_no_mounts(in_small_memory(folder.path(), "64m", [&] {
        const std::uint32_t ring = default_ring_for(default_capacity, folder.path());
        auto made = Segment::create(Paths{folder.path()}, test::small_options(default_capacity, ring), HostIdentity::current());
        if (!holds(made.has_value() && ring == default_ring, "created with the default ring")) return false;
        const Geometry& g = made->roster().geometry();
        return holds(made->back_roster(0, g.roster_bytes).has_value() && made->back_pulse(0, g.pulse_bytes).has_value(), "to its last byte");
    }));
}

}  // namespace
}  // namespace rollcall::shm
