// Wakes the detector from any thread. Outlives every detector, so that whoever rings never has to know whether one is there.
#pragma once

#include <atomic>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace rollcall::engine {

class Doorbell {
public:
    Doorbell() = default;
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;
    ~Doorbell() {
        if (const int fd = fd_.load(std::memory_order_relaxed); fd >= 0) ::close(fd);  // relaxed: nobody rings any more
    }

    // False if no descriptor is left. Safe twice; one thread at a time.
    bool open() noexcept {
        if (fd() < 0) fd_.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), std::memory_order_release);  // [doorbell]
        return fd() >= 0;
    }
    // Readable once it was rung; -1 before open().
    int fd() const noexcept { return fd_.load(std::memory_order_acquire); }  // [doorbell] pairs with open
    void ring() const noexcept {
        const std::uint64_t one = 1;
        if (const int bell = fd(); bell >= 0) (void)!::write(bell, &one, sizeof one);  // a full counter wakes just as well
    }
    void silence() const noexcept {
        std::uint64_t count = 0;
        (void)!::read(fd(), &count, sizeof count);  // nothing to read is no error
    }

private:
    std::atomic<int> fd_{-1};
};

}  // namespace rollcall::engine
