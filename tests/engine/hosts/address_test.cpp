// Internet addresses as people write them.
#include "engine/transports/address.hpp"

#include <gtest/gtest.h>

namespace rollcall {
namespace {

TEST(Address, IsReadAsItIsWritten) {
    for (const char* text : {"127.0.0.1:7946", "[::1]:7946", "10.1.2.3:0", "[fe80::1]:65535"}) {
        const auto where = parse_host_port(text);
        ASSERT_TRUE(where) << text;
        const auto found = resolve(*where, AF_UNSPEC, true);
        ASSERT_EQ(found.size(), 1u) << text;
        EXPECT_EQ(found[0].text(), text);
    }
}

TEST(Address, NonsenseIsRefused) {
    for (const char* text : {"", ":", "host", "host:", ":1", "host:x", "host:65536", "host:-1", "::1:7946", "[]:1", "[::1:7946", "a:1:2", "host:1 "}) EXPECT_FALSE(parse_host_port(text)) << text;
    EXPECT_TRUE(resolve(*parse_host_port("localhost:1"), AF_UNSPEC, true).empty()) << "a name is no number";
}

TEST(Address, LoopbackIsKnown) {
    const auto is_loopback = [](const char* text) { return resolve(*parse_host_port(text), AF_UNSPEC, true).at(0).is_loopback(); };
    EXPECT_TRUE(is_loopback("127.0.0.1:1"));
    EXPECT_TRUE(is_loopback("127.9.9.9:1"));
    EXPECT_TRUE(is_loopback("[::1]:1"));
    EXPECT_FALSE(is_loopback("0.0.0.0:1"));
    EXPECT_FALSE(is_loopback("[::]:1"));
    EXPECT_FALSE(is_loopback("10.0.0.1:1"));
}

TEST(Address, EqualWhereHostAndPortAre) {
    const auto at = [](const char* text) { return resolve(*parse_host_port(text), AF_UNSPEC, true).at(0); };
    EXPECT_TRUE(at("127.0.0.1:1") == at("127.0.0.1:1"));
    EXPECT_FALSE(at("127.0.0.1:1") == at("127.0.0.1:2"));
    EXPECT_FALSE(at("127.0.0.1:1") == at("127.0.0.2:1"));
    EXPECT_FALSE(at("[::1]:1") == at("127.0.0.1:1"));
}

}  // namespace
}  // namespace rollcall
