// A descriptor is closed once, by its last owner.
#include "shm/descriptor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace rollcall::shm {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
int open_something() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(Descriptor, ClosesWhatItOwns) {
    const int fd = open_something();
    {
        const Descriptor owner(fd);
        EXPECT_TRUE(owner);
        EXPECT_EQ(owner.get(), fd);
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(Descriptor, HandsOver) {
    Descriptor first(open_something());
    const int fd = first.get();
    Descriptor second(std::move(first));
    EXPECT_FALSE(first);
    EXPECT_EQ(second.get(), fd);
    const int replaced = open_something();
    Descriptor third(replaced);
    third = std::move(second);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_EQ(third.get(), fd);
    EXPECT_TRUE(is_open(fd));
}

TEST(Descriptor, SurvivesBeingMovedToItself) {
    Descriptor one(open_something());
    Descriptor& same = one;
    one = std::move(same);
    EXPECT_TRUE(is_open(one.get()));
}

TEST(Descriptor, ReleasesWithoutClosing) {
    int fd = -1;
    {
        Descriptor owner(open_something());
        fd = owner.release();
        EXPECT_FALSE(owner);
    }
    EXPECT_TRUE(is_open(fd));
    ::close(fd);
}

TEST(Descriptor, AnEmptyOneOwnsNothing) {
    Descriptor nothing;
    EXPECT_FALSE(nothing);
    nothing.reset();
    EXPECT_EQ(nothing.get(), -1);
}

}  // namespace
}  // namespace rollcall::shm
