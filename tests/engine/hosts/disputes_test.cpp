// Who is who, when clocks, disks and names cannot be trusted: a reboot with an earlier clock, a clone, a node that moves, a node that two hosts claim.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/present.hpp"
#include "shm/verify.hpp"
#include "tests/support/host_world.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Not;

constexpr Duration day = 24h;

class Disputes : public testing::Test {
protected:
    void SetUp() override {
        for (const char* name : {"a", "b", "c"}) world.add(name);
        world.run(3s);
        take_all();
    }
    void TearDown() override {
        for (const auto& [name, host] : world.hosts()) {
            if (!host->is_up()) continue;
            EXPECT_THAT(shm::verify(host->core().roster(), Stamp{stamp_limit}).broken, testing::IsEmpty()) << name;
        }
    }
    void take_all() {
        for (const auto& [name, host] : world.hosts()) host->take();
    }
    // As `by` shows it: "b alive", nothing if it does not.
    std::string shown(const std::string& by, const std::string& node) {
        const auto peer = world[by].find(node);
        return !peer ? "" : (peer->local ? "here" : peer->host) + " " + std::string(to_string(peer->state));
    }
    Incarnation life(const std::string& by, const std::string& node) { return world[by].find(node).value_or(Peer{}).incarnation; }
    std::vector<Host> hosts_of(const std::string& by) { return snapshot_hosts(world[by].core().roster()).value(); }

    HostWorld world;
};

TEST_F(Disputes, ARebootWithTheClockADayBackIsANewLife) {
    world["b"].join("worker");
    world.run(1s);
    world["b"].lose_memory();
    world["b"].set_clock(-day);
    world["b"].start();
    world["b"].join("worker");  // before anybody could say what is known of it
    world["b"].join("other");
    world.run(10s);
    for (const char* by : {"a", "c"}) {
        EXPECT_EQ(shown(by, "worker"), "b alive") << by;
        EXPECT_EQ(shown(by, "other"), "b alive") << by;
        EXPECT_EQ(life(by, "worker"), life("b", "worker")) << "all speak of the same life";
    }
    EXPECT_GT(hosts_of("a")[0].incarnation.value, 0u);
    world["b"].exit("worker");
    world.run(1s);
    EXPECT_EQ(shown("a", "worker"), "b dead");
    world["b"].join("worker");
    world.run(1s);
    EXPECT_EQ(shown("a", "worker"), "b alive");
    EXPECT_EQ(life("a", "worker"), life("b", "worker"));
}

// Each time somebody else tells it what is known of it, and neither knows what the other one told. (Found by a simulated story: both lives had one number, and what was known of the
// members of the first was held against those of the second.)
TEST_F(Disputes, TwoRebootsWithOneClockAreTwoLives) {
    const auto reboot = [&](const char* out_of_reach) {
        world["b"].lose_memory();
        world["b"].set_clock(-day);
        for (std::size_t i = 0; i < world.networks(); ++i) world.network(i).heal();
        world.cut("b", out_of_reach);
        world["b"].start();
        world["b"].join("worker");
        world.run(2s);
    };
    reboot("c");
    const Incarnation one = hosts_of("a")[0].incarnation;
    reboot("a");
    EXPECT_NE(hosts_of("c")[1].incarnation, one);
    for (std::size_t i = 0; i < world.networks(); ++i) world.network(i).heal();
    world.run(20s);
    for (const char* by : {"a", "c"}) {
        EXPECT_EQ(shown(by, "worker"), "b alive") << by;
        EXPECT_EQ(life(by, "worker"), life("b", "worker")) << by;
    }
}

// The first of a name stays as long as it answers; then the other one has it.
TEST_F(Disputes, OfACloneNothingIsShownWhileTheFirstLives) {
    world["b"].join("worker");
    world.run(1s);
    take_all();
    world.add_as("clone", "b").join("stranger");
    world.run(20s);
    EXPECT_EQ(shown("a", "worker"), "b alive");
    EXPECT_EQ(shown("a", "stranger"), "");
    const auto told = world["a"].take();
    EXPECT_THAT(told, Contains("host_duplicate b join"));
    EXPECT_THAT(told, Not(Contains("host_joined b join"))) << "and they do not take turns";
    EXPECT_GT(world["b"].link().counters().namesakes, 10u) << "the first one knows";
    EXPECT_EQ(world["clone"].link().counters().namesakes, 0u);
    world["b"].crash();
    world.run(20s);
    EXPECT_EQ(shown("a", "stranger"), "b alive");
    EXPECT_NE(shown("a", "worker"), "b alive");
}

TEST_F(Disputes, ANodeThatMovesIsWhereItIs) {
    world["b"].join("worker");
    world.run(1s);
    const Incarnation before = life("a", "worker");
    world["c"].set_clock(-day);
    world["b"].exit("worker");
    world.run(1s);
    world["c"].join("worker");
    world.run(3s);
    EXPECT_EQ(shown("a", "worker"), "c alive");
    EXPECT_EQ(shown("b", "worker"), "c alive") << "the dead yield to the living";
    EXPECT_GT(life("a", "worker"), before) << "whatever its clock says";
    world["c"].leave("worker");
    world.run(1s);
    world["b"].join("worker");
    world.run(3s);
    EXPECT_EQ(shown("a", "worker"), "b alive");
    EXPECT_EQ(shown("c", "worker"), "b alive");
}

class OneNodeTwoHosts : public Disputes {
protected:
    void SetUp() override {
        Disputes::SetUp();
        claim();
    }
    void claim();
};

void OneNodeTwoHosts::claim() {
    world.cut("b", "c");
    world["b"].join("worker");
    world.run(100ms);
    world["c"].join("worker");
    world.run(5s);
    for (std::size_t i = 0; i < world.networks(); ++i) world.network(i).heal();
    world.run(10s);
}

TEST_F(OneNodeTwoHosts, TheLaterIsShownAndBothKeepTheirs) {
    EXPECT_EQ(shown("a", "worker"), "c alive") << "the later life";
    EXPECT_EQ(shown("b", "worker"), "here alive") << "nobody gives up his own";
    EXPECT_EQ(shown("c", "worker"), "here alive");
    EXPECT_THAT(world["b"].take(), Contains("duplicate worker join"));
    EXPECT_THAT(world["c"].take(), Contains("duplicate worker join"));
    world.run(30s);
    for (const char* by : {"b", "c"}) EXPECT_THAT(world[by].take(), Not(Contains("duplicate worker join"))) << "told once";
}

TEST_F(OneNodeTwoHosts, TheEndOfWhoIsNotShownIsNothingToWhoeverIs) {
    take_all();
    world["b"].exit("worker");
    world.run(3s);
    EXPECT_EQ(shown("a", "worker"), "c alive");
    EXPECT_THAT(world["a"].take(), Not(Contains("dead worker process_exit")));
    EXPECT_EQ(shown("b", "worker"), "c alive") << "whose place is free now";
}

TEST_F(OneNodeTwoHosts, WhoWasNotShownWasNotForgotten) {
    world["c"].leave("worker");
    world.run(20s);
    EXPECT_EQ(shown("a", "worker"), "b alive");
    EXPECT_EQ(shown("c", "worker"), "b alive");
}

}  // namespace
}  // namespace rollcall::test
