// Exactly one engine: the lock, who holds it, and how it is let go.
#include "shm/lock.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

using testing::HasSubstr;

class Lock : public testing::Test {
protected:
    test::TemporaryFolder folder_;
    const std::string path_ = folder_ / "lock";
};

TEST_F(Lock, IsHeldByOneOnly) {
    EXPECT_FALSE(is_locked(path_)) << "no file yet";
    {
        const auto first = EngineLock::acquire(path_);
        ASSERT_TRUE(first.has_value()) << first.error().message;
        EXPECT_TRUE(first->is_held());
        EXPECT_TRUE(first->is_in_place());
        EXPECT_TRUE(is_locked(path_));
        const auto second = EngineLock::acquire(path_);
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().kind, ErrorKind::held);
        EXPECT_THAT(second.error().message, HasSubstr(path_));
        EXPECT_TRUE(is_locked(path_)) << "the second one's descriptor took nothing with it";
    }
    EXPECT_FALSE(is_locked(path_));
    EXPECT_TRUE(EngineLock::acquire(path_).has_value());
}

TEST_F(Lock, OfNobodyIsNotHeld) {
    const EngineLock nothing;
    EXPECT_FALSE(nothing.is_held());
    EXPECT_FALSE(nothing.is_in_place());
}

TEST_F(Lock, MovesWithItsObject) {
    EngineLock holder;
    {
        auto taken = EngineLock::acquire(path_);
        ASSERT_TRUE(taken.has_value());
        holder = std::move(*taken);
    }
    EXPECT_TRUE(holder.is_in_place());
    EXPECT_TRUE(is_locked(path_));
    holder = EngineLock();
    EXPECT_FALSE(is_locked(path_));
}

// A reader's lock on a readable file would keep every engine out.
TEST_F(Lock, FileIsItsOwnersOnly) {
    const auto lock = EngineLock::acquire(path_);
    struct stat s{};
    ASSERT_EQ(::stat(path_.c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777, 0600u);
}

TEST_F(Lock, NoticesThatItsFileWasRemovedOrReplaced) {
    const auto lock = EngineLock::acquire(path_);
    ASSERT_TRUE(lock.has_value());
    std::filesystem::remove(path_);
    EXPECT_FALSE(lock->is_in_place());
    EXPECT_FALSE(is_locked(path_));
    const auto another = EngineLock::acquire(path_);
    ASSERT_TRUE(another.has_value()) << "another engine may start";
    EXPECT_FALSE(lock->is_in_place());
    EXPECT_TRUE(another->is_in_place());
}

TEST_F(Lock, NoticesThatItsFileWasMovedAway) {
    const auto lock = EngineLock::acquire(path_);
    std::filesystem::rename(path_, folder_ / "elsewhere");
    std::ofstream(path_) << "";
    EXPECT_FALSE(lock->is_in_place());
}

// Of a lock file that this user may not open only /proc/locks tells.
TEST_F(Lock, IsSeenByThoseWhoMayNotOpenIt) {
    auto lock = EngineLock::acquire(path_);
    ::chmod(path_.c_str(), 0);
    {
        const test::WithoutRights nobody;
        EXPECT_TRUE(is_locked(path_));
        const auto refused = EngineLock::acquire(path_);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().kind, ErrorKind::refused);
    }
    *lock = EngineLock();
    const test::WithoutRights nobody;
    EXPECT_FALSE(is_locked(path_));
}

// In the very words in which it would be refused, but nothing is made and nobody kept out.
TEST_F(Lock, IsCheckedWithoutBeingTaken) {
    EXPECT_TRUE(check_lock(path_));
    EXPECT_FALSE(std::filesystem::exists(path_));
    {
        const auto held = EngineLock::acquire(path_);
        EXPECT_TRUE(check_lock(path_));
        EXPECT_TRUE(is_locked(path_)) << "the check took nothing with it";
    }
    EXPECT_TRUE(check_lock(path_));
    EXPECT_FALSE(is_locked(path_));
    const std::vector<std::function<void()>> damages{
        [&] { ::chmod(path_.c_str(), 0644); },
        [&] { ::chmod(path_.c_str(), 0600), std::filesystem::create_hard_link(path_, folder_ / "second"); },
        [&] { std::filesystem::remove(path_), std::filesystem::create_symlink(folder_ / "nothing", path_); },
        [&] { std::filesystem::remove(path_), std::filesystem::create_directory(path_); },
    };
    for (const auto& damage : damages) {
        damage();
        const auto checked = check_lock(path_);
        const auto acquired = EngineLock::acquire(path_);
        ASSERT_FALSE(checked || acquired);
        EXPECT_EQ(checked.error().message, acquired.error().message);
        EXPECT_EQ(checked.error().kind, acquired.error().kind);
    }
}

TEST_F(Lock, OnWhatIsNoFileFails) {
    const auto in_no_folder = EngineLock::acquire(folder_ / "missing/lock");
    ASSERT_FALSE(in_no_folder.has_value());
    EXPECT_EQ(in_no_folder.error().kind, ErrorKind::system);
    std::filesystem::create_directory(path_);
    const auto on_a_folder = EngineLock::acquire(path_);
    ASSERT_FALSE(on_a_folder.has_value());
    EXPECT_EQ(on_a_folder.error().kind, ErrorKind::system);
    std::filesystem::remove(path_);
    std::ofstream(folder_ / "target") << "";
    std::filesystem::create_symlink(folder_ / "target", path_);
    EXPECT_FALSE(EngineLock::acquire(path_).has_value()) << "a link is not followed";
}

// Keeps a child alive until the test has looked: the child ends when the writing end of the pipe is closed.
class Child {
public:
    template <class Do>
    explicit Child(Do first_do) {
        int ends[2], ready[2];
        if (::pipe(ends) != 0 || ::pipe(ready) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(ends[1]);
            first_do();
            char byte = 0;
            if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
            while (::read(ends[0], &byte, 1) > 0) {}
            ::_exit(0);
        }
        ::close(ends[0]);
        ::close(ready[1]);
        hold_ = ends[1];
        char byte = 0;
        if (::read(ready[0], &byte, 1) != 1) std::abort();
        ::close(ready[0]);
    }
    ~Child() {
        ::close(hold_);
        ::waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

private:
    pid_t pid_ = -1;
    int hold_ = -1;
};

// A forked child would share the open file, and the lock would outlive the engine in it. It lets go before its first instruction, and
// takes nothing from its parent.
TEST_F(Lock, IsNotKeptByAForkedChild) {
    auto lock = EngineLock::acquire(path_);
    ASSERT_TRUE(lock.has_value());
    const Child child([] {});
    EXPECT_TRUE(is_locked(path_));
    *lock = EngineLock();
    EXPECT_FALSE(is_locked(path_));
    EXPECT_TRUE(EngineLock::acquire(path_).has_value());
}

// The child has the object, but not the lock: ending it there must close nobody's descriptor, least of all one that has its number now.
TEST_F(Lock, EndsInAForkedChildWithoutTouchingOtherFiles) {
    auto lock = EngineLock::acquire(path_);
    ASSERT_TRUE(lock.has_value());
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
        const int reused = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // the lowest free number: the lock's
        *lock = EngineLock();
        ::_exit(::fcntl(reused, F_GETFD) >= 0 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(lock->is_in_place());
    EXPECT_TRUE(is_locked(path_));
}

TEST_F(Lock, OfSeveralClustersAreKeptApart) {
    auto first = EngineLock::acquire(path_), second = EngineLock::acquire(folder_ / "lock2");
    ASSERT_TRUE(first.has_value() && second.has_value());
    *first = EngineLock();
    EXPECT_FALSE(is_locked(path_));
    EXPECT_TRUE(is_locked(folder_ / "lock2"));
}

}  // namespace
}  // namespace rollcall::shm
