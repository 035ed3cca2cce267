#include "shm/fork_guard.hpp"

#include <cerrno>
#include <mutex>
#include <vector>

#include <pthread.h>
#include <unistd.h>

namespace rollcall::shm {

namespace {

// fork() runs in one thread while others may be in here: they are waited for first.
class Guarded {
public:
    static Guarded& all() {
        static Guarded& guarded = *new Guarded;  // never destroyed: a fork may come after the end of main
        return guarded;
    }
    int open(const std::function<int()>& opener) {
        const std::lock_guard guard(mutex_);
        const int fd = opener();
        const int error = errno;
        if (fd >= 0) fds_.push_back(fd);
        errno = error;
        return fd;
    }
    void close(int fd) {
        const std::lock_guard guard(mutex_);
        if (std::erase(fds_, fd) != 0) ::close(fd);
    }

private:
    Guarded() {
        ::pthread_atfork([] { all().mutex_.lock(); }, [] { all().mutex_.unlock(); },
                         [] {
                             for (const int fd : all().fds_) ::close(fd);
                             all().fds_.clear();
                             all().mutex_.unlock();
                         });
    }
    std::mutex mutex_;
    std::vector<int> fds_;
};

}  // namespace

int open_guarded(const std::function<int()>& open) { return Guarded::all().open(open); }
void close_guarded(int fd) noexcept { Guarded::all().close(fd); }

}  // namespace rollcall::shm
