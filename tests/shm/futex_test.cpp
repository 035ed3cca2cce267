// Sleeping on the selector: through a read-only mapping, in any process, without missing a wake.
#include "shm/futex.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "shm/checkpoint.hpp"
#include "tests/shm/private_segment.hpp"
#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

using namespace std::chrono_literals;

TEST(Futex, DoesNotSleepIfTheWordHasMovedOrThereIsNoTime) {
    const std::atomic<std::uint64_t> word{0xAAAA'AAAA'0000'0007};
    futex_wait(word, 8, 1h);  // would last an hour
    futex_wait(word, 7, 0s);
    futex_wait(word, 7, -1s);
}

// Only the low half counts. A sleep may end for no reason, but not every one.
TEST(Futex, SleepsAsLongAsAskedWhileTheLowHalfIsTheSame) {
    const std::atomic<std::uint64_t> word{0xAAAA'AAAA'0000'0007};
    Duration longest{};
    for (int attempt = 0; attempt < 5; ++attempt) {
        const auto begin = std::chrono::steady_clock::now();
        futex_wait(word, 7, 2ms);
        longest = std::max<Duration>(longest, std::chrono::steady_clock::now() - begin);
    }
    EXPECT_GE(longest, 2ms);
}

// The engine's mapping and the observer's are two; the kernel knows that they are one word. A sleeper that is not woken sleeps on.
TEST(Futex, AReaderOfAReadOnlyMappingIsWokenByAPublication) {
    const test::TemporaryFolder folder;
    const Paths paths{folder.path()};
    auto engine = Segment::create(paths, test::small_options(), HostIdentity::current());
    ASSERT_TRUE(engine.has_value());
    auto observer = Segment::attach(paths, Access::observer, HostIdentity::current());
    ASSERT_TRUE(observer.has_value());
    constexpr std::uint64_t last = 200;
    std::jthread sleeper([&] {
        const auto& selector = observer->roster().header().selector;
        for (;;) {
            const std::uint64_t seen = selector.load(std::memory_order_acquire);  // [publish]
            if (head_in(seen) == Sequence{last}) return;
            futex_wait(selector, static_cast<std::uint32_t>(seen), 1h);
        }
    });
    CheckpointValues values;
    for (std::uint64_t n = 1; n <= last; ++n) {
        values.head = Sequence{n};
        publish(engine->writable().header(), values);
        futex_wake_all(engine->roster().header().selector);
        if (n % 16 == 0) std::this_thread::yield();
    }
}

TEST(Futex, WakesOneAndKnowsWhetherAnybodySlept) {
    std::atomic<std::uint64_t> word{7};
    EXPECT_FALSE(futex_wake_one(word));
    std::jthread sleeper([&] {
        while (word.load() == 7) futex_wait(word, 7, 1h);
    });
    while (!futex_wake_one(word)) std::this_thread::yield();  // woken for no reason, it sleeps again
    word = 8;
    futex_wake_all(word);
}

}  // namespace
}  // namespace rollcall::shm
