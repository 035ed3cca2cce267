// A single node's heartbeat as a message, and everything that is not one.
#include "engine/hosts/message.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall {
namespace {

using testing::HasSubstr;

Message heartbeat() { return make_heartbeat("orders", "gw-1", {-5'000'000'001, "10.0.0.1:7000"}); }

TEST(NodeHeartbeat, ReadsAsItWasMade) {
    const Message message = heartbeat();
    EXPECT_EQ(message.path, "__system.membership.orders.gw-1");
    EXPECT_EQ(message.content_type, "application/x-rollcall-heartbeat");
    EXPECT_EQ(message.hop_limit, 1);
    EXPECT_EQ(message.id, 0u) << "never removed as a duplicate";
    const auto read = read_heartbeat(message);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (NodeHeartbeat{-5'000'000'001, "10.0.0.1:7000"}));
}

TEST(NodeHeartbeat, NonsenseIsRefusedWithTheReason) {
    const auto why = [](auto change) {
        Message message = heartbeat();
        change(message);
        const auto read = read_heartbeat(message);
        return read ? std::string("it was read") : read.error().message;
    };
    EXPECT_THAT(why([](Message& m) { m.content_type = "text/plain"; }), HasSubstr("content type"));
    EXPECT_THAT(why([](Message& m) { m.cluster = "no cluster"; }), HasSubstr("cluster name"));
    EXPECT_THAT(why([](Message& m) { m.origin = "a\r\nb"; }), HasSubstr("node"));
    EXPECT_THAT(why([](Message& m) { m.origin.clear(); }), HasSubstr("node"));
    EXPECT_THAT(why([](Message& m) { m.payload.resize(8); }), HasSubstr("8 bytes"));
    EXPECT_THAT(why([](Message& m) { m.payload[0] = 2; }), HasSubstr("version 2"));
    EXPECT_THAT(why([](Message& m) { m.payload.append(300, 'x'); }), HasSubstr("endpoint"));
    EXPECT_THAT(why([](Message& m) { m.payload.back() = '\n'; }), HasSubstr("endpoint"));
}

TEST(NodeHeartbeat, AnyPayloadIsReadOrRefused) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
        Message message = heartbeat();
        message.payload.resize(random() % 400);
        for (char& byte : message.payload) byte = static_cast<char>(random());
        if (!message.payload.empty() && random() % 2 == 0) message.payload[0] = 1;
        if (const auto read = read_heartbeat(message)) {
            ASSERT_LE(read->endpoint.size(), 255u);
        }
    }
}

}  // namespace
}  // namespace rollcall
