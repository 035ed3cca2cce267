// The ring is the redo log: an engine may end at any store of a commit, and its successor finishes what was prepared.
//
// Each case performs one commit between two copies of the memory. From the two, every state in between is put together, store by store in
// the order in which the ledger makes them, and an engine opens it.
#include <functional>
#include <map>
#include <optional>
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/present.hpp"
#include "shm/index.hpp"
#include "shm/verify.hpp"
#include "tests/engine/memory_image.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;
using testing::IsEmpty;

constexpr std::uint32_t capacity = 32, ring = 64;

// One commit: what leads to it, and what makes it.
struct Commit {
    const char* what;
    void (*before)(TimedCore&);
    void (*make)(TimedCore&);
};
void PrintTo(const Commit& commit, std::ostream* out) { *out << commit.what; }

void several_at_once(TimedCore& core) {
    core.put(TimedCore::join_request("new", 7, "of the new"));
    core.put(TimedCore::about("b", Request::Kind::leave));
    core.put(TimedCore::about("c", Request::Kind::exited));
    Request update = TimedCore::about("d", Request::Kind::update);
    update.endpoint = "moved";
    core.put(std::move(update));
    core.put(TimedCore::about("e", Request::Kind::evict));
    core.step();
}

void update_a(TimedCore& core) {
    Request update = TimedCore::about("a", Request::Kind::update);
    update.endpoint = "moved";
    core.ask(std::move(update));
}

void nothing(TimedCore&) {}

const Commit every_kind[]{
    {"a join into a fresh slot", nothing, [](TimedCore& c) { c.ask(TimedCore::join_request("new", 100)); }},
    {"a join into a used slot", [](TimedCore& c) { c.leave("a"), c.advance(2ms), c.leave("b"), c.advance(2ms); for (int i = 0; i < 27; ++i) c.join("n" + std::to_string(i)), c.take(); },
     [](TimedCore& c) { c.join("last"); }},
    {"a replacement", nothing, [](TimedCore& c) { c.replace("a"); }},
    {"a join after a death", [](TimedCore& c) { c.exit("a"); }, [](TimedCore& c) { c.join("a"); }},
    {"a process's exit", nothing, [](TimedCore& c) { c.exit("a", ExitStatus{true, 9}); }},
    {"an exit after a death by silence", [](TimedCore& c) { c.run(5100ms, {"b", "c", "d", "e"}); }, [](TimedCore& c) { c.exit("a"); }},
    {"a goodbye", nothing, [](TimedCore& c) { c.leave("a"); }},
    {"an operator's eviction", nothing, [](TimedCore& c) { c.evict("a"); }},
    {"an update", nothing, update_a},
    {"suspicions", [](TimedCore& c) { c.run(2990ms, {"d", "e"}); }, [](TimedCore& c) { c.step_after(20ms); }},
    {"deaths by silence", [](TimedCore& c) { c.run(4990ms, {"d", "e"}); }, [](TimedCore& c) { c.step_after(20ms); }},
    {"suspicion and death at once", [](TimedCore& c) { c.run(2500ms, {"d", "e"}); c.configure({1s, 1100ms, 1200ms, 10s, 10ms}); }, [](TimedCore& c) { c.step_after(10ms); }},
    {"recoveries", [](TimedCore& c) { c.run(5100ms, {"d", "e"}); c.beat("a"), c.beat("b"); }, [](TimedCore& c) { c.step_after(10ms); }},
    {"evictions", [](TimedCore& c) { c.run(9990ms, {"d", "e"}); }, [](TimedCore& c) { c.step_after(20ms); }},
    {"a pause", nothing, [](TimedCore& c) { c.step_after(20s); }},
    {"several at once", nothing, several_at_once},
};

class Redo : public testing::TestWithParam<Commit> {
protected:
    Redo() : core({.capacity = capacity, .ring = ring, .dir = folder.path()}) {
        for (const char* node : {"a", "b", "c", "d", "e"}) core.join(node, std::string("of ") + node);
        core.step_after(10ms);
        core.take();
        GetParam().before(core);
        core.take();
        before.emplace(folder.path(), capacity, ring);
        GetParam().make(core);
        after.emplace(folder.path(), capacity, ring);
        events = core.take_events();
    }

    // All that is said of everybody, and the numbers beside it.
    static std::string text_of(const shm::Roster& roster) {
        shm::CheckpointValues v;
        if (!shm::load_checkpoint(roster.header(), v)) return "the checkpoint does not read";
        std::string text = std::to_string(v.head.value) + ' ' + std::to_string(v.view) + ' ' + std::to_string(v.list_version) + ' ' + std::to_string(v.greatest_incarnation);
        for (const auto count : v.counters) text += ' ' + std::to_string(count);
        const auto peers = snapshot_peers(roster, nullptr, nullptr).value();
        for (const Peer& p : peers) {
            text += "\n" + std::to_string(p.slot.value) + ' ' + p.node + ' ' + std::string(to_string(p.state)) + ' ' + std::string(to_string(p.reason)) + ' ' + p.endpoint;
            for (const std::uint64_t n : {p.incarnation.value, std::uint64_t{p.generation.value}, p.last_event.value, std::uint64_t{p.pid}}) text += ' ' + std::to_string(n);
            for (const Duration d : {Duration(p.since.time_since_epoch()), p.evidence.age, p.evidence.lost, p.evidence.late}) text += ' ' + std::to_string(d.count());
            const auto word = roster.word(p.slot).load(std::memory_order_relaxed);
            text += word == shm::free_word ? " free" : ' ' + std::to_string(shm::generation_of(word).value);
        }
        return text;
    }

    // An engine opens `image`; what it finds must be in order and say `expected`. The same once more, should it have died at once.
    void expect_adopted(const MemoryImage& image, const std::string& expected) {
        image.write(copy.path());
        for (int lives = 0; lives < 2; ++lives) {
            auto opened = engine::Core::open({"test", "engine", "here", copy.path(), core.core().settings(), 0, 0, {}}, core.now(), wall_origin_us);
            ASSERT_TRUE(opened) << opened.error().message;
            EXPECT_TRUE((*opened)->has_adopted());
            EXPECT_EQ(text_of((*opened)->roster()), expected);
            EXPECT_THAT(shm::verify((*opened)->roster(), core.now_stamp()).broken, IsEmpty());
        }
    }

    // The memory right after `prepared` was stored: everything of the commit is in the ring and in the heap, nothing is applied.
    MemoryImage prepared() {
        MemoryImage image(*after);
        image.take_cursors(*before);
        image.take_records(*before);
        image.take_words(*before);
        for (const Event& e : events)  // an eviction for silence takes the word before it is prepared
            if (e.kind == Event::evicted && e.reason == Reason::silence) image.take_word(e.slot, *after);
        return image;
    }

    using Store = std::function<void(MemoryImage&)>;
    // The stores that apply one event, in the ledger's order; `nth` of this slot in the commit.
    std::vector<Store> stores_of(const Event& e, std::uint64_t nth) {
        const MemoryImage &was = *before, &is = *after;
        const Slot slot = e.slot;
        const std::uint64_t version = was.roster().record(slot).version.load() + nth;
        const bool was_free = nth == 1 && shm::own_hot(was.roster().record(slot)).state == State::none;
        const auto bucket_in = [slot](const MemoryImage& image) { return shm::bucket_of(image.roster().record(slot).hash.load(), image.roster().geometry().bucket_count); };
        std::vector<Store> stores;
        if (was_free) stores.emplace_back([=, &is](MemoryImage& m) { m.take_name(slot, is); });
        stores.emplace_back([=, &is](MemoryImage& m) { m.take_copy(slot, version, is); });
        stores.emplace_back([=](MemoryImage& m) { m.set_version(slot, version); });
        if (was_free) {
            stores.emplace_back([=, &is](MemoryImage& m) { m.take_next(slot, is); });
            stores.emplace_back([=, &is](MemoryImage& m) { m.take_bucket(bucket_in(is), is); });
        }
        const bool frees = e.state == State::none || (is_proof(e.state, e.reason) && e.reason != Reason::replaced);
        if (frees || e.kind == Event::joined) stores.emplace_back([=, &is](MemoryImage& m) { m.take_word(slot, is); });
        if (e.state == State::none) {
            stores.emplace_back([=, &was, &is](MemoryImage& m) {
                m.take_bucket(bucket_in(was), is);
                for (std::uint32_t i = 0; i < was.roster().high_water(); ++i)
                    if (was.roster().record(Slot{i}).next.load() == slot.value && shm::is_linked(was.roster(), Slot{i})) m.take_next(Slot{i}, is);
            });
        }
        return stores;
    }

    TemporaryFolder folder, copy;
    TimedCore core;
    std::optional<MemoryImage> before, after;
    std::vector<Event> events;
};
INSTANTIATE_TEST_SUITE_P(Commits, Redo, testing::ValuesIn(every_kind));

TEST_P(Redo, IsDoneFromEveryStoreOn) {
    ASSERT_FALSE(events.empty());
    const std::string expected = text_of(after->roster());
    MemoryImage image = prepared();
    expect_adopted(image, expected);
    std::map<Slot, std::uint64_t> seen;
    for (const Event& e : events) {
        if (e.slot == no_slot) continue;
        for (const Store& store : stores_of(e, ++seen[e.slot])) {
            store(image);
            SCOPED_TRACE(line_of(e));
            expect_adopted(image, expected);
        }
    }
    image.take_cursors(*after);
    expect_adopted(image, expected);
}

// Whatever a successor makes of it, an observer of the dead engine's memory sees the same already.
TEST_P(Redo, ObserverOfTheDeadEnginesMemorySeesWhatItsSuccessorWillPublish) {
    MemoryImage image = prepared();
    std::map<Slot, std::uint64_t> seen;
    const auto expect_seen = [&] {
        shm::Image snapshot;
        const auto outcome = shm::take_snapshot(image.roster(), snapshot);
        ASSERT_NE(outcome, shm::Snapshot::busy);
        const Sequence head = shm::load_head(before->roster().header()), all = shm::load_head(after->roster().header());
        EXPECT_TRUE(snapshot.at == head || snapshot.at == all) << snapshot.at.value;
        const MemoryImage& truth = snapshot.at == head ? *before : *after;
        for (std::uint32_t i = 0; i < snapshot.slots.size(); ++i) EXPECT_EQ(shm::encode(snapshot.slots[i].hot), shm::encode(shm::own_hot(truth.roster().record(Slot{i})))) << "slot " << i;
    };
    expect_seen();
    for (const Event& e : events) {
        if (e.slot == no_slot) continue;
        for (const Store& store : stores_of(e, ++seen[e.slot])) {
            store(image);
            expect_seen();
        }
    }
}

// Written to the ring, but not prepared: nobody will ever have heard of it. What was taken before is given back.
TEST_P(Redo, IsNotDoneBeforeItWasPrepared) {
    MemoryImage image = prepared();
    image.take_prepared(*before);
    image.take_words(*before);
    expect_adopted(image, text_of(before->roster()));
}

// The successor goes on with the same numbers and loses no slot and no blob.
TEST_P(Redo, SuccessorGoesOnAndLosesNothing) {
    prepared().write(copy.path());
    TimedCore next({.settings = core.core().settings(), .capacity = capacity, .ring = ring, .dir = copy.path(), .start = core.now() + 1ms});
    next.take();
    for (const Peer& peer : next.peers()) next.leave(peer.node);
    next.advance(10ms);
    next.take();
    for (std::uint32_t i = 0; i < capacity; ++i) {
        const auto answer = next.join("fresh-" + std::to_string(i));
        ASSERT_FALSE(answer.error) << answer.error->message;
        next.take();
    }
    EXPECT_THAT(shm::verify(next.roster(), next.now_stamp()).broken, IsEmpty());
}

}  // namespace
}  // namespace rollcall::test
