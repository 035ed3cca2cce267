// An engine's own life: open, start, stop, again; several in one process; ended from wherever one may want to end it.
#include <algorithm>
#include <future>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Lifecycle, ConstructionTouchesNothingAndCannotFail) {
    Engine engine({.cluster = "not a name", .node = "not a node", .dir = "/nowhere/at/all"});
    EXPECT_FALSE(engine.is_running());
    EXPECT_TRUE(engine.snapshot().empty());
    EXPECT_FALSE(engine.find("a"));
    EXPECT_EQ(engine.counters().peers_joined, 0u);
    const auto refused = engine.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
}

TEST(Lifecycle, EachStepOfItIsSafeTwice) {
    TimedEngine engine;
    engine->stop();
    EXPECT_TRUE(engine->open());
    EXPECT_TRUE(engine->open());
    EXPECT_FALSE(engine->is_running());
    EXPECT_TRUE(engine->start());
    EXPECT_TRUE(engine->is_running());
    EXPECT_TRUE(engine->is_running());
    EXPECT_TRUE(engine->start());
    EXPECT_TRUE(engine->open());
    EXPECT_TRUE(engine->is_running());
    engine->stop();
    EXPECT_FALSE(engine->is_running());
    engine->stop();
    EXPECT_FALSE(engine->is_running());
}

TEST(Lifecycle, StartedAgainItStartsAnewInPrivateMemory) {
    TimedEngine engine;
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(engine->start());
        ASSERT_TRUE(engine->register_peer("a"));
        engine->sync();
        EXPECT_TRUE(engine->find("a"));
        EXPECT_EQ(engine->counters().peers_joined, 1u);
        engine->stop();
        EXPECT_FALSE(engine->find("a"));
    }
}

TEST(Lifecycle, StoppedItSaysNothingToAnybody) {
    TimedEngine engine;
    engine.open();
    ASSERT_TRUE(engine->register_peer("a"));
    engine.step();
    engine.take();
    engine->stop();
    EXPECT_THAT(engine.take(), IsEmpty());
}

TEST(Lifecycle, DestructionStops) {
    for (int i = 0; i < 20; ++i) {
        Engine engine(options_of({}));
        ASSERT_TRUE(engine.start());
        ASSERT_TRUE(engine.register_peer("a"));
        if (i % 2 == 0) engine.sync();
    }
}

TEST(Lifecycle, DestructionWithoutAStartIsNothing) {
    Engine engine(options_of({}));
    EXPECT_TRUE(engine.register_peer("a"));
}

// A callback that has seen enough: the engine ends, and can be started again from outside.
TEST(Lifecycle, CallbackMayStopTheEngine) {
    TimedEngine engine;
    std::promise<void> stopped;
    engine->add_callback([&, is_first = true](const Event&) mutable {
        if (!std::exchange(is_first, false)) return;
        engine->stop();
        EXPECT_FALSE(engine->is_running());
        stopped.set_value();
    });
    ASSERT_TRUE(engine->start());
    ASSERT_TRUE(engine->register_peer("a"));
    stopped.get_future().wait();
    EXPECT_FALSE(engine->is_running());
    ASSERT_TRUE(engine->start());
    EXPECT_TRUE(engine->is_running());
    ASSERT_TRUE(engine->register_peer("b"));
    engine->sync();
    EXPECT_TRUE(engine->find("b"));
}

TEST(Lifecycle, EngineThatWasStoppedByACallbackMayBeStoppedAndDestroyed) {
    for (int i = 0; i < 20; ++i) {
        std::promise<void> called;
        Engine engine(options_of({}));
        engine.add_callback([&, is_first = true](const Event&) mutable {
            engine.stop();
            if (std::exchange(is_first, false)) called.set_value();
        });
        ASSERT_TRUE(engine.start());
        ASSERT_TRUE(engine.register_peer("a"));
        called.get_future().wait();
        if (i % 2 == 0) engine.stop();
    }
}

// The program stops the engine while one of its callbacks does the same: neither may wait for the other.
TEST(Lifecycle, CallbackAndProgramMayStopItAtTheSameTime) {
    for (int i = 0; i < 50; ++i) {
        std::promise<void> entered;
        Engine engine(options_of({}));
        engine.add_callback([&, is_first = true](const Event&) mutable {
            if (!std::exchange(is_first, false)) return;
            entered.set_value();
            while (engine.is_running()) std::this_thread::yield();  // the other stop is under way
            engine.stop();
        });
        ASSERT_TRUE(engine.start());
        ASSERT_TRUE(engine.register_peer("a"));
        entered.get_future().wait();
        engine.stop();
        EXPECT_FALSE(engine.is_running());
    }
}

TEST(Lifecycle, CallbackMayStopAnEngineWithoutARunner) {
    TimedEngine engine;
    engine.open();
    int calls = 0;
    engine->add_callback([&](const Event&) {
        ++calls;
        engine->stop();
    });
    ASSERT_TRUE(engine->register_peer("a"));
    ASSERT_TRUE(engine->register_peer("b"));
    engine.step();
    engine->dispatch();
    EXPECT_EQ(calls, 1);
    engine.open();
    ASSERT_TRUE(engine->register_peer("c"));
    engine.step();
    EXPECT_TRUE(engine->find("c"));
}

// Everything at once from many threads, while the engine comes and goes. Sanitizers see what goes wrong here.
TEST(Lifecycle, OtherThreadsMayUseItWhileItStartsAndStops) {
    Engine engine(options_of({.ring = 64}));
    std::atomic<bool> ending{false};
    std::vector<std::thread> users;
    const auto user = [&](auto use) {
        users.emplace_back([&ending, use] {
            while (!ending.load(std::memory_order_relaxed)) use();
        });
    };
    user([&] { (void)engine.register_peer("a"), (void)engine.leave("a"); });
    user([&] { (void)engine.on_heartbeat("a", "test", "e", std::chrono::steady_clock::now()); });
    user([&] { (void)engine.snapshot(), (void)engine.find("a"), (void)engine.counters(); });
    user([&] { (void)engine.is_running(), (void)engine.config(), engine.sync(); });
    user([&] { engine.remove_callback(engine.add_callback([](const Event&) {})); });
    for (int i = 0; i < 15; ++i) {
        EXPECT_TRUE(engine.start());
        EXPECT_TRUE(engine.is_running());
        engine.stop();
        EXPECT_FALSE(engine.is_running());
    }
    ending.store(true, std::memory_order_relaxed);
    for (std::thread& thread : users) thread.join();
}

TEST(Lifecycle, SeveralEnginesLiveInOneProcess) {
    TimedEngine one, other;
    ASSERT_TRUE(one->start());
    ASSERT_TRUE(other->start());
    ASSERT_TRUE(one->register_peer("a", "of-one"));
    ASSERT_TRUE(other->register_peer("a", "of-the-other"));
    ASSERT_TRUE(other->register_peer("b"));
    one->sync();
    other->sync();
    EXPECT_EQ(one->find("a")->endpoint, "of-one");
    EXPECT_EQ(other->find("a")->endpoint, "of-the-other");
    EXPECT_EQ(one->snapshot().size(), 1u);
    EXPECT_EQ(other->snapshot().size(), 2u);
    one->stop();
    EXPECT_TRUE(other->is_running());
    EXPECT_TRUE(other->find("b"));
}

// In one folder there is room for one. The other says who holds the lock, and takes over once it is free.
TEST(Lifecycle, SecondEngineOfAFolderIsRefused) {
    const TemporaryFolder folder;
    Engine one(options_of({.dir = folder.path()})), other(options_of({.dir = folder.path()}));
    ASSERT_TRUE(one.open());
    const auto refused = other.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::held);
    EXPECT_THAT(refused.error().message, HasSubstr("pid " + std::to_string(::getpid())));
    EXPECT_FALSE(other.start());
    EXPECT_FALSE(other.is_running());
    one.stop();
    EXPECT_TRUE(other.open());
}

TEST(Lifecycle, NodeOfTheEngineIsTheHostIfItIsNotNamed) {
    Engine engine({.cluster = "test"});
    EXPECT_FALSE(engine.local_node_id().empty());
    EXPECT_TRUE(engine.open());
}

// Without a folder and with default sizes: what a program gets that only says a name.
TEST(Lifecycle, DefaultsAreEnough) {
    Engine engine({.cluster = "orders", .node = "gw-1"});
    ASSERT_TRUE(engine.start());
    ASSERT_TRUE(engine.register_peer("gw-2", "10.0.0.2:7000"));
    engine.sync();
    EXPECT_EQ(engine.find("gw-2")->endpoint, "10.0.0.2:7000");
}

}  // namespace
}  // namespace rollcall::test
