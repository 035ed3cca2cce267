// Names that two have, with real engines: a node that two hosts claim, a cloned host, a node that moves, a reboot with yesterday's clock. tests/engine/hosts tells the same with moved time.
#include <list>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/free_port.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// A host in a folder of its own.
struct RealHost {
    std::string name, at = free_udp_address();
    TemporaryCluster cluster;
    std::list<Process> members;

    explicit RealHost(std::string host_name) : name(std::move(host_name)) {}
    // Its wall clock, and nothing else of it, a day back: as after a reboot with an empty battery.
    void start(const std::vector<std::string>& seeds, bool is_a_day_back = false) {
        std::vector<std::string> flags{"--heartbeat", "100ms", "--suspect", "1s", "--dead", "2s", "--evict", "4s", "--scan", "5ms", "--node", "engine-" + name, "--host", name, "--udp", at};
        for (const std::string& seed : seeds) flags.insert(flags.end(), {"--seed", seed});
        Environment environment;
        if (is_a_day_back) environment = {{"LD_PRELOAD", ROLLCALL_LIBFAKETIME}, {"FAKETIME", "-1d"}, {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
        cluster.start_engine(flags, environment);
    }
    void join(const std::string& node) {
        members.push_back(cluster.puppet());
        ASSERT_THAT(members.back().ask("join " + node + ";beating " + node), testing::StartsWith("ok"));
    }
    // The last one.
    void kill_member() {
        members.back().signal(SIGKILL);
        members.back().wait();
        members.pop_back();
    }
    // "b alive", nothing if it does not know it.
    std::string shows(const std::string& node) const {
        const auto peer = cluster.observe().find(node);
        return !peer ? "" : (peer->local ? "here" : peer->host) + " " + std::string(to_string(peer->state));
    }
    Incarnation life_of(const std::string& host) const {
        for (const Host& h : cluster.observe().hosts().value_or(std::vector<Host>{}))
            if (h.name == host) return h.incarnation;
        return Incarnation{};
    }
    bool comes_to_show(const std::string& node, const std::string& what) const {
        return eventually([&] { return shows(node) == what; });
    }
    std::string said_by(const std::vector<std::string>& words) const { return cluster.run(words).out; }
};

TEST(RealDisputes, OfANodeOnTwoHostsTheLaterIsShownAndBothKeepTheirs) {
    RealHost a("a"), b("b"), c("c");
    b.start({});
    b.join("worker");
    c.start({});
    c.join("worker");
    a.start({b.at, c.at});
    ASSERT_TRUE(a.comes_to_show("worker", "c alive")) << a.shows("worker");
    Watch on_b(b.cluster), on_c(c.cluster);
    on_b.until("duplicate", "worker");
    on_c.until("duplicate", "worker");
    EXPECT_EQ(b.shows("worker"), "here alive");
    EXPECT_EQ(c.shows("worker"), "here alive");
    EXPECT_THAT(b.said_by({"members"}), HasSubstr("'worker': another host speaks for it, too"));
    EXPECT_THAT(b.said_by({"why", "worker"}), HasSubstr("another host speaks for it, too"));
    c.kill_member();
    EXPECT_TRUE(a.comes_to_show("worker", "b alive")) << "who was hidden was not forgotten: " << a.shows("worker");
    EXPECT_EQ(b.shows("worker"), "here alive");
}

TEST(RealDisputes, OfAClonedHostTheFirstCountsAsLongAsItLives) {
    RealHost a("a"), b("b"), clone("b");
    a.start({b.at});
    b.start({a.at});
    b.join("worker");
    ASSERT_TRUE(a.comes_to_show("worker", "b alive"));
    clone.start({a.at});
    clone.join("stranger");
    Watch on_a(a.cluster);
    on_a.until("host_duplicate", "b");
    EXPECT_EQ(a.shows("worker"), "b alive");
    EXPECT_EQ(a.shows("stranger"), "");
    EXPECT_THAT(a.said_by({"hosts"}), HasSubstr("host 'b': there are two hosts of this name"));
    EXPECT_THAT(a.said_by({"hosts", "--json"}), HasSubstr(R"("duplicates":[{)"));
    b.cluster.kill_engine();
    EXPECT_TRUE(a.comes_to_show("stranger", "b alive")) << "its name is free";
    EXPECT_TRUE(eventually([&] { return a.shows("worker").find("alive") == std::string::npos; })) << a.shows("worker");
    EXPECT_THAT(a.said_by({"hosts"}), Not(HasSubstr("two hosts of this name")));
}

TEST(RealDisputes, ANodeThatMovesIsWhereItIsWhateverTheClockSaysThere) {
    RealHost a("a"), b("b"), c("c");
    a.start({b.at, c.at});
    b.start({a.at});
    c.start({a.at}, true);
    b.join("worker");
    ASSERT_TRUE(a.comes_to_show("worker", "b alive"));
    ASSERT_TRUE(c.comes_to_show("worker", "b alive"));
    const Incarnation before = a.cluster.find("worker").incarnation;
    b.kill_member();
    ASSERT_TRUE(a.comes_to_show("worker", "b dead"));
    c.join("worker");
    EXPECT_TRUE(a.comes_to_show("worker", "c alive")) << a.shows("worker");
    EXPECT_TRUE(b.comes_to_show("worker", "c alive")) << b.shows("worker");
    EXPECT_GT(a.cluster.find("worker").incarnation, before);
}

TEST(RealDisputes, ARebootWithTheClockADayBackIsANewLife) {
    RealHost a("a"), b("b"), b_again("b");
    a.start({b.at, b_again.at});
    b.start({a.at});
    b.join("worker");
    ASSERT_TRUE(a.comes_to_show("worker", "b alive"));
    const Incarnation before = a.cluster.find("worker").incarnation, host_before = a.life_of("b");
    b.cluster.kill_engine();
    b_again.start({a.at}, true);
    b_again.join("worker");
    EXPECT_TRUE(eventually([&] { return a.shows("worker") == "b alive" && a.cluster.find("worker").incarnation != before; })) << a.shows("worker");
    EXPECT_GT(a.life_of("b"), host_before);
    EXPECT_TRUE(eventually([&] { return a.cluster.find("worker").incarnation == b_again.cluster.find("worker").incarnation; })) << "all speak of the same life";
    b_again.kill_member();
    EXPECT_TRUE(a.comes_to_show("worker", "b dead"));
}

}  // namespace
}  // namespace rollcall::test
