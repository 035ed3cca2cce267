// A shared mutex that whoever wants it alone gets in time. glibc's prefers readers: a few threads that look without a pause keep a writer
// waiting for ever. Here readers who come after a writer let it go first. Not recursive, shared or not: a reader inside a reader would wait for the
// writer that waits for it.
#pragma once

#include <atomic>
#include <shared_mutex>

namespace rollcall::engine {

class FairSharedMutex {
public:
    void lock() {
        writers_.fetch_add(1, std::memory_order_relaxed);  // relaxed here and below: a courtesy; the mutex orders
        mutex_.lock();
        writers_.fetch_sub(1, std::memory_order_relaxed);
        writers_.notify_all();  // whoever comes now waits for the mutex itself
    }
    void unlock() { mutex_.unlock(); }

    void lock_shared() {
        for (int waiting = writers_.load(std::memory_order_relaxed); waiting != 0; waiting = writers_.load(std::memory_order_relaxed)) writers_.wait(waiting, std::memory_order_relaxed);
        mutex_.lock_shared();
    }
    void unlock_shared() { mutex_.unlock_shared(); }

private:
    std::shared_mutex mutex_;
    std::atomic<int> writers_{0};  // who wait for it
};

}  // namespace rollcall::engine
