// An engine ends without a word, and another one opens the same folder: the members are still there, and the stream goes on unbroken.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/observer.hpp"
#include "engine/client/traffic.hpp"
#include "shm/verify.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Counter;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Adoption : public testing::Test {
protected:
    explicit Adoption(EngineSetup chosen = {}) : setup(chosen) {
        setup.dir = folder.path();
        core = std::make_unique<TimedCore>(setup);
    }
    // The engine dies; the next one opens after `absence`, as of which its first pass is made.
    void succeed(Duration absence = 0s) {
        setup.start = core->now() + absence;
        core.reset();
        core = std::make_unique<TimedCore>(setup);
    }
    std::vector<std::string> broken() { return shm::verify(core->roster(), core->now_stamp()).broken; }

    TemporaryFolder folder;
    EngineSetup setup;
    std::unique_ptr<TimedCore> core;
};

TEST_F(Adoption, StreamSequenceAndViewGoOnInTheNextEpoch) {
    core->join("a", "at a");
    core->join("b");
    core->exit("b");
    const auto stream = core->roster().header().stream.load();
    const auto before = core->checkpoint();
    succeed(10ms);
    EXPECT_TRUE(core->core().has_adopted());
    EXPECT_EQ(core->roster().header().stream.load(), stream);
    EXPECT_EQ(core->roster().header().epoch.load(), 2u);
    EXPECT_EQ(core->checkpoint().head, before.head);
    EXPECT_EQ(core->checkpoint().view, before.view);
    EXPECT_EQ(core->checkpoint().counters, before.counters);
    core->join("c");
    const auto events = core->take_events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].sequence, before.head + 1);
    EXPECT_EQ(events[0].view, before.view + 1);
    EXPECT_EQ(events[0].epoch, 2u);
    EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Adoption, MembersAreStillThere) {
    core->join("alive", "at alive", {{"k", "v"}});
    core->join("suspect");
    core->join("silent");
    core->join("exited");
    core->run(2s, {"alive", "suspect"});
    core->exit("exited", ExitStatus{true, 11});
    core->run(3010ms, {"alive"});
    const auto before = core->peers();
    core->take();
    succeed(10ms);
    EXPECT_THAT(core->take(), IsEmpty());
    const auto now = core->peers();
    ASSERT_EQ(now.size(), before.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
        SCOPED_TRACE(before[i].node);
        EXPECT_EQ(now[i].node, before[i].node);
        EXPECT_EQ(now[i].state, before[i].state);
        EXPECT_EQ(now[i].reason, before[i].reason);
        EXPECT_EQ(now[i].since, before[i].since);
        EXPECT_EQ(now[i].incarnation, before[i].incarnation);
        EXPECT_EQ(now[i].generation, before[i].generation);
        EXPECT_EQ(now[i].endpoint, before[i].endpoint);
        EXPECT_EQ(now[i].tags, before[i].tags);
        EXPECT_EQ(now[i].pid, before[i].pid);
        EXPECT_EQ(now[i].last_heartbeat, before[i].last_heartbeat);
        EXPECT_EQ(now[i].evidence.status, before[i].evidence.status);
    }
    EXPECT_EQ(core->peer("suspect").state, State::suspect);
    EXPECT_EQ(core->peer("silent").state, State::dead);
}

// Each of them goes on where it was: recovers by a beat, dies of the rest of its silence, is evicted when its time has come.
TEST_F(Adoption, JudgementGoesOnWhereItWas) {
    core->join("suspect");
    core->join("silent");
    core->join("exited");
    core->run(2s, {"suspect"});
    core->exit("exited");
    core->run(3010ms);
    core->take();
    succeed(10ms);
    core->beat("suspect");
    core->step_after(10ms);
    EXPECT_THAT(core->take(), ElementsAre("recovered suspect heartbeat"));
    core->run(10s - 3010ms - 30ms - 2s, {"suspect"});
    EXPECT_THAT(core->take(), IsEmpty());
    core->run(100ms, {"suspect"});
    EXPECT_THAT(core->take(), ElementsAre("evicted silent silence"));
    core->run(2s, {"suspect"});
    EXPECT_THAT(core->take(), ElementsAre("evicted exited process_exit"));
}

// Nobody looked between two engines: that time counts against nobody, however long it was.
TEST_F(Adoption, SilenceDuringTheAbsenceIsNotCounted) {
    core->join("a");
    core->run(900ms, {"a"});
    succeed(1h);
    const auto events = core->take_events();
    ASSERT_EQ(lines_of(events), std::vector<std::string>{"paused"});
    EXPECT_NEAR(static_cast<double>(events[0].length.count()), 3600e9, 1e5);
    core->run(3s - 500ms - 10ms);
    EXPECT_THAT(core->take(), IsEmpty());
    core->run(20ms);
    EXPECT_THAT(core->take(), ElementsAre("suspect a silence"));
}

TEST_F(Adoption, SilenceBeforeTheAbsenceIsCounted) {
    core->join("a");
    core->run(2s);
    succeed(1h);
    core->take();
    core->run(500ms - 10ms);
    EXPECT_THAT(core->take(), IsEmpty());
    core->run(20ms);
    EXPECT_THAT(core->take(), ElementsAre("suspect a silence"));
}

TEST_F(Adoption, PausesOfTheEarlierEngineStillCount) {
    core->join("a");
    core->run(100ms);
    core->step_after(20s);
    core->run(1s);
    succeed(10ms);
    core->take();
    core->run(3s - 100ms - 500ms - 1s - 10ms - 10ms);
    EXPECT_THAT(core->take(), IsEmpty());
    core->run(20ms);
    EXPECT_THAT(core->take(), ElementsAre("suspect a silence"));
}

TEST_F(Adoption, BeatsDuringTheAbsenceCount) {
    core->join("a");
    core->run(3100ms);
    core->take();
    core->advance(30s);
    core->beat("a");
    succeed(10ms);
    core->step_after(10ms);
    EXPECT_THAT(core->take(), ElementsAre("paused", "recovered a heartbeat"));
}

TEST_F(Adoption, LivesAfterItAreGreaterThanAllBefore) {
    const Incarnation first = core->join("a").incarnation;
    const Generation generation = core->peer("a").generation;
    core->leave("a");
    succeed(10ms);
    core->set_wall(1);
    EXPECT_EQ(core->join("b").incarnation.value, first.value + 1);
    core->leave("b");
    for (std::uint32_t i = 0; i < setup.capacity; ++i) core->join("n" + std::to_string(i));
    const auto peers = core->peers();
    EXPECT_EQ(std::count_if(peers.begin(), peers.end(), [&](const Peer& p) { return p.generation == shm::next_generation(generation); }), 0) << "resting";
    core->advance(2ms);
    EXPECT_FALSE(core->join("one-more").error);
    EXPECT_EQ(core->peer("one-more").generation, shm::next_generation(generation));
}

TEST_F(Adoption, SettingsAreThoseOfTheNewEngine) {
    core->join("a");
    core->configure({1s, 2s, 4s, 6s, 10ms});
    setup.settings = {1s, 1500ms, 5s, 10s, 20ms};
    succeed(10ms);
    EXPECT_EQ(core->checkpoint().settings, setup.settings);
    core->take();
    core->run(1600ms);
    EXPECT_THAT(core->take(), ElementsAre("suspect a silence"));
}

// Between two events only the header has the heartbeats of now: neither a death then nor one before the successor's first publication takes any back.
TEST_F(Adoption, CountsOfHeartbeatsNeverGoBack) {
    core->join("a");
    store_traffic(core->core().writable().header(), {{{"udp", {}}}, {}, 1'050, 1'070});
    succeed(10ms);
    const Traffic kept = load_traffic(core->roster().header());
    EXPECT_EQ(kept.heartbeats_sent, 1'050u);
    EXPECT_EQ(kept.heartbeats_received, 1'070u);
    EXPECT_TRUE(kept.transports.empty()) << "those of an engine that has ended";
    core->join("b");
    EXPECT_EQ(core->counter(Counter::heartbeats_sent), 1'050u);
    EXPECT_EQ(core->counter(Counter::heartbeats_received), 1'070u);
}

// A death between the swap that frees the word and the event: the eviction is finished.
TEST_F(Adoption, EvictionThatWasBegunIsFinished) {
    core->join("a");
    core->run(5100ms);
    core->set_word(core->peer("a").slot, shm::free_word);
    core->take();
    succeed(10ms);
    core->step_after(10ms);
    EXPECT_THAT(core->take(), ElementsAre("evicted a silence"));
    EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Adoption, WordsThatWereDamagedMeanwhileArePutRight) {
    const auto a = core->join("a"), b = core->join("b"), c = core->join("c");
    core->exit("c");
    core->set_word(a.slot, -7);
    core->set_word(b.slot, shm::free_word);
    core->set_word(c.slot, shm::make_word(core->now_stamp(), c.generation));
    succeed(10ms);
    core->run(50ms);
    EXPECT_EQ(shm::generation_of(core->word(a.slot)), a.generation);
    EXPECT_EQ(shm::generation_of(core->word(b.slot)), b.generation);
    EXPECT_EQ(core->word(c.slot), shm::free_word);
    EXPECT_EQ(core->take(), std::vector<std::string>{});
    EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(Adoption, SizesAreThoseOfTheLivingFolderOrRefused) {
    core.reset();
    const auto open = [&](std::uint32_t capacity, std::uint32_t ring) {
        return engine::Core::open({"test", "engine", "here", setup.dir, {}, capacity, ring, {}}, origin + 1s, wall_origin_us);
    };
    auto refused = open(65, 0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("65"), HasSubstr("64")));
    refused = open(0, 2048);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("2048"), HasSubstr("1024")));
    EXPECT_TRUE(open(0, 0));
    EXPECT_TRUE(open(64, 1000)) << "rounded up to a power of two, as at its creation";
}

// The Engine itself, as programs have it: destroyed, and made again.
TEST_F(Adoption, EngineObjectDoesTheSame) {
    core.reset();
    std::uint64_t stream = 0;
    Sequence last{};
    for (std::uint32_t epoch = 2; epoch < 6; ++epoch) {
        TimedEngine engine(setup);
        engine.open();
        EXPECT_EQ(engine->snapshot().size(), epoch - 2);
        const std::string node = "n" + std::to_string(epoch);
        ASSERT_TRUE(engine->register_peer(node));
        engine.step_after(10ms);
        const auto events = engine.take_events();
        ASSERT_EQ(lines_of(events), std::vector<std::string>{"joined " + node + " registered"});
        EXPECT_EQ(events[0].epoch, epoch);
        EXPECT_EQ(events[0].sequence, last + 1);
        EXPECT_TRUE(stream == 0 || events[0].stream == stream);
        stream = events[0].stream;
        last = events[0].sequence;
        setup.start = engine.now();
    }
}

// Observers need not notice: what they hold stays mapped, and goes on.
TEST_F(Adoption, ObserverReadsOnAcrossIt) {
    auto observer = Observer::attach({.cluster = "test", .dir = folder.path()});
    ASSERT_TRUE(observer);
    core->join("a");
    succeed(10ms);
    core->join("b");
    EXPECT_FALSE(observer->is_stale());
    EXPECT_EQ(line_of(observer->poll().value()), "joined a join");
    EXPECT_EQ(line_of(observer->poll().value()), "joined b join");
    EXPECT_FALSE(observer->poll());
}

// Any past, and death after death: whoever opens next finds a memory in order, goes on with the same numbers, and has lost nothing.
class ManyLives : public Adoption {
protected:
    ManyLives() : Adoption({.capacity = 24, .ring = 128}) {}
    std::string node() { return "n" + std::to_string(random() % 30); }
    void live() {
        for (int i = 0; i < 30; ++i) {
            switch (random() % 7) {
                case 0: core->join(node(), std::string(random() % 200, 'e')); break;
                case 1: core->replace(node()); break;
                case 2: core->exit(node()); break;
                case 3: core->leave(node()); break;
                default: core->beat(node()); break;
            }
            core->step_after(std::chrono::milliseconds(random() % 400));
            core->take();
        }
    }
    std::uint32_t random() { return static_cast<std::uint32_t>(random_()); }

private:
    std::mt19937 random_{7};
};

TEST_F(ManyLives, EachFindsTheMemoryInOrder) {
    for (std::uint32_t epoch = 1; epoch <= 200; ++epoch) {
        live();
        const auto peers = core->peers();
        const auto head = core->checkpoint().head;
        succeed();
        ASSERT_EQ(core->roster().header().epoch.load(), epoch + 1);
        ASSERT_EQ(core->checkpoint().head, head);
        ASSERT_EQ(core->peers().size(), peers.size());
        ASSERT_THAT(broken(), IsEmpty());
    }
    for (const Peer& peer : core->peers()) core->leave(peer.node);
    core->advance(10ms);
    for (std::uint32_t i = 0; i < setup.capacity; ++i) EXPECT_FALSE(core->join("fresh-" + std::to_string(i)).error) << "a slot was lost";
    EXPECT_LE(core->roster().header().blob_extents_used.load(), 10u) << "blobs were lost";
}

// What means nothing here is replaced, and who still looks at the old memory learns it.
class Replacement : public Adoption {
protected:
    Replacement() { core->join("a"); }
    // Writes `value` to the roster's file at `offset`, while no engine runs.
    void damage() const {
        std::fstream file(folder.path() + "/test/roster", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(offset));
        file.write(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void expect_replaced() {
        const auto stream = core->roster().header().stream.load();
        auto observer = Observer::attach({.cluster = "test", .dir = folder.path()});
        ASSERT_TRUE(observer);
        core.reset();
        damage();
        core = std::make_unique<TimedCore>(setup);
        EXPECT_FALSE(core->core().has_adopted());
        EXPECT_FALSE(core->core().why_replaced().empty());
        EXPECT_NE(core->roster().header().stream.load(), stream);
        EXPECT_TRUE(core->peers().empty());
        EXPECT_TRUE(observer->is_stale());
        const auto files = std::distance(std::filesystem::directory_iterator(folder.path() + "/test"), std::filesystem::directory_iterator{});
        EXPECT_EQ(files, 3) << "roster, pulse and lock, and nothing of the old";
    }
    std::size_t offset = 0;
    std::uint64_t value = 0;
};

TEST_F(Replacement, OfAnotherBootsMemory) {
    offset = sizeof(shm::Preamble) + offsetof(shm::RosterHeader, boot_id);
    value = 4711;
    expect_replaced();
}

TEST_F(Replacement, OfAnotherTimeNamespacesMemory) {
    offset = sizeof(shm::Preamble) + offsetof(shm::RosterHeader, time_namespace);
    value = 4711;
    expect_replaced();
}

TEST_F(Replacement, OfCursorsThatMakeNoSense) {
    offset = sizeof(shm::Preamble) + offsetof(shm::RosterHeader, prepared);
    value = 1'000'000;
    expect_replaced();
}

// Prepared, but not in the ring: what happened cannot be known.
TEST_F(Replacement, OfPreparedEventsThatAreNotThere) {
    offset = sizeof(shm::Preamble) + offsetof(shm::RosterHeader, prepared);
    value = core->checkpoint().head.value + 3;
    expect_replaced();
}

TEST_F(Replacement, OfACheckpointThatDoesNotRead) {
    offset = sizeof(shm::Preamble) + offsetof(shm::RosterHeader, selector);
    value = 0xFFFF'FFFF'FFFF'0000;
    expect_replaced();
}

}  // namespace
}  // namespace rollcall::test
