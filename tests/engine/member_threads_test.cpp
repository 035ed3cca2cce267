// A member that beats and joins again by its own thread, while the program changes it. What races is seen under ThreadSanitizer.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "engine/client/member.hpp"
#include "engine/engine.hpp"
#include "tests/shm/temporary_folder.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

Engine::Options options_in(const TemporaryFolder& folder) {
    Engine::Options options;
    options.cluster = "threads";
    options.node = "engine";
    options.dir = folder.path();
    options.capacity = 64;
    options.settings = {2ms, 20s, 30s, 40s, 1ms};
    return options;
}

// Engines come and go, so that the thread joins again and again; tags, endpoint, guards and the last error are touched all the while.
TEST(MemberThreads, MayBeChangedWhileTheOwnOneJoinsAgain) {
    const TemporaryFolder folder;
    Engine first(options_in(folder));
    const auto started = first.start();
    ASSERT_TRUE(started) << started.error().message;
    auto me = Member::join({.cluster = "threads", .node = "me", .dir = folder.path()});
    ASSERT_TRUE(me) << me.error().message;
    ASSERT_TRUE(me->start_beating());
    first.stop();

    std::atomic<bool> ends{false};
    std::thread engines([&] {
        for (int round = 0; round < 10; ++round) {
            Engine engine(options_in(folder));
            ASSERT_TRUE(engine.start());
            engine.stop();
        }
        ends.store(true);
    });
    for (int i = 0; !ends.load(); ++i) {
        (void)me->set_tags({{"round", "a value that no short string holds: " + std::to_string(i)}});
        (void)me->set_endpoint("an endpoint that no short string holds: " + std::to_string(i));
        const Guard guard = me->guard(1h, "round");
        EXPECT_TRUE(me->rejoin()) << me->error().message;
        (void)me->error();
        EXPECT_TRUE(me->beat().counted());
    }
    engines.join();
}

}  // namespace
}  // namespace rollcall::test
