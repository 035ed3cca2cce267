// Hosts that tell each other of their members: real engines, moved time, a network that loses what it is told to.
#include "tests/support/host_world.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shm/verify.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class Hosts : public testing::Test {
protected:
    void SetUp() override {
        for (const char* name : {"a", "b", "c"}) world.add(name);
        for (const char* name : {"a", "b", "c"}) world[name].join(std::string(name) + "-1");
        world.run(3s);
        for (const char* name : {"a", "b", "c"}) world[name].take();
    }
    bool knows(const std::string& host, const std::string& node, State state) {
        const auto peer = world[host].find(node);
        return peer && peer->state == state;
    }
    bool is_whole() {
        for (const auto& [name, host] : world.hosts())
            for (const auto& [other, at] : world.hosts())
                if (!knows(name, other + "-1", State::alive)) return false;
        return true;
    }
    void expect_sound() {
        for (const auto& [name, host] : world.hosts()) {
            if (!host->is_up()) continue;
            EXPECT_THAT(shm::verify(host->core().roster(), Stamp{stamp_limit}).broken, IsEmpty()) << name;
        }
    }
    void TearDown() override { expect_sound(); }

    HostWorld world;
};

TEST_F(Hosts, KnowEachOthersMembers) {
    EXPECT_TRUE(is_whole());
    EXPECT_EQ(world["a"].find("b-1")->host, "b");
    EXPECT_EQ(world["a"].find("node-b")->host, "b") << "an engine's own node is a member of its host's list";
    EXPECT_EQ(world["a"].peers().size(), 5u) << "its own node is not among its peers";
    const auto hosts = world["a"].link().hosts();
    ASSERT_EQ(hosts.size(), 2u);
    EXPECT_TRUE(hosts[0].is_verified && hosts[0].agrees && hosts[1].agrees);
    EXPECT_EQ(hosts[0].host, "b");
    EXPECT_EQ(hosts[0].members, 2u);
    world.run(60s);
    for (const char* name : {"a", "b", "c"}) EXPECT_THAT(world[name].take(), IsEmpty()) << "nothing happens, and nothing is said to have happened";
}

TEST_F(Hosts, AProofIsKnownElsewhereAtOnce) {
    world["a"].exit("a-1");
    world.run(50ms);
    for (const char* name : {"b", "c"}) EXPECT_THAT(world[name].take(), ElementsAre("dead a-1 process_exit"));
    EXPECT_EQ(world["b"].find("a-1")->evidence.status, (ExitStatus{true, 9}));
    world.run(12s);
    EXPECT_THAT(world["b"].take(), ElementsAre("evicted a-1 process_exit"));
}

TEST_F(Hosts, GoodbyesJoinsAndSilencesAreKnownElsewhere) {
    world["a"].join("a-2");
    world.run(50ms);
    EXPECT_THAT(world["b"].take(), ElementsAre("joined a-2 join"));
    world["a"].leave("a-2");
    world.run(50ms);
    EXPECT_THAT(world["b"].take(), ElementsAre("left a-2 goodbye"));
    world["a"].silence("a-1", true);
    world.run(6s);
    EXPECT_THAT(world["b"].take(), ElementsAre("suspect a-1 host_said", "dead a-1 host_said"));
    world["a"].silence("a-1", false);
    world.run(600ms);
    EXPECT_THAT(world["b"].take(), ElementsAre("recovered a-1 heartbeat"));
}

TEST_F(Hosts, AMemberThatLeavesAndOneInItsPlaceAtTheSameMomentAreTold) {
    world["a"].leave("a-1");
    world.run(5ms);
    for (int i = 0; i < 20; ++i) {
        world["a"].join("x");
        world["a"].leave("x");
    }
    world["a"].join("y");
    world.run(100ms);
    EXPECT_THAT(world["b"].take(), ElementsAre("left a-1 goodbye", "joined y join"));
}

TEST_F(Hosts, ACrashedEnginesMembersAreJudgedAndComeBackWithIt) {
    const Incarnation life = world["b"].find("a-1")->incarnation;
    world["a"].crash();
    world.run(7s);
    for (const char* name : {"b", "c"})
        EXPECT_THAT(world[name].take(), ElementsAre("host_suspect a silence", "suspect node-a host_silence", "suspect a-1 host_silence", "host_dead a silence", "dead node-a host_silence", "dead a-1 host_silence"));
    world["a"].start();
    world.run(2s);
    for (const char* name : {"b", "c"})
        EXPECT_THAT(world[name].take(), UnorderedElementsAre("host_recovered a heartbeat", "recovered node-a heartbeat", "recovered a-1 heartbeat"));
    EXPECT_EQ(world["b"].find("a-1")->incarnation, life);
}

TEST_F(Hosts, ALinkThatWasDownIsWholeAgainByItself) {
    world.cut("a", "b");
    world.cut("a", "c");
    world.run(30s);
    EXPECT_THAT(world["a"].take(), Contains("host_evicted b silence"));
    EXPECT_THAT(world["b"].take(), Contains("host_evicted a silence"));
    EXPECT_EQ(world["a"].peers().size(), 1u);
    EXPECT_EQ(world["b"].peers().size(), 3u) << "those who still hear each other";
    world.network().heal();
    EXPECT_TRUE(world.run_until(10s, [&] { return is_whole(); }));
}

TEST_F(Hosts, WhoeverIsHeardInOneDirectionOnlyIsToldSo) {
    world.network().cut("a", "b");
    world.run(60s);
    EXPECT_THAT(world["a"].take(), ElementsAre("one_way b join")) << "once: a hears b as before";
    EXPECT_THAT(world["b"].take(), IsEmpty()) << "c vouches for a";
    world["c"].crash();
    world.run(60s);
    EXPECT_THAT(world["b"].take(), AllOf(Contains("host_dead a silence"), Contains("host_evicted a silence"), Not(Contains("host_recovered a heartbeat"))));
}

TEST_F(Hosts, ANewLifeOfAHostEndsTheOldOnesMembers) {
    world["a"].lose_memory();
    world["a"].start();
    world["a"].join("a-2");
    world.run(2s);
    EXPECT_THAT(world["b"].take(), UnorderedElementsAre("host_dead a replaced", "host_joined a join", "dead node-a replaced", "joined node-a registered", "joined a-2 join", "dead a-1 host_restarted"));
}

TEST_F(Hosts, AFrozenEngineSeesNobodyDieWhileItWasAsleep) {
    world["a"].freeze(true);
    world.run(20s);
    world["a"].freeze(false);
    world.run(5s);
    for (const std::string& line : world["a"].take()) EXPECT_THAT(line, testing::AnyOf("paused", testing::StartsWith("host_joined"), testing::StartsWith("joined")));
}

TEST_F(Hosts, ADeltaThatIsLostIsAskedForAndOneThatIsNotIsNot) {
    world.network().cut("a", "b");
    world["a"].join("a-2");
    world.run(50ms);
    world.network().heal();
    world.run(2s);
    EXPECT_THAT(world["b"].take(), Contains("joined a-2 join"));
}

TEST_F(Hosts, WhoseEndIsNotHeardOfDoesNotLiveOnWithItsHost) {
    world["b"].hear_only([](const Message& message) {
        const auto read = engine::decode_host_message(message.payload);
        return !read || !(std::holds_alternative<engine::ListDelta>(*read) || std::holds_alternative<engine::ListPage>(*read));
    });
    world["a"].leave("a-1");
    world.run(7s);
    EXPECT_THAT(world["b"].take(), ElementsAre("suspect node-a host_silence", "suspect a-1 host_silence", "dead node-a host_silence", "dead a-1 host_silence")) << "the host lives: its beats are heard";
    world["b"].hear_only(nullptr);
    world.run(2s);
    EXPECT_THAT(world["b"].take(), UnorderedElementsAre("left a-1 goodbye", "recovered node-a heartbeat"));
}

TEST_F(Hosts, LossDelayDuplicationAndReorderingKillNobody) {
    world.network().set_conditions({0.3, 0.1, 0ms, 200ms});
    for (int i = 0; i < 20; ++i) {
        world["a"].join("n" + std::to_string(i));
        world.run(3s);
        if (i >= 3) world["a"].leave("n" + std::to_string(i - 3));
    }
    world.run(5s);
    for (const char* name : {"a", "b", "c"})
        for (const std::string& line : world[name].take()) EXPECT_THAT(line, testing::AnyOf(testing::StartsWith("joined n"), testing::StartsWith("left n"), testing::StartsWith("suspect"), testing::StartsWith("recovered"))) << name;
    for (int i = 17; i < 20; ++i) EXPECT_TRUE(knows("c", "n" + std::to_string(i), State::alive)) << i;
    EXPECT_FALSE(world["c"].find("n16"));
}

}  // namespace
}  // namespace rollcall::test
