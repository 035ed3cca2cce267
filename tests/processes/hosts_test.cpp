// Engines in processes of their own hear of each other's nodes over UDP on loopback.
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using testing::HasSubstr;

// A port of loopback that nobody had a moment ago.
std::string free_address() {
    const int probe = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool found = ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(probe);
    if (!found) throw std::runtime_error("no port of loopback is free");
    return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

std::vector<std::string> host(const std::string& node, const std::string& at, const std::string& seed) {
    return {"--heartbeat", "100ms", "--suspect", "1s", "--dead", "2s", "--evict", "60s", "--scan", "5ms", "--node", node, "--udp", at, "--seed", seed, "--endpoint", node + ":1"};
}

// The other engine's node joins, dies when its engine is killed, and lives again with the next one: a new life or the same, but alive.
TEST(Hosts, HearOfEachOthersNodesOverUdp) {
    const std::string at_a = free_address(), at_b = free_address();
    TemporaryCluster a, b;
    a.start_engine(host("a", at_a, at_b));
    b.start_engine(host("b", at_b, at_a));
    Watch on_a(a), on_b(b);
    on_a.until("joined", "b");
    on_b.until("joined", "a");
    EXPECT_EQ(a.find("b").endpoint, "b:1");

    b.kill_engine();
    on_a.until("suspect", "b");
    on_a.until("dead", "b");
    b.start_engine(host("b", at_b, at_a));
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
