// Hosts that nobody listens to are not judged; and one host on several networks is one host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "engine/client/present.hpp"
#include "engine/hosts/host_message.hpp"
#include "tests/support/host_world.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class Listening : public testing::Test {
protected:
    explicit Listening(std::vector<std::string> networks = {"in-process"}) : world(1, std::move(networks)) {
        for (const char* name : {"a", "b", "c"}) world.add(name);
        world["b"].join("b-1");
        world.run(3s);
        take_all();
    }
    void take_all() {
        for (const auto& [name, host] : world.hosts()) host->take();
    }
    Host host_as_seen(const std::string& by, const std::string& name) {
        const std::vector<Host> all = snapshot_hosts(world[by].core().roster()).value();
        for (const Host& host : all)
            if (host.name == name) return host;
        return {};
    }

    HostWorld world;
};

TEST_F(Listening, WhoeverDoesNotListenBlamesNobody) {
    world.network().stop_listening("a");
    world.run(9s);  // nearly what nothing is held for longer than
    EXPECT_THAT(world["a"].take(), UnorderedElementsAre("orphaned b join", "orphaned c join")) << "and nobody is suspected";
    world.network().listen_again("a");
    world.run(20s);
    EXPECT_THAT(world["a"].take(), IsEmpty()) << "what was not listened to counts for nobody's silence, not later either";
    EXPECT_THAT(world["b"].take(), ElementsAre("one_way a join")) << "a went on speaking, and said that it does not hear";
}

TEST_F(Listening, ItIsToldEachTime) {
    for (int time = 0; time < 2; ++time) {
        world.network().stop_listening("a");
        world.run(3s);
        world.network().listen_again("a");
        world.run(3s);
    }
    EXPECT_THAT(world["a"].take(), UnorderedElementsAre("orphaned b join", "orphaned c join", "orphaned b join", "orphaned c join"));
}

// Who died meanwhile is late by what nobody heard, and by no more; what the network held back of him does not bring him to life.
TEST_F(Listening, WhoDiedMeanwhileIsFoundOutAfterwards) {
    world.network().stop_listening("a");
    world.run(2s);
    world["b"].crash();
    world.run(4s);
    world["a"].take();
    world.network().listen_again("a");
    ASSERT_TRUE(world.run_until(4s, [&] { return host_as_seen("a", "b").state == State::suspect; }));
    ASSERT_TRUE(world.run_until(3s, [&] { return host_as_seen("a", "b").state == State::dead; }));
    EXPECT_EQ(host_as_seen("a", "b").reason, Reason::silence);
    EXPECT_GE(host_as_seen("a", "b").evidence.lost, 2s) << "the evidence says what does not count";
    EXPECT_THAT(world["a"].take(), Not(Contains("host_recovered b heartbeat")));
}

TEST_F(Listening, NothingIsHeldForEver) {
    world.network().stop_listening("a");
    ASSERT_TRUE(world.run_until(20s, [&] { return host_as_seen("a", "b").state == State::dead; }));
    EXPECT_EQ(host_as_seen("a", "b").reason, Reason::unobserved);
    EXPECT_EQ(world["a"].find("b-1")->reason, Reason::unobserved);
    world.run(10s);
    EXPECT_THAT(world["a"].take(), UnorderedElementsAre("orphaned b join", "orphaned c join", "host_suspect b unobserved", "host_suspect c unobserved", "suspect b-1 unobserved", "suspect node-b unobserved",
                                                        "suspect node-c unobserved", "host_dead b unobserved", "host_dead c unobserved", "dead b-1 unobserved", "dead node-b unobserved", "dead node-c unobserved",
                                                        "host_evicted b unobserved", "host_evicted c unobserved", "evicted b-1 unobserved", "evicted node-b unobserved", "evicted node-c unobserved"));
    world.network().listen_again("a");
    EXPECT_TRUE(world.run_until(10s, [&] { return world["a"].find("b-1").has_value(); }));
}

// The next engine does not know how long nobody listened; but that the one before it, which did, called nobody silent.
TEST_F(Listening, ASuccessorBlamesNobodyForWhatItsPredecessorDidNotHear) {
    world.network().stop_listening("a");
    world.run(7s);
    world["a"].crash();
    world.run(500ms);
    world["a"].start();
    world.run(1s);
    world.network().listen_again("a");
    world.run(10s);
    for (const char* name : {"b", "c"}) EXPECT_EQ(host_as_seen("a", name).state, State::alive) << name;
    EXPECT_EQ(world["a"].find("b-1")->state, State::alive);
    EXPECT_THAT(world["a"].take(), testing::Each(testing::AnyOf(testing::StartsWith("orphaned"), testing::StartsWith("paused"), testing::StartsWith("host_updated"))));
}

TEST_F(Listening, ASuccessorThatHearsNothingEitherHoldsNobodyForEver) {
    world.network().stop_listening("a");
    world.run(7s);
    world["a"].crash();
    world["a"].start();
    EXPECT_TRUE(world.run_until(30s, [&] { return host_as_seen("a", "b").state == State::dead; }));
    EXPECT_EQ(host_as_seen("a", "b").reason, Reason::unobserved);
}

class TwoNetworks : public Listening {
protected:
    TwoNetworks() : Listening({"wire", "radio"}) {}
};

TEST_F(TwoNetworks, CopiesCountOnce) {
    const auto before = world["a"].link().counters();
    world.run(10s);
    const auto after = world["a"].link().counters();
    EXPECT_GE(after.copies - before.copies, 20u) << "of two hosts, one a beat";
    EXPECT_EQ(after.unproven, before.unproven) << "both ways were proven long ago";
    EXPECT_THAT(world["a"].take(), IsEmpty());
    EXPECT_EQ(world["a"].link().hosts()[0].loss, 0);
}

TEST_F(TwoNetworks, WhoIsHeardByOneIsAlive) {
    world.network(0).cut("b", "a");
    world.network(0).cut("a", "b");
    world.run(20s);
    EXPECT_EQ(host_as_seen("a", "b").transport, "radio") << "and is spoken to there";
    EXPECT_THAT(world["a"].take(), ElementsAre("host_updated b join"));
    world["b"].join("b-2");
    EXPECT_TRUE(world.run_until(1s, [&] { return world["a"].find("b-2").has_value(); }));
    world.network(0).heal();
    world.network(1).cut("b", "a");
    world.network(1).cut("a", "b");
    world.run(20s);
    EXPECT_EQ(host_as_seen("a", "b").transport, "wire");
    EXPECT_EQ(host_as_seen("a", "b").state, State::alive);
    EXPECT_THAT(world["a"].take(), Not(Contains("host_suspect b silence")));
}

// One of them listens: whoever is silent there is silent. Hosts that only the other one brings are nobody's to judge.
TEST_F(TwoNetworks, OrphansAreThoseWhomNoneBrings) {
    world.network(0).cut("b", "a");
    world.run(15s);
    take_all();
    world.network(1).stop_listening("a");
    world.run(4s);
    EXPECT_THAT(world["a"].take(), ElementsAre("orphaned b join")) << "c is heard over the other";
    world["c"].crash();
    world.run(6s);
    EXPECT_EQ(host_as_seen("a", "c").state, State::dead) << "no reason to wait";
    EXPECT_EQ(host_as_seen("a", "b").state, State::alive);
}

// It is heard by one and hears by the other: what it is asked for by the one is asked for again by the other.
TEST_F(TwoNetworks, WhoeverDoesNotHearWhereItIsHeardIsAskedElsewhere) {
    world.network(0).cut("a", "b");
    world.run(5s);
    world["a"].hear_only([](const Message& message) {
        const auto said = engine::decode_host_message(message.payload);
        return said && !(std::holds_alternative<engine::ListDelta>(*said) && message.destination.empty());  // what is said to everybody gets lost
    });
    world["b"].join("b-2");
    world.run(5s);
    EXPECT_TRUE(world["a"].find("b-2").has_value());
    EXPECT_EQ(world["a"].find("b-1")->state, State::alive);
}

TEST_F(TwoNetworks, NeitherListens) {
    world.network(0).stop_listening("a");
    world.run(9s);
    EXPECT_THAT(world["a"].take(), Not(Contains("orphaned b join")));
    world.network(1).stop_listening("a");
    world.run(9s);
    EXPECT_THAT(world["a"].take(), UnorderedElementsAre("orphaned b join", "orphaned c join"));
}

}  // namespace
}  // namespace rollcall::test
