// Engines in processes of their own tell each other of their members over UDP on loopback.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/free_port.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using testing::HasSubstr;

std::vector<std::string> host(const std::string& node, const std::string& at, const std::string& seed, const std::vector<std::string>& more = {}) {
    std::vector<std::string> flags{"--heartbeat", "100ms", "--suspect", "1s",     "--dead",     "2s", "--evict", "60s", "--scan",     "5ms",        "--node",
                                   node,          "--host", "host-" + node, "--udp", at, "--seed",  seed,  "--endpoint", node + ":1"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

// Two of them, and what the first one sees.
class TwoHosts : public testing::Test {
protected:
    void SetUp() override {
        a.start_engine(host("a", at_a, at_b));
        b.start_engine(host("b", at_b, at_a));
    }
    void restart_b() { b.start_engine(host("b", at_b, at_a)); }

    const std::string at_a = free_udp_address(), at_b = free_udp_address();
    TemporaryCluster a, b;
};

TEST_F(TwoHosts, KnowTheEndOfEachOthersProcesses) {
    Process puppet = b.puppet();
    ASSERT_THAT(puppet.ask("join worker tag.rack=7;beating worker"), testing::StartsWith("ok"));
    Watch on_a(a);
    EXPECT_THAT(on_a.until("joined", "worker").line, HasSubstr(R"("host":"host-b")"));
    const Peer peer = a.find("worker");
    EXPECT_EQ(peer.host, "host-b");
    EXPECT_FALSE(peer.local);
    EXPECT_EQ(peer.tags.find("rack")->second, "7");
    EXPECT_EQ(peer.incarnation, b.find("worker").incarnation);
    EXPECT_THAT(a.run({"why", "worker"}).out, HasSubstr("lives on host 'host-b'"));
    EXPECT_THAT(a.run({"members"}).out, HasSubstr("host-b"));

    puppet.signal(SIGKILL);
    puppet.wait();
    const SeenEvent dead = on_a.until("dead", "worker");
    EXPECT_EQ(dead.reason, "process_exit");
    EXPECT_EQ(dead.signal, 9u);
}

TEST_F(TwoHosts, JudgeEachOtherBySilenceAndNobodyElse) {
    Process puppet = b.puppet(), local = a.puppet();
    ASSERT_THAT(puppet.ask("join worker;beating worker"), testing::StartsWith("ok"));
    ASSERT_THAT(local.ask("join local;beating local"), testing::StartsWith("ok"));
    Watch on_a(a);
    const auto life = on_a.until("joined", "worker").incarnation;
    b.kill_engine();
    on_a.until("host_suspect", "host-b");
    EXPECT_EQ(on_a.until("suspect", "worker").reason, "host_silence");
    on_a.until("host_dead", "host-b");
    EXPECT_EQ(on_a.until("dead", "worker").reason, "host_silence");
    restart_b();
    on_a.until("host_recovered", "host-b");
    EXPECT_EQ(on_a.until("recovered", "worker").incarnation, life) << "the same life: its process never ended";
    EXPECT_EQ(on_a.story("local"), "joined:join");
}

TEST_F(TwoHosts, SayGoodbyeForAllWhenTheyAreToldTo) {
    Process puppet = b.puppet();
    ASSERT_THAT(puppet.ask("join worker;beating worker"), testing::StartsWith("ok"));
    Watch on_a(a);
    on_a.until("joined", "worker");
    EXPECT_EQ(b.run({"stop", "--leave"}).code, 0);
    EXPECT_EQ(on_a.until("left", "worker").reason, "operator");
    EXPECT_EQ(on_a.until("host_left", "host-b").reason, "goodbye");
    EXPECT_EQ(on_a.until("left", "b").reason, "goodbye");
    b.engine().wait();
    restart_b();
    on_a.until("host_joined", "host-b");
    on_a.until("joined", "b");
}

TEST_F(TwoHosts, AreShownByHosts) {
    Watch on_a(a);
    on_a.until("host_joined", "host-b");
    on_a.until("joined", "b");
    const std::string table = a.run({"hosts"}).out;
    for (const char* part : {"host-b", "alive", "udp"}) EXPECT_THAT(table, HasSubstr(part));
    EXPECT_THAT(table, HasSubstr(at_b));
    EXPECT_THAT(table, HasSubstr("this is host 'host-a'"));
    const std::string json = a.run({"hosts", "--json"}).out;
    for (const std::string& part : {std::string(R"("host":"host-b")"), std::string(R"("transport":"udp")"), "\"address\":\"" + at_b + "\"", std::string(R"("members":1)")}) EXPECT_THAT(json, HasSubstr(part));
    EXPECT_THAT(a.run({"dump"}).out, HasSubstr("host host-b"));
    EXPECT_THAT(a.run({"dump", "--verify"}).out, HasSubstr("every invariant holds"));
}

TEST(HostsDemo, GoesAsItMust) {
    TemporaryCluster cluster;
    const auto played = cluster.run({"demo", "--hosts", "3"});
    EXPECT_EQ(played.code, 0) << played.out << played.err;
    EXPECT_THAT(played.out, HasSubstr("each as expected"));
}

// The other engine's node joins, dies when its engine is killed, and lives again with the next one: a new life or the same, but alive.
TEST(Hosts, HearOfEachOthersNodesAlone) {
    const std::string at_a = free_udp_address(), at_b = free_udp_address();
    TemporaryCluster a, b;
    a.start_engine(host("a", at_a, at_b, {"--emit", "node"}));
    b.start_engine(host("b", at_b, at_a, {"--emit", "node"}));
    Watch on_a(a), on_b(b);
    on_a.until("joined", "b");
    on_b.until("joined", "a");
    EXPECT_EQ(a.find("b").endpoint, "b:1");

    b.kill_engine();
    on_a.until("suspect", "b");
    on_a.until("dead", "b");
    b.start_engine(host("b", at_b, at_a, {"--emit", "node"}));
    on_a.until("recovered", "b");
    EXPECT_EQ(a.find("b").state, State::alive);
}

TEST(Hosts, UdpThatOthersReachIsRefusedUnlessToldOtherwise) {
    TemporaryCluster cluster;
    const auto refused = cluster.run({"run", "--udp", "0.0.0.0:0"});
    EXPECT_NE(refused.code, 0);
    EXPECT_THAT(refused.err, HasSubstr("--insecure"));
    EXPECT_NE(cluster.run({"run", "--udp", "nonsense"}).code, 0);
    EXPECT_THAT(cluster.run({"run", "--seed", "127.0.0.1:1"}).err, HasSubstr("--udp"));
    EXPECT_THAT(cluster.run({"run", "--emit", "something"}).err, HasSubstr("node"));
}

}  // namespace
}  // namespace rollcall::test
