// A file that is cut short under its mapping: guarded ranges read zeros from there on, everything else dies of it as before.
#include "shm/bus_guard.hpp"

#include <csignal>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shm/descriptor.hpp"
#include "shm/layout.hpp"

namespace rollcall::shm {
namespace {

constexpr std::size_t pages = 8;
constexpr std::size_t size = pages * page;

class MappedFile {
public:
    explicit MappedFile(int access = PROT_READ | PROT_WRITE) : file_(::memfd_create("bus-guard-test", MFD_CLOEXEC)) {
        if (::ftruncate(file_.get(), size) != 0) throw std::runtime_error("no memory for a test's file");
        begin_ = static_cast<std::byte*>(::mmap(nullptr, size, access, MAP_SHARED, file_.get(), 0));
    }
    ~MappedFile() { ::munmap(begin_, size); }

    std::byte* begin() const { return begin_; }
    // Through a volatile, so that the compiler reads and writes when it is told to.
    unsigned char read(std::size_t at) const { return *reinterpret_cast<volatile unsigned char*>(begin_ + at); }
    void write(std::size_t at, unsigned char value) { *reinterpret_cast<volatile unsigned char*>(begin_ + at) = value; }
    void cut(std::size_t bytes) { ASSERT_EQ(::ftruncate(file_.get(), static_cast<off_t>(bytes)), 0); }

private:
    Descriptor file_;
    std::byte* begin_;
};

TEST(BusGuard, WhatWasCutOffReadsZerosAndIsRemembered) {
    MappedFile file;
    const GuardedRange guard(file.begin(), size, true);
    for (std::size_t i = 0; i < pages; ++i) file.write(i * page + 7, 42);
    EXPECT_FALSE(guard.is_broken());
    file.cut(3 * page);
    EXPECT_FALSE(guard.is_broken()) << "nobody has touched it yet";
    EXPECT_EQ(file.read(5 * page + 7), 0);
    EXPECT_TRUE(guard.is_broken());
    EXPECT_EQ(file.read(2 * page + 7), 42) << "what is left stays";
    EXPECT_EQ(file.read(4 * page + 7), 0) << "each page in its turn";
    file.write(7 * page, 1);
    EXPECT_EQ(file.read(7 * page), 1) << "writes go nowhere, and kill nobody";
}

TEST(BusGuard, NothingAtAllMayBeLeft) {
    MappedFile file(PROT_READ);
    const GuardedRange guard(file.begin(), size, false);
    file.cut(0);
    for (std::size_t at = 0; at < size; at += page) EXPECT_EQ(file.read(at), 0);
    EXPECT_TRUE(guard.is_broken());
}

TEST(BusGuard, EachRangeKnowsOnlyItsOwnDamage) {
    MappedFile first, second;
    const GuardedRange one(first.begin(), size, true), other(second.begin(), size, true);
    second.cut(0);
    EXPECT_EQ(second.read(0), 0);
    EXPECT_FALSE(one.is_broken());
    EXPECT_TRUE(other.is_broken());
}

TEST(BusGuard, ANoteIsUsedAgainAfterItsRange) {
    for (int i = 0; i < 1'000; ++i) {
        MappedFile file;
        GuardedRange guard(file.begin(), size, true);
        GuardedRange moved(std::move(guard));
        EXPECT_FALSE(moved.is_broken()) << "of an earlier range";
        file.cut(0);
        ASSERT_EQ(file.read(page), 0);
        EXPECT_TRUE(moved.is_broken());
        EXPECT_FALSE(guard.is_broken()) << "moved from";
    }
}

TEST(BusGuard, HundredsOfRangesAreGuardedAtOnce) {
    std::vector<std::unique_ptr<MappedFile>> files;
    std::vector<GuardedRange> guards;
    for (int i = 0; i < 400; ++i) {
        files.push_back(std::make_unique<MappedFile>());
        guards.emplace_back(files.back()->begin(), size, true);
    }
    files[399]->cut(0);
    EXPECT_EQ(files[399]->read(0), 0);
    EXPECT_TRUE(guards[399].is_broken());
    EXPECT_FALSE(guards[398].is_broken());
}

// What is not ours is handed on: to the default, which is death, or to whoever was there before us.
TEST(BusGuardDeath, AFaultElsewhereKillsAsBefore) {
    MappedFile guarded, other;
    const GuardedRange guard(guarded.begin(), size, true);
    EXPECT_EXIT(
        {
            ::signal(SIGBUS, SIG_DFL);
            other.cut(0);
            (void)other.read(0);
        },
        ::testing::KilledBySignal(SIGBUS), "");
}

void end_with_7(int) { ::_exit(7); }

TEST(BusGuardDeath, WhoHandledItBeforeStillDoes) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // a process of its own, where no range has been guarded yet
    EXPECT_EXIT(
        {
            ::signal(SIGBUS, end_with_7);
            MappedFile guarded;
            MappedFile other;
            const GuardedRange guard(guarded.begin(), size, true);
            guarded.cut(0);
            (void)guarded.read(0);
            other.cut(0);
            (void)other.read(0);
        },
        ::testing::ExitedWithCode(7), "");
    ::testing::FLAGS_gtest_death_test_style = "fast";
}

TEST(BusGuardDeath, SwitchedOffItGuardsNothing) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            ::signal(SIGBUS, end_with_7);
            switch_off_bus_guard();
            MappedFile file;
            const GuardedRange guard(file.begin(), size, true);
            file.cut(0);
            (void)file.read(0);
        },
        ::testing::ExitedWithCode(7), "");
    ::testing::FLAGS_gtest_death_test_style = "fast";
}

}  // namespace
}  // namespace rollcall::shm
