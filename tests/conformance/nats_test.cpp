// What NATS does beside what every transport does: servers that die, freeze and come back, and names that would be something else in a subject.
#include "engine/transports/nats.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/host_message.hpp"
#include "tests/support/nats_server.hpp"

namespace rollcall {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// A host that hears what is said in the cluster `orders`.
struct Listener {
    std::mutex mutex;
    std::vector<std::string> from, lines;
    const std::shared_ptr<Shard> shard;
    std::shared_ptr<NatsTransport> transport;

    Listener(const std::string& node, std::vector<std::string> urls) : shard(std::make_shared<Shard>("orders", node)) {
        shard->bus().attach("", [this](const Message& message, Instant) {
            const std::lock_guard lock(mutex);
            from.push_back(message.origin);
        });
        transport = NatsTransport::open({.urls = std::move(urls), .log = [this](const std::string& line) {
                                             const std::lock_guard lock(mutex);
                                             lines.push_back(line);
                                         }}).value();
        transport->register_shard(shard);
        transport->flush();
    }
    std::vector<std::string> heard() {
        const std::lock_guard lock(mutex);
        return from;
    }
    std::vector<std::string> said() {
        const std::lock_guard lock(mutex);
        return lines;
    }
    bool say(const std::string& node = "") { return transport->publish(make_heartbeat("orders", node.empty() ? shard->node() : node, {})).has_value(); }
    Instant heard_until() const { return transport->heard_until(std::chrono::steady_clock::now()); }
};

// `a` speaks until `b` hears it: a broker may have to be found first.
bool reaches(Listener& a, Listener& b) {
    const std::size_t before = b.heard().size();
    return test::eventually([&] {
        a.say();
        b.say();
        return b.heard().size() > before;
    });
}

TEST(Nats, WhateverItIsCalledItReachesWhomItIsFor) {
    test::NatsServer server;
    Listener here("here", {server.url()}), there("there", {server.url()});
    const std::vector<std::string> names{"a.b", "*", ">", "a.*", "there.>", "@", "@.there.ask", "=20", "M\xc3\xbcnchen"};
    for (const std::string& name : names) EXPECT_TRUE(here.say(name)) << name;
    EXPECT_TRUE(test::eventually([&] { return there.heard() == names; })) << "each once, and whole";
    for (const std::string bad : {"a b", "\x01", "a\r\nPUB x 1", "a\nb"}) EXPECT_FALSE(here.say(bad)) << "no node is called so";
    EXPECT_EQ(there.transport->statistics().refused, 0u);
}

TEST(Nats, AnAddressReachesOneHostAndNothingElse) {
    test::NatsServer server;
    Listener here("here", {server.url()}), there("there", {server.url()}), third("third", {server.url()});
    Message question;
    question.cluster = "orders";
    question.origin = "host.a";
    question.content_type = engine::host_content_type;
    question.path = engine::host_path_of("orders", question.origin);
    question.payload = engine::encode_host_message(engine::HostAsk{1, Incarnation{1}, false});
    const auto as = [&](const std::string& host, const std::string& via) {
        Message m = question;
        m.origin = host;
        m.path = engine::host_path_of("orders", host);
        m.via = via;
        return m;
    };
    ASSERT_TRUE(there.transport->publish(as("host.b", ""))) << "who has spoken can be spoken to";
    there.transport->flush();
    ASSERT_TRUE(test::eventually([&] { return here.heard().size() == 1 && third.heard().size() == 1; }));
    ASSERT_TRUE(here.transport->publish(as("host.a", "nats:host=2Eb")));
    ASSERT_TRUE(test::eventually([&] { return !there.heard().empty(); }));
    ASSERT_TRUE(reaches(here, third));
    EXPECT_THAT(there.heard(), Contains("host.a"));
    EXPECT_THAT(third.heard(), Not(Contains("host.a"))) << "it was for another";
    for (const std::string bad : {"nats:", "nats:a b", "nats:>", "nats:a.b", "nats:=2", "nats:a=zz", "udp:127.0.0.1:1", "nats:a\r\nPUB x 0"}) {
        const auto published = here.transport->publish(as("host.a", bad));
        ASSERT_FALSE(published) << bad;
        EXPECT_EQ(published.error().kind, ErrorKind::invalid) << bad;
    }
}

TEST(Nats, AServerThatIsFrozenIsNotListenedTo) {
    test::NatsServer server;
    Listener here("here", {server.url()});
    ASSERT_TRUE(test::eventually([&] { return here.say() && here.heard_until() != Instant{}; }));
    server.freeze();
    const Instant frozen = std::chrono::steady_clock::now();
    ASSERT_TRUE(test::eventually([&] {
        here.say();
        const auto said = here.said();
        return std::count_if(said.begin(), said.end(), [](const std::string& line) { return line.find("does not come back") != std::string::npos; }) != 0;
    })) << "it looks for another one";
    EXPECT_LT(here.heard_until(), frozen);
    server.thaw();
    EXPECT_TRUE(test::eventually([&] {
        here.say();
        return here.heard_until() > frozen;
    })) << "and the same one is good again";
}

TEST(Nats, GoesToAnotherServerOfTheCluster) {
    test::NatsServer one({"--cluster_name", "c"}), two({"--cluster_name", "c", "--routes", one.route()});
    Listener here("here", {one.url(), two.url()}), there("there", {two.url(), one.url()});
    ASSERT_TRUE(reaches(here, there));
    one.freeze();
    EXPECT_TRUE(reaches(here, there)) << "which took what was said and brought nothing back";
    one.thaw();
    two.kill();
    EXPECT_TRUE(reaches(here, there));
    two.start();
    one.kill();
    EXPECT_TRUE(reaches(here, there));
}

TEST(Nats, WaitsForAServerThatIsNotThereYet) {
    test::NatsServer server;
    server.kill();
    Listener here("here", {server.url()});
    EXPECT_FALSE(here.transport->is_connected());
    EXPECT_FALSE(here.say());
    EXPECT_EQ(here.transport->statistics().failed, 1u);
    server.start();
    EXPECT_TRUE(test::eventually([&] { return here.say() && here.heard_until() != Instant{}; }));
    ASSERT_TRUE(test::eventually([&] { return !here.said().empty(); }));
    EXPECT_THAT(here.said().back(), HasSubstr("connected to " + server.url()));
}

TEST(Nats, WhatDoesNotReadIsRefusedByName) {
    const auto refuses = [](NatsOptions options, const char* why) {
        const auto opened = NatsTransport::open(std::move(options));
        ASSERT_FALSE(opened) << why;
        EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
        EXPECT_THAT(opened.error().message, HasSubstr(why));
    };
    refuses({}, "no URL");
    refuses({.urls = {"nats://a b:4222"}}, "'nats://a b:4222' is no URL");
    refuses({.urls = {""}}, "'' is no URL");
    refuses({.urls = {"nats://ann:secret word@here:4222"}}, "nats: 'nats://here:4222' is no URL");
    refuses({.urls = {"ann:sec ret@here"}}, "nats: 'here' is no URL");
    refuses({.urls = {"nats://127.0.0.1:4222"}, .credentials = "/nowhere.creds"}, "/nowhere.creds");
    refuses({.urls = {"tls://127.0.0.1:4222"}, .ca = "/nowhere.pem"}, "/nowhere.pem");
    refuses({.urls = {"tls://127.0.0.1:4222"}, .certificate = "/nowhere.crt", .key = "/nowhere.key"}, "/nowhere.crt");
}

}  // namespace
}  // namespace rollcall
