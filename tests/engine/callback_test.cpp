// Callbacks: every event in order, one call after another; whatever one of them does harms neither the others nor the detector.
#include <algorithm>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Callbacks : public testing::Test {
protected:
    Callbacks() { engine.open(); }
    Engine::Callback into(std::vector<std::string>& lines) {
        return [&lines](const Event& event) { lines.push_back(line_of(event)); };
    }
    void join(const std::string& node) {
        ASSERT_TRUE(engine->register_peer(node));
        engine.step();
    }
    TimedEngine engine;
    std::vector<std::string> first, second;
};

TEST_F(Callbacks, EachGetsEveryEventInOrder) {
    engine->add_callback(into(first));
    engine->add_callback(into(second));
    join("a");
    join("b");
    EXPECT_THAT(first, IsEmpty()) << "nothing is delivered but by dispatch()";
    engine->dispatch();
    EXPECT_THAT(first, ElementsAre("joined a registered", "joined b registered"));
    EXPECT_EQ(first, second);
    engine->dispatch();
    EXPECT_EQ(first.size(), 2u) << "once each";
}

TEST_F(Callbacks, EventIsHandedToOneAfterAnother) {
    std::string calls;
    engine->add_callback([&](const Event&) { calls += '1'; });
    engine->add_callback([&](const Event&) { calls += '2'; });
    engine->add_callback([&](const Event&) { calls += '3'; });
    join("a");
    join("b");
    engine->dispatch();
    EXPECT_EQ(calls, "123123");
}

// Who reads an event finds the roster already changed.
TEST_F(Callbacks, SeeTheMembershipAlreadyChanged) {
    std::vector<bool> known;
    engine->add_callback([&](const Event& event) { known.push_back(engine->find(event.node()).has_value()); });
    join("a");
    engine->dispatch();
    ASSERT_TRUE(engine->leave("a"));
    engine.step();
    engine->dispatch();
    EXPECT_THAT(known, ElementsAre(true, false));
}

TEST_F(Callbacks, WhatOneThrowsIsLoggedAndHarmsNobody) {
    engine->add_callback([](const Event&) { throw std::runtime_error("out of paper"); });
    engine->add_callback([](const Event&) { throw 7; });
    engine->add_callback(into(first));
    join("a");
    join("b");
    engine->dispatch();
    EXPECT_THAT(first, ElementsAre("joined a registered", "joined b registered"));
    const auto log = engine.take_log();
    EXPECT_EQ(std::count_if(log.begin(), log.end(), [](const std::string& l) { return l.find("out of paper") != std::string::npos; }), 2);
    EXPECT_EQ(log.size(), 4u);
}

TEST_F(Callbacks, RemovedOneIsNotCalledAnyMore) {
    const auto id = engine->add_callback(into(first));
    join("a");
    engine->dispatch();
    EXPECT_TRUE(engine->remove_callback(id));
    EXPECT_FALSE(engine->remove_callback(id));
    EXPECT_FALSE(engine->remove_callback(id + 1000));
    join("b");
    engine->dispatch();
    EXPECT_THAT(first, ElementsAre("joined a registered"));
}

TEST_F(Callbacks, OneMayRemoveItselfAndOthersFromInside) {
    Engine::CallbackId self = 0, other = 0;
    self = engine->add_callback([&](const Event& event) {
        first.push_back(line_of(event));
        EXPECT_TRUE(engine->remove_callback(self));
        EXPECT_TRUE(engine->remove_callback(other));
    });
    other = engine->add_callback(into(second));
    join("a");
    join("b");
    engine->dispatch();
    EXPECT_THAT(first, ElementsAre("joined a registered"));
    EXPECT_THAT(second, IsEmpty()) << "it was removed before its turn";
}

TEST_F(Callbacks, OneThatIsAddedDuringACallGetsTheNextEvent) {
    engine->add_callback([&](const Event& event) {
        if (event.node() == "a") engine->add_callback(into(second));
    });
    join("a");
    join("b");
    engine->dispatch();
    EXPECT_THAT(second, ElementsAre("joined b registered"));
}

TEST_F(Callbacks, OneThatIsAddedLaterGetsWhatComesThen) {
    join("a");
    engine->dispatch();
    engine->add_callback(into(first));
    join("b");
    engine->dispatch();
    EXPECT_THAT(first, ElementsAre("joined b registered"));
}

// A program that does not look for longer than the ring lasts: each callback gets one gap and then what is left, without a hole.
TEST(CallbacksThatSleep, GetOneGapAndThenWhatIsLeft) {
    TimedEngine engine({.ring = 64});
    std::vector<Event> first, second;
    engine->add_callback([&](const Event& event) { first.push_back(event); });
    engine->add_callback([&](const Event& event) { second.push_back(event); });
    engine.open();
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(engine->register_peer("a"));
        ASSERT_TRUE(engine->leave("a"));
        engine.step_after(2ms);
    }
    engine->dispatch();
    ASSERT_FALSE(first.empty());
    EXPECT_EQ(lines_of(first), lines_of(second));
    EXPECT_EQ(first[0].kind, Event::gap);
    EXPECT_EQ(first[0].from, Sequence{1});
    for (std::size_t i = 1; i < first.size(); ++i) {
        EXPECT_NE(first[i].kind, Event::gap);
        EXPECT_EQ(first[i].sequence, first[0].to + i);
    }
    EXPECT_EQ(first.back().sequence, Sequence{200});
}

// With threads of its own the engine is really run, its clock still moved by hand.
class RunningCallbacks : public testing::Test {
protected:
    RunningCallbacks() { [this] { ASSERT_TRUE(engine->start()); }(); }
    TimedEngine engine{{.ring = 64}};
};

// A callback that does not return: the detector goes on, and what was missed comes as a gap afterwards.
TEST_F(RunningCallbacks, SlowOneDelaysNobodyAndGetsAGap) {
    std::promise<void> entered, leave;
    std::promise<Event> gap;
    bool is_first = true, has_gap = false;
    engine->add_callback([&](const Event& event) {
        if (std::exchange(is_first, false)) {
            entered.set_value();
            leave.get_future().wait();
        } else if (event.kind == Event::gap && !std::exchange(has_gap, true)) {
            gap.set_value(event);
        }
    });
    ASSERT_TRUE(engine->register_peer("first"));
    entered.get_future().wait();
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(engine->register_peer("a"));
        ASSERT_TRUE(engine->leave("a"));
        engine->sync();
        engine.advance(2ms);
    }
    EXPECT_EQ(engine->counters().peers_left, 100u);
    leave.set_value();
    EXPECT_EQ(gap.get_future().get().from, Sequence{2});
    engine->stop();  // what comes after the gap must not meet a callback whose variables are gone
}

TEST_F(RunningCallbacks, RemovingOneWaitsForItsRunningCall) {
    std::promise<void> entered, leave;
    std::atomic<bool> has_left{false}, is_removed{false};
    const auto id = engine->add_callback([&](const Event&) {
        entered.set_value();
        leave.get_future().wait();
        EXPECT_FALSE(is_removed.load());
        has_left.store(true);
    });
    ASSERT_TRUE(engine->register_peer("a"));
    entered.get_future().wait();
    std::thread remover([&] {
        EXPECT_TRUE(engine->remove_callback(id));
        is_removed.store(true);
        EXPECT_TRUE(has_left.load());
    });
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    leave.set_value();
    remover.join();
}

// From inside its own call there is nothing to wait for, and others need not wait for it either.
TEST_F(RunningCallbacks, OneRemovesItselfWithoutWaiting) {
    std::promise<void> called, others;
    Engine::CallbackId id = 0;
    std::mutex mutex;
    {
        const std::lock_guard lock(mutex);
        id = engine->add_callback([&](const Event&) {
            const std::lock_guard inner(mutex);
            EXPECT_TRUE(engine->remove_callback(id));
            called.set_value();
        });
    }
    engine->add_callback([&](const Event& event) {
        if (event.node() == "b") others.set_value();
    });
    ASSERT_TRUE(engine->register_peer("a"));
    ASSERT_TRUE(engine->register_peer("b"));
    called.get_future().wait();
    others.get_future().wait();
    engine->stop();
}

// Everything an embedding program may want to do when it hears of a death, from inside the call.
TEST_F(RunningCallbacks, MayUseTheWholeEngine) {
    std::promise<std::size_t> done;
    engine->add_callback([&](const Event& event) {
        if (event.node() != "a") return;
        EXPECT_TRUE(engine->find("a"));
        EXPECT_TRUE(engine->register_peer("b"));
        engine->sync();
        EXPECT_TRUE(engine->set_config(engine->config()));
        EXPECT_GE(engine->counters().peers_joined, 2u);
        EXPECT_TRUE(engine->is_running());
        engine->step(engine.now());  // not without the runner: ignored
        engine->dispatch();
        done.set_value(engine->snapshot().size());
    });
    ASSERT_TRUE(engine->register_peer("a"));
    EXPECT_EQ(done.get_future().get(), 2u);
    engine->stop();
}

// Many threads ask, one answers, one delivers: nothing is lost, nothing comes twice, and each thread's order is kept.
TEST_F(RunningCallbacks, ManyThreadsAreServedInTheirOrder) {
    constexpr int threads = 4, rounds = 200;
    TimedEngine big({.capacity = threads * rounds, .ring = 8192});  // as the clock stands still, each life needs a slot of its own
    std::mutex mutex;
    std::map<std::string, std::vector<EventKind>> seen;
    std::condition_variable all;
    int leaves = 0;
    big->add_callback([&](const Event& event) {
        const std::lock_guard lock(mutex);
        seen[std::string(event.node())].push_back(event.kind);
        if (event.kind == Event::left && ++leaves == threads * rounds) all.notify_one();
    });
    ASSERT_TRUE(big->start());
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
        workers.emplace_back([&, node = "n" + std::to_string(t)] {
            for (int i = 0; i < rounds; ++i) {
                EXPECT_TRUE(big->register_peer(node));
                EXPECT_TRUE(big->leave(node));
            }
        });
    }
    for (std::thread& worker : workers) worker.join();
    std::unique_lock lock(mutex);
    all.wait(lock, [&] { return leaves == threads * rounds; });
    for (const auto& [node, kinds] : seen) {
        ASSERT_EQ(kinds.size(), 2u * rounds) << node;
        for (std::size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(kinds[i], i % 2 == 0 ? Event::joined : Event::left);
    }
}

}  // namespace
}  // namespace rollcall::test
