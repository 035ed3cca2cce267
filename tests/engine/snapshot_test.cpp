// An exact view under load: one thread changes the membership, others take snapshots and fold the events after them. Whatever they hold at
// a position of the ring at which the writer rested must be what the writer had there.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shm/snapshot.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;

// All that a record and its blob say, of every slot that has a peer.
std::string text_of(const shm::Image& image) {
    std::string text;
    for (std::size_t i = 0; i < image.slots.size(); ++i) {
        const shm::SlotImage& s = image.slots[i];
        if (s.hot.state == State::none) continue;
        text += std::to_string(i) + ' ' + std::string(s.name.view()) + ' ' + std::string(to_string(s.hot.state)) + ' ' + std::string(to_string(s.hot.reason)) + ' ' +
                std::to_string(s.hot.incarnation.value) + ' ' + std::to_string(s.hot.lsn.value) + ' ' + std::to_string(s.hot.generation.value) + ' ' +
                std::to_string(s.hot.since.value) + ' ' + std::string(s.blob.endpoint()) + ' ' + std::to_string(s.blob.token) + '\n';
    }
    return text;
}

// What the roster was at each position at which the writer rested.
class Truth {
public:
    void note(Sequence at, std::string text) {
        const std::lock_guard lock(mutex_);
        texts_.insert_or_assign(at.value, std::move(text));
        if (texts_.size() > 4000) texts_.erase(texts_.begin());
    }
    std::optional<std::string> at(Sequence s) const {
        const std::lock_guard lock(mutex_);
        const auto it = texts_.find(s.value);
        return it == texts_.end() ? std::nullopt : std::optional(it->second);
    }

private:
    mutable std::mutex mutex_;
    std::map<std::uint64_t, std::string> texts_;
};

// Random requests and steps, as long as anybody looks.
class Writer {
public:
    explicit Writer(EngineSetup setup) : core(setup) {}

    void turn() {
        const int requests = static_cast<int>(random() % 6);
        for (int i = 0; i < requests; ++i) core.put(request());
        core.advance(std::chrono::milliseconds(random() % 20 == 0 ? 1500 : 1 + random() % 10));
        for (int i = 0; i < 6; ++i) core.beat(node());
        core.step();
        note();
    }
    // Quiet memory: one snapshot is enough, and is the truth.
    void note() {
        shm::Image image;
        ASSERT_EQ(shm::take_snapshot(core.roster(), image), shm::Snapshot::exact);
        ASSERT_EQ(image.at, core.checkpoint().head);
        truth.note(image.at, text_of(image));
    }

    TimedCore core;
    Truth truth;

private:
    std::string node() { return "n" + std::to_string(random() % 24); }
    Request request() {
        const std::uint32_t kind = random() % 10;
        if (kind < 5) {
            Request r = TimedCore::join_request(node(), 1 + random() % 5, std::string(random() % 80, 'e'));
            r.token = random();
            r.may_replace = r.is_operator = random() % 2 == 0;
            return r;
        }
        if (kind < 7) {
            Request r = TimedCore::about(node(), Request::Kind::update);
            r.endpoint = std::string(random() % 80, 'u') + std::to_string(random());
            return r;
        }
        return TimedCore::about(node(), kind == 7 ? Request::Kind::exited : kind == 8 ? Request::Kind::leave : Request::Kind::evict);
    }
    std::uint32_t random() { return static_cast<std::uint32_t>(random_()); }
    std::mt19937 random_{4711};
};

// Takes a snapshot, folds what follows, and compares wherever the writer has noted the truth.
class Watcher {
public:
    Watcher(const shm::Roster& roster, const Truth& truth) : roster_(roster), truth_(truth) {}

    // Begins anew with a snapshot; folds for `events` events at most, or until it is lapped.
    void look(int events) {
        const auto outcome = shm::take_snapshot(roster_, image_);
        if (outcome != shm::Snapshot::exact) {
            ++busy;
            return;
        }
        ++snapshots;
        compare();
        Cursor cursor(image_.at);
        shm::StoredEvent event;
        for (int i = 0; i < events; ++i) {
            const auto next = cursor.next(roster_, event);
            if (next == Cursor::Outcome::nothing) return;
            if (next == Cursor::Outcome::lapped) {
                ++laps;
                return;
            }
            shm::fold(roster_, image_, event);
            compare();
        }
    }
    int snapshots = 0, compared = 0, busy = 0, laps = 0;

private:
    // Not where an endpoint could not be read any more: a later event brings another.
    void compare() {
        if (image_.pending != 0) return;
        const auto truth = truth_.at(image_.at);
        if (!truth) return;
        ++compared;
        EXPECT_EQ(text_of(image_), *truth) << "at " << image_.at.value;
    }
    const shm::Roster& roster_;
    const Truth& truth_;
    shm::Image image_;
};

class UnderLoad : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Snapshots, UnderLoad, testing::Values(64, 256, 4096));

// The writer rests after each step, so that its truth is noted before anybody can get there; watchers begin at any moment all the same,
// also in the middle of a step. Every watcher must have compared often enough.
TEST_P(UnderLoad, SnapshotAndTheEventsAfterItAreTheRoster) {
    Writer writer({.settings = {1s, 3s, 5s, 8s, 10ms}, .capacity = 32, .ring = GetParam()});
    std::atomic<int> satisfied{0};
    std::vector<std::thread> threads;
    for (int w = 0; w < 2; ++w) {
        threads.emplace_back([&, seed = w] {
            Watcher watcher(writer.core.roster(), writer.truth);
            std::mt19937 random(static_cast<unsigned>(seed));
            bool told = false;
            while (satisfied.load(std::memory_order_relaxed) < 2) {
                watcher.look(static_cast<int>(random() % 200));
                if (!told && watcher.snapshots > 3000 && watcher.compared > 10'000) {
                    told = true;
                    satisfied.fetch_add(1, std::memory_order_relaxed);
                }
            }
        });
    }
    for (int turns = 0; satisfied.load(std::memory_order_relaxed) < 2 || turns < 5000; ++turns) writer.turn();
    for (std::thread& thread : threads) thread.join();
}

// find() while everything moves: a node that is always there is always found, one that never was never is, and what is found is whole.
TEST(FindUnderLoad, NeverMissesWhoIsThereAndNeverFindsWhoIsNot) {
    Writer writer({.settings = {1s, 3s, 5s, 8s, 10ms}, .capacity = 32, .ring = 64});
    writer.core.join("constant", "its endpoint");
    std::atomic<bool> ending{false};
    std::atomic<int> looks{0};
    std::thread reader([&] {
        while (!ending.load(std::memory_order_relaxed)) {
            const auto there = writer.core.find("constant");
            EXPECT_TRUE(there);
            EXPECT_EQ(there.value_or(Peer{}).endpoint, "its endpoint");
            EXPECT_FALSE(writer.core.find("never"));
            const auto other = writer.core.find("n7");
            EXPECT_TRUE(!other || other->node == "n7");
            looks.fetch_add(1, std::memory_order_relaxed);
        }
    });
    for (int turns = 0; turns < 5000 || looks.load(std::memory_order_relaxed) < 2000; ++turns) {
        writer.core.beat("constant");
        writer.turn();
    }
    ending.store(true, std::memory_order_relaxed);
    reader.join();
}

}  // namespace
}  // namespace rollcall::test
