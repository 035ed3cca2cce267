// What comes over UDP and is no message: counted by its kind, named once, delivered to nobody.
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/datagram.hpp"
#include "engine/transports/address.hpp"
#include "engine/transports/udp.hpp"
#include "shm/descriptor.hpp"

namespace rollcall {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

TEST(UdpRefusals, AreCountedByKindAndNamedOnce) {
    std::mutex mutex;
    std::vector<std::string> log;
    std::atomic<std::size_t> heard{0};
    const auto shard = std::make_shared<Shard>("orders", "here");
    shard->bus().attach("", [&](const Message&, Instant) { ++heard; });
    const auto transport = UdpTransport::open({.bind = "127.0.0.1:0",
                                               .log =
                                                   [&](const std::string& line) {
                                                       const std::lock_guard lock(mutex);
                                                       log.push_back(line);
                                                   }})
                               .value();
    transport->register_shard(shard);
    const auto to = resolve(parse_host_port(transport->address()).value(), AF_INET, true).front();
    const shm::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto send = [&](const std::string& bytes) { ASSERT_EQ(::sendto(socket.get(), bytes.data(), bytes.size(), 0, to.get(), to.size), static_cast<ssize_t>(bytes.size())); };

    const std::string good = encode_datagram(make_heartbeat("orders", "there", {})).value();
    std::string newer = good, unknown_kind = good;
    newer[2] = 9;
    unknown_kind[3] = 77;
    for (int round = 0; round < 2; ++round) {
        send(good.substr(0, 10));
        send(good + std::string(max_datagram, 'x'));
        send(newer);
        send(unknown_kind);
        send("GET / HTTP/1.1\r\n\r\n");
        send(encode_datagram(make_heartbeat("others", "there", {})).value());
    }
    send(good);
    for (const auto deadline = std::chrono::steady_clock::now() + 10s; transport->statistics().received < 13 && std::chrono::steady_clock::now() < deadline;) std::this_thread::yield();

    const TransportStatistics counted = transport->statistics();
    EXPECT_EQ(counted.received, 13u);
    EXPECT_EQ(counted.truncated, 2u);
    EXPECT_EQ(counted.oversized, 2u);
    EXPECT_EQ(counted.unknown_version, 4u);
    EXPECT_EQ(counted.garbage, 2u);
    EXPECT_EQ(counted.refused, 10u);
    EXPECT_EQ(counted.foreign, 2u) << "another cluster's";
    EXPECT_EQ(counted.delivered, 1u);
    EXPECT_EQ(heard.load(), 1u);
    const std::lock_guard lock(mutex);
    std::erase_if(log, [](const std::string& line) { return line.find("refused") == std::string::npos; });
    EXPECT_THAT(log, SizeIs(4));
    EXPECT_THAT(log, testing::Contains(HasSubstr("an unknown version")));
    EXPECT_THAT(log, testing::Contains(HasSubstr("longer than a datagram may be")));
}

// What is signed by nobody, by a stranger, for another cluster, or by us.
TEST(UdpRefusals, WithKeysOnlyWhatIsSignedIsBelieved) {
    std::mutex mutex;
    std::vector<std::string> log;
    std::atomic<std::size_t> heard{0};
    const auto shard = std::make_shared<Shard>("orders", "here");
    shard->bus().attach("", [&](const Message&, Instant) { ++heard; });
    const auto keys = std::make_shared<KeyRing>(std::vector<Key>{make_key(1)});
    const KeyRing wrong({make_key(1)}), unknown({make_key(2)});
    const auto transport = UdpTransport::open({.bind = "127.0.0.1:0",
                                               .keys = keys,
                                               .log =
                                                   [&](const std::string& line) {
                                                       const std::lock_guard lock(mutex);
                                                       log.push_back(line);
                                                   }})
                               .value();
    transport->register_shard(shard);
    const auto to = resolve(parse_host_port(transport->address()).value(), AF_INET, true).front();
    const shm::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto send = [&](const Message& message, const KeyRing* ring) {
        const std::string bytes = encode_datagram(message, ring).value();
        ASSERT_EQ(::sendto(socket.get(), bytes.data(), bytes.size(), 0, to.get(), to.size), static_cast<ssize_t>(bytes.size()));
    };
    const Message message = make_heartbeat("orders", "there", {});
    send(message, nullptr);
    send(message, &wrong);
    send(message, &unknown);
    send(make_heartbeat("others", "there", {}), keys.get());  // who has the key in another cluster has it here
    send(make_heartbeat("orders", "here", {}), keys.get());   // our own, thrown back
    send(message, keys.get());
    for (const auto deadline = std::chrono::steady_clock::now() + 10s; transport->statistics().received < 6 && std::chrono::steady_clock::now() < deadline;) std::this_thread::yield();
    const TransportStatistics counted = transport->statistics();
    EXPECT_EQ(counted.unauthentic, 3u);
    EXPECT_EQ(counted.refused, 3u);
    EXPECT_EQ(counted.foreign, 2u);
    EXPECT_EQ(counted.delivered, 1u);
    EXPECT_EQ(heard.load(), 1u);
    const std::lock_guard lock(mutex);
    std::erase_if(log, [](const std::string& line) { return line.find("refused") == std::string::npos; });
    EXPECT_THAT(log, testing::ElementsAre(HasSubstr("not signed, and this host has keys")));
}

}  // namespace
}  // namespace rollcall
