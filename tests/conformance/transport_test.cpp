// What every transport keeps. A new one is a line in the list at the end.
#include "engine/hosts/transport.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/transports/combined.hpp"
#include "engine/transports/in_process.hpp"
#include "engine/transports/udp.hpp"
#ifdef ROLLCALL_HAS_NATS
#include "engine/transports/nats.hpp"
#include "tests/support/nats_server.hpp"
#endif

namespace rollcall {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Two hosts that can speak to each other.
struct Pair {
    std::shared_ptr<Transport> here, there;
    std::shared_ptr<void> network;
};
struct Maker {
    const char* name;
    Pair (*make)();
};

class TransportContract : public testing::TestWithParam<Maker> {
protected:
    struct Host {
        std::mutex mutex;
        std::vector<Message> heard;
        std::shared_ptr<Shard> shard;
        std::shared_ptr<Transport> transport;  // ends first: its thread fills what was heard

        void listen(std::shared_ptr<Transport> over, const std::string& node) {
            transport = std::move(over);
            shard = std::make_shared<Shard>("orders", node);
            shard->bus().attach("", [this](const Message& message, Instant) {
                const std::lock_guard lock(mutex);
                heard.push_back(message);
            });
            transport->register_shard(shard);
        }
        std::size_t count() {
            const std::lock_guard lock(mutex);
            return heard.size();
        }
    };
    void SetUp() override {
        Pair pair = GetParam().make();
        network_ = pair.network;
        here.listen(pair.here, "here");
        there.listen(pair.there, "there");
        here.transport->flush();
        there.transport->flush();
    }
    // A network takes its time; nothing is asserted about how long.
    static bool eventually(const std::function<bool()>& holds) {
        for (const auto deadline = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < deadline; std::this_thread::yield())
            if (holds()) return true;
        return false;
    }
    // Everything that was sent before it has arrived, or will never.
    void pass_marker() {
        ASSERT_TRUE(here.transport->publish(make_heartbeat("orders", "marker", {})));
        ASSERT_TRUE(eventually([&] {
            const std::lock_guard lock(there.mutex);
            return std::erase_if(there.heard, [](const Message& m) { return m.origin == "marker"; }) != 0;
        }));
    }

    std::shared_ptr<void> network_;
    Host here, there;
};

TEST_P(TransportContract, CarriesAMessageAsItIs) {
    const Message sent = make_heartbeat("orders", "here", {1234567, "10.0.0.1:7000"});
    ASSERT_TRUE(here.transport->publish(sent));
    ASSERT_TRUE(eventually([&] { return there.count() == 1; }));
    {
        const std::lock_guard lock(there.mutex);
        EXPECT_EQ(there.heard[0], sent);
    }
    EXPECT_EQ(here.count(), 0u) << "nobody hears himself";
}

// At least up to when it said something itself: a broker tells no more than that.
TEST_P(TransportContract, SaysUpToWhenItHasListened) {
    const Instant before = std::chrono::steady_clock::now();
    ASSERT_TRUE(there.transport->publish(make_heartbeat("orders", "there", {})));
    ASSERT_TRUE(eventually([&] { return there.transport->heard_until(std::chrono::steady_clock::now()) >= before; }));
    EXPECT_LE(there.transport->heard_until(before), before) << "never later than it was asked";
    for (const Transport* part : there.transport->parts()) EXPECT_FALSE(part->name().empty());
}

TEST_P(TransportContract, GoesBothWays) {
    ASSERT_TRUE(here.transport->publish(make_heartbeat("orders", "here", {})));
    ASSERT_TRUE(there.transport->publish(make_heartbeat("orders", "there", {})));
    EXPECT_TRUE(eventually([&] { return here.count() == 1 && there.count() == 1; }));
}

TEST_P(TransportContract, AnotherClustersMessagesAreNobodys) {
    ASSERT_TRUE(here.transport->publish(make_heartbeat("others", "here", {})));
    pass_marker();
    EXPECT_EQ(there.count(), 0u);
}

TEST_P(TransportContract, OtherPathsAreHeardByWhoAskedForThem) {
    Message news = make_heartbeat("orders", "here", {});
    news.path = "news.today";
    news.content_type = "text/plain";
    news.id = 7;
    ASSERT_TRUE(here.transport->publish(news));
    pass_marker();
    EXPECT_EQ(there.count(), 0u);
    there.transport->subscribe("news.");
    there.transport->flush();
    ASSERT_TRUE(here.transport->publish(news));
    ASSERT_TRUE(eventually([&] { return there.count() == 1; }));
    const std::lock_guard lock(there.mutex);
    EXPECT_EQ(there.heard[0], news);
}

TEST_P(TransportContract, WhoIsNotRegisteredHearsNothing) {
    there.transport->unregister_shard(*there.shard);
    there.transport->unregister_shard(*there.shard);
    ASSERT_TRUE(here.transport->publish(make_heartbeat("orders", "here", {})));
    there.transport->register_shard(there.shard);
    there.transport->register_shard(there.shard);
    there.transport->flush();
    pass_marker();
    EXPECT_LE(there.count(), 1u) << "what was under way may come, and nothing comes twice for having registered twice";
}

TEST_P(TransportContract, RefusesWhatIsNoMessageAndSendsNothing) {
    const auto refuses = [&](auto change, const char* why) {
        Message message = make_heartbeat("orders", "here", {});
        change(message);
        const auto published = here.transport->publish(message);
        ASSERT_FALSE(published) << why;
        EXPECT_EQ(published.error().kind, ErrorKind::invalid);
        EXPECT_THAT(published.error().message, HasSubstr(why));
    };
    refuses([](Message& m) { m.cluster = "a b"; }, "cluster");
    refuses([](Message& m) { m.origin.clear(); }, "node");
    refuses([](Message& m) { m.path.clear(); }, "path");
    refuses([&](Message& m) { m.payload.assign(here.transport->max_message() + 1, 'x'); }, "payload");
    EXPECT_EQ(here.transport->statistics().published, 0u);
}

TEST_P(TransportContract, CarriesItsLongestMessage) {
    Message message = make_heartbeat("orders", "here", {});
    message.payload.assign(here.transport->max_message(), '\xff');
    ASSERT_TRUE(here.transport->publish(message));
    ASSERT_TRUE(eventually([&] { return there.count() == 1; }));
    const std::lock_guard lock(there.mutex);
    EXPECT_EQ(there.heard[0].payload, message.payload);
}

TEST_P(TransportContract, CountsWhatItDoes) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(here.transport->publish(make_heartbeat("orders", "here", {})));
    Message stray = make_heartbeat("others", "here", {});
    stray.path = membership_path_of("orders", "here");  // what counts is not the path
    ASSERT_TRUE(here.transport->publish(stray));
    here.transport->flush();
    EXPECT_EQ(here.transport->statistics().published, 4u);
    TransportStatistics counted;
    ASSERT_TRUE(eventually([&] {
        counted = there.transport->statistics();
        return counted.delivered + counted.foreign >= 4;
    }));
    EXPECT_EQ(counted.delivered, 3u);
    EXPECT_EQ(counted.foreign, 1u);
    EXPECT_EQ(counted.refused, 0u);
}

TEST_P(TransportContract, KnowsWhomItSpeaksTo) {
    ASSERT_TRUE(there.transport->publish(make_heartbeat("orders", "there", {})));
    EXPECT_TRUE(eventually([&] { return !here.transport->peers().empty(); }));
    EXPECT_FALSE(here.transport->name().empty());
}

Pair in_process() {
    const auto network = InProcessNetwork::make();
    return {network->add_host("here"), network->add_host("there"), network};
}

Pair udp(const char* address, std::shared_ptr<KeyRing> keys = nullptr) {
    auto here = UdpTransport::open({.bind = address, .keys = keys}).value(), there = UdpTransport::open({.bind = address, .keys = keys}).value();
    EXPECT_TRUE(here->add_seed(there->address()));
    EXPECT_TRUE(here->add_seed(here->address())) << "oneself is nobody to speak to";
    EXPECT_TRUE(there->add_seed(here->address()));
    return {here, there, nullptr};
}

// The second part reaches nobody: what is carried twice is the neighbourhood's to sort out.
Pair combined() {
    const auto with_udp = [](std::shared_ptr<Transport> transport) { return CombinedTransport::make({std::move(transport), UdpTransport::open({}).value()}).value(); };
    const Pair pair = in_process();
    return {with_udp(pair.here), with_udp(pair.there), pair.network};
}

TEST(CombinedTransport, IsMadeOfOneOfEach) {
    const auto network = InProcessNetwork::make();
    EXPECT_FALSE(CombinedTransport::make({}));
    const auto twice = CombinedTransport::make({network->add_host("a"), network->add_host("b")});
    ASSERT_FALSE(twice);
    EXPECT_THAT(twice.error().message, HasSubstr("two transports are called 'in-process'"));
    const auto both = CombinedTransport::make({network->add_host("a"), UdpTransport::open({}).value(), UdpTransport::open({.bind = "[::1]:0"}).value()}).value();
    EXPECT_EQ(both->name(), "in-process+udp+udp6");
    Message message = make_heartbeat("orders", "here", {});
    message.via = "nats:elsewhere";
    const auto published = both->publish(message);
    ASSERT_FALSE(published);
    EXPECT_THAT(published.error().message, HasSubstr("'nats:elsewhere' is no address of in-process+udp+udp6"));
    message.via = "udp:127.0.0.1:9";
    EXPECT_TRUE(both->publish(message));
    EXPECT_EQ(both->statistics().published, 1u) << "by that one alone";
}

// Neither knows the other's address. A port of their own, so that tests beside this one speak among themselves.
Pair multicast(const char* address, const std::string& group) {
    const std::string at = group + ":" + std::to_string(20'000 + ::getpid() % 20'000);
    return {UdpTransport::open({.bind = address, .multicast = at}).value(), UdpTransport::open({.bind = address, .multicast = at}).value(), nullptr};
}

#ifdef ROLLCALL_HAS_NATS
Pair nats() {
    const auto server = std::make_shared<test::NatsServer>();
    const auto keys = std::make_shared<KeyRing>(std::vector<Key>{make_key(1)});
    return {NatsTransport::open({.urls = {server->url()}, .keys = keys}).value(), NatsTransport::open({.urls = {server->url()}, .keys = keys}).value(), server};
}
INSTANTIATE_TEST_SUITE_P(Nats, TransportContract, testing::Values(Maker{"Nats", nats}), [](const auto& tested) { return std::string(tested.param.name); });
#endif

INSTANTIATE_TEST_SUITE_P(All, TransportContract,
                         testing::Values(Maker{"InProcess", in_process}, Maker{"Combined", combined}, Maker{"Udp4", [] { return udp("127.0.0.1:0"); }}, Maker{"UdpWithKeys", [] { return udp("127.0.0.1:0", std::make_shared<KeyRing>(std::vector<Key>{make_key(7)})); }},
                                         Maker{"Udp6", [] { return udp("[::1]:0"); }},
                                         Maker{"Multicast", [] { return multicast("127.0.0.1:0", "239.255.79.46"); }}), [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace rollcall
