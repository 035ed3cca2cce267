// Engines with threads and clocks of their own that come and go while others hear of them: what the thread sanitizer looks at.
#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/transports/in_process.hpp"
#include "engine/transports/udp.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

constexpr Settings lively{10ms, 2s, 3s, 4s, 2ms};

std::unique_ptr<Engine> make(const std::string& name, std::shared_ptr<Transport> transport) {
    EngineOptions options{.cluster = "orders", .node = name};
    options.settings = lively;
    auto engine = std::make_unique<Engine>(options);
    EXPECT_TRUE(engine->set_transport(std::move(transport)));
    return engine;
}

TEST(HostThreads, MembersComeAndGoWhileEnginesDo) {
    const auto network = InProcessNetwork::make();
    auto watcher = make("watcher", network->add_host("watcher"));
    std::promise<void> seen;
    std::atomic<int> joined{0};
    watcher->add_callback([&](const Event& e) {
        if (e.kind == Event::joined && e.node() == "the-last") seen.set_value();
        joined += e.kind == Event::joined;
    });
    ASSERT_TRUE(watcher->start());

    std::vector<std::thread> threads;
    for (const char* name : {"one", "two"})
        threads.emplace_back([&, name] {
            auto engine = make(name, network->add_host(name));
            for (int round = 0; round < 5; ++round) {
                EXPECT_TRUE(engine->start());
                for (int i = 0; i < 20; ++i) {
                    const std::string node = std::string(name) + "-" + std::to_string(i);
                    (void)engine->register_peer(node, "there");
                    if (i % 3 == 0) (void)engine->leave(node);
                }
                engine->sync();
                engine->stop();
            }
        });
    for (std::thread& thread : threads) thread.join();
    auto last = make("three", network->add_host("three"));
    ASSERT_TRUE(last->start());
    ASSERT_TRUE(last->register_peer("the-last"));
    EXPECT_EQ(seen.get_future().wait_for(30s), std::future_status::ready);
    last->stop();
    watcher->stop();
    EXPECT_GE(joined.load(), 1);
}

TEST(HostThreads, TwoEnginesKnowEachOthersMembersOverUdp) {
    const auto here = UdpTransport::open({.bind = "127.0.0.1:0"}).value();
    const auto there = UdpTransport::open({.bind = "127.0.0.1:0", .seeds = {here->address()}}).value();
    auto a = make("a", here), b = make("b", there);
    std::promise<void> a_knows, b_knows;
    a->add_callback([&](const Event& e) { if (e.kind == Event::joined && e.node() == "of-b") a_knows.set_value(); });
    b->add_callback([&](const Event& e) { if (e.kind == Event::joined && e.node() == "of-a") b_knows.set_value(); });
    ASSERT_TRUE(a->start());
    ASSERT_TRUE(b->start());
    ASSERT_TRUE(a->register_peer("of-a"));
    ASSERT_TRUE(b->register_peer("of-b"));
    EXPECT_EQ(a_knows.get_future().wait_for(30s), std::future_status::ready);
    EXPECT_EQ(b_knows.get_future().wait_for(30s), std::future_status::ready);
    ASSERT_EQ(a->hosts().size(), 1u);
    EXPECT_EQ(a->hosts()[0].transport, "udp");
    EXPECT_EQ(a->hosts()[0].address, there->address());
    a->stop();
    b->stop();
}

}  // namespace
}  // namespace rollcall::test
