// Two engines in one process, over a network in the same process: heartbeats flow both ways by themselves, one stops, the other follows; and
// so do its registry and its replica, never later than the event.
#include <future>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/member.hpp"
#include "engine/hosts/shard.hpp"
#include "engine/transports/in_process.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Network and engines share one clock, moved by hand.
class TwoNodes : public testing::Test {
protected:
    struct Node {
        std::shared_ptr<Shard> shard;
        std::shared_ptr<InProcessTransport> transport;
        std::unique_ptr<Engine> engine;
        std::vector<std::string> heard;  // "kind node, in registry, in replica, alive there"
    };

    EngineOptions options(const std::string& name, const Settings& settings = {}) {
        EngineOptions o{.cluster = "orders", .node = name};
        o.settings = settings;
        o.capacity = 64;
        o.ring = 1024;
        o.endpoint = name + ":7000";
        o.emit_node = true;
        o.clock = [this] { return now; };
        o.wall_clock = [] { return wall_origin_us; };
        return o;
    }
    void make(Node& node, const std::string& name) {
        node.shard = std::make_shared<Shard>("orders", name);
        node.transport = network->add_host(name);
        node.engine = std::make_unique<Engine>(options(name));
        ASSERT_TRUE(node.engine->set_transport(node.transport));
        ASSERT_TRUE(node.engine->set_shard(node.shard));
        node.engine->add_callback([&node](const Event& e) {
            const std::string peer(e.node());
            const auto replicated = node.shard->replica().find(peer);
            node.heard.push_back(line_of(e) + (node.shard->registry()->has_peer(peer) ? ", known" : ", unknown") + (!replicated ? "" : replicated->alive ? ", alive" : ", not alive"));
        });
        ASSERT_TRUE(node.engine->open());
    }
    void SetUp() override {
        make(a, "a");
        make(b, "b");
    }
    void run(Duration d) {
        for (const Instant end = now + d; now < end;) {
            now += 10ms;
            network->deliver_until(now);
            for (Node* node : {&a, &b}) {
                node->engine->step(now);
                node->engine->dispatch();
            }
        }
    }

    Instant now = origin;
    std::shared_ptr<InProcessNetwork> network = InProcessNetwork::make();
    Node a, b;
};

TEST_F(TwoNodes, HearEachOtherByThemselvesAndFollowADeath) {
    run(3s);
    ASSERT_TRUE(a.engine->find("b"));
    ASSERT_TRUE(b.engine->find("a"));
    EXPECT_EQ(a.engine->find("b")->endpoint, "b:7000");
    EXPECT_EQ(a.shard->registry()->find("b")->endpoint, "b:7000");
    EXPECT_TRUE(a.shard->replica().find("b")->alive);
    EXPECT_GE(a.engine->counters().heartbeats_sent, 3u);
    EXPECT_EQ(a.engine->counters().heartbeats_received, b.engine->counters().heartbeats_sent);
    EXPECT_THAT(a.heard, ElementsAre("joined b heartbeat, known, alive"));
    a.heard.clear();

    b.engine->stop();
    run(12s);
    EXPECT_THAT(a.heard, ElementsAre("suspect b silence, known, alive", "dead b silence, known, not alive", "evicted b silence, unknown"));
    EXPECT_FALSE(a.shard->registry()->has_peer("b"));
    EXPECT_FALSE(a.shard->replica().has_peer("b"));
    EXPECT_TRUE(b.shard->registry()->has_peer("a")) << "the last that a stopped engine knew";
}

TEST_F(TwoNodes, ACutAndAHealedNetworkMakeASuspectAndItsReturn) {
    run(2s);
    a.heard.clear();
    b.heard.clear();
    network->cut("b", "a");
    run(3500ms);  // its last beat is at most a second older than the cut
    EXPECT_THAT(a.heard, ElementsAre("suspect b silence, known, alive"));
    EXPECT_THAT(b.heard, IsEmpty()) << "one way: b hears a as before";
    network->heal();
    run(1s);
    EXPECT_THAT(a.heard, testing::Contains("recovered b heartbeat, known, alive"));
}

TEST_F(TwoNodes, DelayDuplicationAndReorderingKillNobody) {
    network->set_conditions({0, 0.2, 0ms, 200ms});
    run(60s);
    for (const Node* node : {&a, &b})
        EXPECT_EQ(node->heard.size(), 1u) << "joined, and nothing since";
    EXPECT_TRUE(a.engine->find("b"));
}

TEST_F(TwoNodes, WhatAddsAPeerToTheRegistryAddsItToTheMembership) {
    ASSERT_TRUE(a.shard->registry()->add_peer({"c", "orders", "c:1", std::nullopt, {}}));
    run(10ms);
    ASSERT_TRUE(a.engine->find("c"));
    ASSERT_TRUE(a.shard->registry()->remove_peer("c"));
    run(10ms);
    EXPECT_FALSE(a.engine->find("c"));
    EXPECT_THAT(a.heard, ElementsAre("joined c registered, known, alive", testing::AnyOf("joined b heartbeat, known, alive", "left c goodbye, unknown"), testing::_));
}

TEST_F(TwoNodes, NonsenseAtTheShardIsNoPeer) {
    run(1s);
    b.engine->stop();
    const auto received = a.engine->counters().heartbeats_received;
    Message message = make_heartbeat("orders", "evil", {0, ""});
    message.payload = "?";
    EXPECT_EQ(a.transport->deliver(message, now), 1u);
    message = make_heartbeat("orders", "evil", {0, ""});
    message.content_type = "text/plain";
    a.shard->bus().deliver(message, now);
    message = make_heartbeat("others", "evil", {0, ""});
    EXPECT_EQ(a.transport->deliver(message, now), 0u) << "another cluster's";
    run(10ms);
    EXPECT_FALSE(a.engine->find("evil"));
    EXPECT_EQ(a.engine->counters().heartbeats_received, received);
}

TEST_F(TwoNodes, PartsAreSetBeforeTheEngineIsOpenAndInAnyOrder) {
    EXPECT_EQ(a.engine->set_shard(nullptr).error().kind, ErrorKind::invalid);
    Engine other(options("c"));
    const auto registry = std::make_shared<PeerRegistry>();
    ASSERT_TRUE(registry->add_peer({"d", "orders", "", std::nullopt, {}}));
    ASSERT_TRUE(other.set_peer_registry(registry));
    ASSERT_TRUE(other.set_shard(std::make_shared<Shard>("orders", "c")));
    ASSERT_TRUE(other.set_transport(network->add_host("c")));
    ASSERT_TRUE(other.open());
    other.step(now);
    EXPECT_TRUE(other.find("d")) << "what the registry held is handed over";
    EXPECT_TRUE(registry->has_peer("d"));
    other.stop();
    EXPECT_TRUE(other.set_transport(nullptr)) << "once it is closed, parts may change";
}

TEST_F(TwoNodes, AShardOfAnotherNodeIsRefused) {
    Engine other(options("c"));
    ASSERT_TRUE(other.set_shard(std::make_shared<Shard>("orders", "somebody")));
    const auto opened = other.open();
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("somebody"));
    ASSERT_TRUE(other.set_shard(nullptr));
    EXPECT_TRUE(other.open());
}

TEST(Emission, IsCountedAlsoWhereNothingCarriesIt) {
    Instant now = origin;
    EngineOptions options{.cluster = "orders", .node = "alone"};
    options.clock = [&now] { return now; };
    options.emit_node = true;
    Engine engine(options);
    ASSERT_TRUE(engine.open());
    for (int i = 0; i < 500; ++i) engine.step(now += 10ms);
    EXPECT_GE(engine.counters().heartbeats_sent, 5u) << "at least one a heartbeat of 1 s";
    EXPECT_LE(engine.counters().heartbeats_sent, 8u) << "and at most five in four";
}

// With threads and clocks of their own. Nothing is waited for but the events.
TEST(Emission, ThreadsOfRealEnginesHearEachOther) {
    const auto network = InProcessNetwork::make();
    const auto make = [&](const std::string& name) {
        EngineOptions options{.cluster = "orders", .node = name};
        options.settings = {10ms, 2s, 3s, 4s, 2ms};
        auto engine = std::make_unique<Engine>(options);
        EXPECT_TRUE(engine->set_transport(network->add_host(name)));
        return engine;
    };
    std::promise<void> a_heard, b_heard;
    auto a = make("a"), b = make("b");
    a->add_callback([&](const Event& e) { if (e.kind == Event::joined) a_heard.set_value(); });
    b->add_callback([&](const Event& e) { if (e.kind == Event::joined) b_heard.set_value(); });
    ASSERT_TRUE(a->start());
    ASSERT_TRUE(b->start());
    EXPECT_EQ(a_heard.get_future().wait_for(30s), std::future_status::ready);
    EXPECT_EQ(b_heard.get_future().wait_for(30s), std::future_status::ready);
    a->stop();
    b->stop();
}

// A stranger's word must not keep a local process alive that hangs, nor say where it is reached.
TEST(Emission, AMemberWithAProcessSpeaksForItself) {
    const TemporaryFolder folder;
    Engine engine({.cluster = "orders", .node = "engine", .dir = folder.path()});
    ASSERT_TRUE(engine.start());
    auto me = Member::join({.cluster = "orders", .node = "me", .endpoint = "mine", .dir = folder.path()});
    ASSERT_TRUE(me);
    const auto before = engine.find("me")->last_heartbeat;
    ASSERT_TRUE(engine.on_heartbeat("me", "orders", "", std::chrono::steady_clock::now() + 1s));
    ASSERT_TRUE(engine.on_heartbeat("me", "orders", "theirs", std::chrono::steady_clock::now() + 1s));
    engine.sync();
    EXPECT_EQ(engine.find("me")->last_heartbeat, before);
    EXPECT_EQ(engine.find("me")->endpoint, "mine");
}

}  // namespace
}  // namespace rollcall::test
