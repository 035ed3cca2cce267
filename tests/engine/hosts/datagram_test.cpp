// Messages as datagrams: there and back, and every way not to be one.
#include "engine/hosts/datagram.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall {
namespace {

Message spelled() {
    Message message;
    message.path = "orders.something.else";
    message.content_type = "text/plain";
    message.cluster = "orders";
    message.origin = "gw-1";
    message.id = 0x0102030405060708;
    message.hop_limit = 7;
    message.payload = std::string("with\0zero", 9);
    return message;
}

TEST(Datagram, CarriesAMessageThereAndBack) {
    for (const Message& sent : {make_heartbeat("orders", "gw-1", {123, "10.0.0.1:7000"}), make_heartbeat("o", "g", {}), spelled()}) {
        const auto bytes = encode_datagram(sent);
        ASSERT_TRUE(bytes);
        Message read;
        ASSERT_EQ(decode_datagram(*bytes, read), DatagramFault::none);
        EXPECT_EQ(read, sent);
    }
}

TEST(Datagram, OfAHeartbeatIsSmall) {
    const auto bytes = encode_datagram(make_heartbeat("orders", "gw-1", {123, ""}));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), 14u + 6 + 4 + 9) << "path and content type go without saying";
}

TEST(Datagram, RefusesWhatDoesNotFit) {
    Message message = spelled();
    message.payload.assign(max_datagram, 'x');
    const auto refused = encode_datagram(message);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("1200"));
}

TEST(Datagram, CutShortAnywhereIsRefusedOrAShorterPayload) {
    for (const Message& sent : {make_heartbeat("orders", "gw-1", {123, "10.0.0.1:7000"}), spelled()}) {
        const std::string bytes = *encode_datagram(sent);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            Message read;
            const DatagramFault fault = decode_datagram(std::string_view(bytes).substr(0, size), read);
            if (size < bytes.size() - sent.payload.size()) EXPECT_NE(fault, DatagramFault::none) << size;
            else EXPECT_EQ(read.payload, sent.payload.substr(0, sent.payload.size() - (bytes.size() - size)));
        }
    }
}

TEST(Datagram, SaysWhatIsWrong) {
    const auto fault = [](std::size_t at, char byte) {
        std::string bytes = *encode_datagram(make_heartbeat("orders", "gw-1", {}));
        bytes[at] = byte;
        Message read;
        return decode_datagram(bytes, read);
    };
    EXPECT_EQ(fault(0, 'x'), DatagramFault::magic);
    EXPECT_EQ(fault(2, 9), DatagramFault::version);
    EXPECT_EQ(fault(3, 77), DatagramFault::kind);
    EXPECT_EQ(fault(4, 1), DatagramFault::flags);
    EXPECT_EQ(fault(14, ' '), DatagramFault::names) << "the cluster's";
    EXPECT_EQ(fault(20, '\n'), DatagramFault::names) << "the node's";
    EXPECT_EQ(fault(7, 0), DatagramFault::names) << "no cluster";
    EXPECT_EQ(fault(8, '\xff'), DatagramFault::truncated);
}

TEST(Datagram, AnyBytesAreReadOrRefused) {
    std::mt19937_64 random(1);
    const std::string good = *encode_datagram(spelled());
    for (int i = 0; i < 50'000; ++i) {
        std::string bytes = good;
        bytes.resize(random() % (good.size() + 8));
        for (int flips = static_cast<int>(random() % 6); flips > 0 && !bytes.empty(); --flips) bytes[random() % bytes.size()] = static_cast<char>(random());
        Message read;
        (void)decode_datagram(bytes, read);
    }
}

}  // namespace
}  // namespace rollcall
