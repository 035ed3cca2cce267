// Readers without a pause do not keep a writer out.
#include "engine/fair_shared_mutex.hpp"

#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

TEST(FairSharedMutex, AWriterGetsItsTurnAmongReadersWithoutAPause) {
    FairSharedMutex mutex;
    std::atomic<bool> ending{false};
    std::atomic<int> readers{0};
    int written = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            while (!ending.load(std::memory_order_relaxed)) {
                const std::shared_lock lock(mutex);
                readers.fetch_add(1, std::memory_order_relaxed);
                EXPECT_GE(written, 0);
                std::this_thread::yield();  // somebody else always comes before this one goes
                readers.fetch_sub(1, std::memory_order_relaxed);
            }
        });
    for (int turn = 0; turn < 200; ++turn) {
        const std::unique_lock lock(mutex);
        EXPECT_EQ(readers.load(std::memory_order_relaxed), 0);
        ++written;
    }
    ending.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(written, 200);
}

}  // namespace
}  // namespace rollcall::engine
