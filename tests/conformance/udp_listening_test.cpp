// Up to when a socket was listened to, while its receiver cannot go on.
#include <chrono>
#include <mutex>
#include <string>
#include <thread>

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "engine/hosts/datagram.hpp"
#include "engine/transports/address.hpp"
#include "engine/transports/udp.hpp"
#include "shm/descriptor.hpp"

namespace rollcall {
namespace {

using namespace std::chrono_literals;

template <class Condition>
bool eventually(Condition holds) {
    for (const auto deadline = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < deadline; std::this_thread::yield())
        if (holds()) return true;
    return false;
}

class UdpListening : public testing::Test {
protected:
    void SetUp() override {
        shard->bus().attach("", [this](const Message&, Instant) {
            const std::lock_guard wait(gate);
            ++heard;
        });
        transport->register_shard(shard);
    }
    void send(const std::string& bytes) { ASSERT_EQ(::sendto(socket.get(), bytes.data(), bytes.size(), 0, to.get(), to.size), static_cast<ssize_t>(bytes.size())); }
    bool listens() const {
        const Instant now = std::chrono::steady_clock::now();
        return transport->heard_until(now) == now;
    }

    const std::string datagram = encode_datagram(make_heartbeat("orders", "there", {0, std::string(250, 'x')})).value();
    const std::shared_ptr<Shard> shard = std::make_shared<Shard>("orders", "here");
    std::mutex gate;
    int heard = 0;
    const std::shared_ptr<UdpTransport> transport = UdpTransport::open({.bind = "127.0.0.1:0"}).value();  // ends before what its thread calls
    const Address to = resolve(parse_host_port(transport->address()).value(), AF_INET, true).front();
    const shm::Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST_F(UdpListening, StandsStillWhileTheReceiverIsHeld) {
    ASSERT_TRUE(eventually([&] { return listens(); }));
    std::unique_lock hold(gate);
    send(datagram);
    ASSERT_TRUE(eventually([&] { return !listens(); }));
    const Instant now = std::chrono::steady_clock::now(), until = transport->heard_until(now);
    EXPECT_LT(until, now);
    EXPECT_EQ(transport->heard_until(now + 1h), until) << "whatever the time";
    hold.unlock();
    EXPECT_TRUE(eventually([&] { return listens(); }));
    EXPECT_EQ(transport->statistics().dropped, 0u);
}

TEST_F(UdpListening, WhatTheKernelDropsWasNotListenedTo) {
    std::unique_lock hold(gate);
    for (int i = 0; transport->statistics().dropped == 0; ++i) {
        send(datagram);
        if (i == 200'000) GTEST_SKIP() << "this kernel does not say what it drops";
    }
    hold.unlock();
    const Instant asked = std::chrono::steady_clock::now();
    (void)transport->heard_until(asked);  // as a pass does
    ASSERT_TRUE(eventually([&] { return listens(); })) << "from then on nothing is lost";
    const std::lock_guard wait(gate);
    EXPECT_GT(heard, 1'000) << "what found room is handed over";
}

}  // namespace
}  // namespace rollcall
