// What a program that embeds the engine can ask of it: register, hear, leave, evict, find, snapshot, count.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Embedded : public testing::Test {
protected:
    Embedded() { engine.open(); }
    TimedEngine engine;
};

TEST_F(Embedded, RegisteredPeerHasWhatItWasRegisteredWith) {
    ASSERT_TRUE(engine->register_peer("a", "10.0.0.2:7000", {{"zone", "eu"}, {"role", "db"}}));
    EXPECT_FALSE(engine->find("a")) << "it is queued";
    engine->sync();
    const auto peer = engine->find("a");
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->node, "a");
    EXPECT_EQ(peer->endpoint, "10.0.0.2:7000");
    EXPECT_EQ(peer->tags, (Tags{{"zone", "eu"}, {"role", "db"}}));
    EXPECT_EQ(peer->state, State::alive);
    EXPECT_EQ(peer->reason, Reason::registered);
    EXPECT_EQ(peer->incarnation.value, static_cast<std::uint64_t>(wall_origin_us));
    EXPECT_EQ(peer->pid, 0u);
    EXPECT_TRUE(peer->local);
    EXPECT_LE(engine.now() - peer->since, stamp_unit);
    EXPECT_LE(engine.now() - *peer->last_heartbeat, stamp_unit);
}

TEST_F(Embedded, KnownPeerIsLeftAlone) {
    ASSERT_TRUE(engine->register_peer("a", "first"));
    ASSERT_TRUE(engine->register_peer("a", "second", {{"k", "v"}}));
    engine.step();
    ASSERT_TRUE(engine->register_peer("a", "third"));
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered"));
    EXPECT_EQ(engine->find("a")->endpoint, "first");
    EXPECT_TRUE(engine->find("a")->tags.empty());
}

TEST_F(Embedded, RegisteringIsNoHeartbeat) {
    ASSERT_TRUE(engine->register_peer("a"));
    engine.run(2s);
    ASSERT_TRUE(engine->register_peer("a"));
    engine.run(1100ms);
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered", "suspect a silence"));
}

// Between a step and the next, the same unknown node may be heard many times, and registered too: it joins once.
TEST_F(Embedded, UnknownNodeThatIsHeardTwiceJoinsOnce) {
    engine.hear("a");
    engine.hear("a");
    ASSERT_TRUE(engine->register_peer("a"));
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("joined a heartbeat"));
}

// The same around the end of a commit, wherever that falls: a sixteenth of this ring fits one.
TEST(EmbeddedManyTimes, UnknownNodesThatAreHeardTwiceJoinOnceEach) {
    for (int before = 0; before < 20; ++before) {
        TimedEngine engine({.ring = 64});
        engine.open();
        for (int i = 0; i < before; ++i) engine.hear("n" + std::to_string(i));
        for (int i = 0; i < 5; ++i) {
            engine.hear("x" + std::to_string(i));
            engine.hear("x" + std::to_string(i));
        }
        engine->sync();
        EXPECT_EQ(engine->snapshot().size(), static_cast<std::size_t>(before) + 5);
        EXPECT_EQ(engine->counters().peers_joined, static_cast<std::uint64_t>(before) + 5);
    }
}

TEST_F(Embedded, HeartbeatsKeepAPeerAlive) {
    engine.hear("a");
    engine.run(20s, {"a"});
    EXPECT_THAT(engine.take(), ElementsAre("joined a heartbeat"));
    EXPECT_LE(engine.now() - *engine->find("a")->last_heartbeat, stamp_unit);
}

TEST_F(Embedded, HeartbeatOfAKnownPeerNeedsNoStep) {
    engine.hear("a");
    engine.step();
    engine.advance(100ms);
    engine.hear("a");
    EXPECT_LE(engine.now() - *engine->find("a")->last_heartbeat, stamp_unit);
}

// Messages overtake each other: an older one never moves the last heartbeat back.
TEST_F(Embedded, HeartbeatThatComesLateMovesNothingBack) {
    engine.hear("a");
    engine.step_after(500ms);
    engine.hear("a");
    const auto heard = engine->find("a")->last_heartbeat;
    ASSERT_TRUE(engine->on_heartbeat("a", "test", {}, engine.now() - 400ms));
    EXPECT_EQ(engine->find("a")->last_heartbeat, heard);
}

TEST_F(Embedded, SuspectAndDeadOfSilenceRecoverByAHeartbeat) {
    engine.hear("a");
    engine.run(3100ms);
    engine.hear("a");
    engine.run(10ms);
    engine.run(5100ms);
    engine.hear("a");
    engine.run(10ms);
    EXPECT_THAT(engine.take(), ElementsAre("joined a heartbeat", "suspect a silence", "recovered a heartbeat", "suspect a silence", "dead a silence", "recovered a heartbeat"));
}

TEST_F(Embedded, EngineItselfAndOtherClustersAreIgnoredAndCountedNowhere) {
    EXPECT_TRUE(engine->on_heartbeat("engine", "test", "e", engine.now()));
    EXPECT_TRUE(engine->on_heartbeat("a", "other", "e", engine.now()));
    EXPECT_TRUE(engine->on_heartbeat("a", "", "e", engine.now()));
    engine.step();
    EXPECT_THAT(engine.take(), IsEmpty());
    EXPECT_TRUE(engine->snapshot().empty());
    EXPECT_EQ(engine->counters().heartbeats_received, 0u);
}

TEST_F(Embedded, EngineItselfIsNoPeer) {
    const auto refused = engine->register_peer("engine");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
    EXPECT_THAT(refused.error().message, HasSubstr("'engine'"));
    EXPECT_FALSE(engine->find("engine"));
    EXPECT_EQ(engine->local_node_id(), "engine");
    EXPECT_EQ(engine->cluster_id(), "test");
}

TEST_F(Embedded, EmptyEndpointKeepsTheKnownOneAndAnotherReplacesIt) {
    ASSERT_TRUE(engine->register_peer("a", "first", {{"k", "v"}}));
    engine.step();
    engine.hear("a");
    engine.step();
    EXPECT_EQ(engine->find("a")->endpoint, "first");
    ASSERT_TRUE(engine->on_heartbeat("a", "test", "first", engine.now()));
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered")) << "the same endpoint is no update";
    ASSERT_TRUE(engine->on_heartbeat("a", "test", "second", engine.now()));
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("updated a registered"));
    EXPECT_EQ(engine->find("a")->endpoint, "second");
    EXPECT_EQ(engine->find("a")->tags, (Tags{{"k", "v"}}));
}

TEST_F(Embedded, HeartbeatThatRecoversAPeerBringsItsNewEndpointToo) {
    ASSERT_TRUE(engine->register_peer("a", "first"));
    engine.run(5100ms);
    ASSERT_TRUE(engine->on_heartbeat("a", "test", "second", engine.now()));
    engine.run(20ms);
    EXPECT_EQ(engine->find("a")->state, State::alive);
    EXPECT_EQ(engine->find("a")->endpoint, "second");
}

TEST_F(Embedded, LeaveAndEvictTakeAPeerAway) {
    ASSERT_TRUE(engine->register_peer("a"));
    ASSERT_TRUE(engine->register_peer("b"));
    ASSERT_TRUE(engine->leave("a"));
    ASSERT_TRUE(engine->evict("b"));
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered", "joined b registered", "left a goodbye", "evicted b operator"));
    EXPECT_TRUE(engine->snapshot().empty());
}

TEST_F(Embedded, LeaveAndEvictOfTheUnknownAreNoErrors) {
    EXPECT_TRUE(engine->leave("a"));
    EXPECT_TRUE(engine->evict("a"));
    engine.step();
    EXPECT_THAT(engine.take(), IsEmpty());
}

// All in one step: each request sees what the ones before it did.
TEST_F(Embedded, RequestsOfOneStepAreAnsweredInOrder) {
    ASSERT_TRUE(engine->register_peer("a", "1"));
    ASSERT_TRUE(engine->leave("a"));
    ASSERT_TRUE(engine->register_peer("a", "2"));
    ASSERT_TRUE(engine->evict("a"));
    ASSERT_TRUE(engine->register_peer("a", "3"));
    engine.step();
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered", "left a goodbye", "joined a registered", "evicted a operator", "joined a registered"));
    EXPECT_EQ(engine->find("a")->endpoint, "3");
    EXPECT_EQ(engine->snapshot().size(), 1u);
}

TEST_F(Embedded, SnapshotHoldsEverybodyInTheOrderOfTheirSlots) {
    for (const char* node : {"c", "a", "b"}) ASSERT_TRUE(engine->register_peer(node, std::string("at-") + node));
    engine.step();
    const auto peers = engine->snapshot();
    ASSERT_EQ(peers.size(), 3u);
    EXPECT_TRUE(std::is_sorted(peers.begin(), peers.end(), [](const Peer& a, const Peer& b) { return a.slot < b.slot; }));
    for (const Peer& peer : peers) {
        EXPECT_EQ(peer.endpoint, "at-" + peer.node);
        EXPECT_EQ(engine->find(peer.node)->slot, peer.slot);
    }
}

struct BadName {
    std::string node, says;
};
class BadNames : public testing::TestWithParam<BadName> {};
INSTANTIATE_TEST_SUITE_P(Names, BadNames,
                         testing::Values(BadName{"", "empty"}, BadName{std::string(64, 'x'), "64 bytes"}, BadName{"a b", "white space"}, BadName{"a\n", "control"}, BadName{"\xff", "UTF-8"},
                                         BadName{std::string("a\0b", 3), "control"}));

TEST_P(BadNames, AreRefusedByEveryFunctionThatTakesOne) {
    TimedEngine engine;
    engine.open();
    const auto expect_refused = [&](const Result<void>& result) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().kind, ErrorKind::invalid);
        EXPECT_THAT(result.error().message, HasSubstr(GetParam().says));
    };
    expect_refused(engine->register_peer(GetParam().node));
    expect_refused(engine->on_heartbeat(GetParam().node, "test", {}, engine.now()));
    expect_refused(engine->leave(GetParam().node));
    expect_refused(engine->evict(GetParam().node));
    EXPECT_FALSE(engine->find(GetParam().node));
    engine.step();
    EXPECT_THAT(engine.take(), IsEmpty());
    EXPECT_EQ(engine->counters().heartbeats_received, 0u);
}

TEST_F(Embedded, LongestNamesEndpointsAndTagsFit) {
    const std::string node(63, 'n'), endpoint(255, 'e');
    const Tags tags{{"k", std::string(509, 'v')}};
    ASSERT_TRUE(engine->register_peer(node, endpoint, tags));
    engine.step();
    EXPECT_EQ(engine->find(node)->endpoint, endpoint);
    EXPECT_EQ(engine->find(node)->tags, tags);
}

TEST_F(Embedded, TooLongEndpointsAndTagsAreRefused) {
    const std::string longer(256, 'e');
    EXPECT_EQ(engine->register_peer("a", longer).error().kind, ErrorKind::invalid);
    EXPECT_EQ(engine->on_heartbeat("a", "test", longer, engine.now()).error().kind, ErrorKind::invalid);
    EXPECT_EQ(engine->register_peer("a", "e", {{"k", std::string(510, 'v')}}).error().kind, ErrorKind::invalid);
    EXPECT_EQ(engine->register_peer("a", "e", {{"", "v"}}).error().kind, ErrorKind::invalid);
    EXPECT_EQ(engine->register_peer("a", "e", {{"a=b", "v"}}).error().kind, ErrorKind::invalid);
    engine.step();
    EXPECT_TRUE(engine->snapshot().empty());
    EXPECT_EQ(engine->counters().heartbeats_received, 0u);
}

// More is waiting than one step may publish: sync() returns when all of it is done.
TEST(EmbeddedManyTimes, SyncWaitsForEverythingThatWasQueued) {
    TimedEngine engine({.capacity = 512, .ring = 64});
    engine.open();
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(engine->register_peer("n" + std::to_string(i)));
    engine->sync();
    EXPECT_EQ(engine->snapshot().size(), 500u);
    EXPECT_EQ(engine->counters().peers_joined, 500u);
}

TEST(EmbeddedManyTimes, RegistrationsBeforeOpenWait) {
    TimedEngine engine;
    ASSERT_TRUE(engine->register_peer("a", "e"));
    ASSERT_TRUE(engine->on_heartbeat("b", "test", {}, engine.now()));
    ASSERT_TRUE(engine->register_peer("c"));
    ASSERT_TRUE(engine->leave("c"));
    engine->sync();
    engine.step();
    engine->dispatch();
    EXPECT_FALSE(engine->find("a"));
    EXPECT_TRUE(engine->snapshot().empty());
    engine.open();
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered", "joined b heartbeat", "joined c registered", "left c goodbye"));
    EXPECT_EQ(engine->find("a")->endpoint, "e");
}

// Without a step nothing takes from the inbox: what is over its bound is refused, and nothing that was accepted is lost.
TEST(EmbeddedManyTimes, InboxOverItsBoundRefuses) {
    TimedEngine engine;
    engine.open();
    std::size_t accepted = 0;
    while (engine->leave("nobody")) ++accepted;
    EXPECT_EQ(accepted, engine::Inbox::bound);
    const auto refused = engine->register_peer("a");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::busy);
    engine->sync();
    EXPECT_TRUE(engine->register_peer("a"));
    engine->sync();
    EXPECT_TRUE(engine->find("a"));
}

}  // namespace
}  // namespace rollcall::test
