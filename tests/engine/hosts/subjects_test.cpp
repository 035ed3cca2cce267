// Messages as subjects: whatever a name holds stays one token.
#include "engine/transports/subjects.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/host_message.hpp"

namespace rollcall {
namespace {

using testing::ElementsAre;

Message of_host(const std::string& cluster, const std::string& host) {
    Message m;
    m.cluster = cluster;
    m.origin = host;
    m.content_type = engine::host_content_type;
    m.path = engine::host_path_of(cluster, host);
    return m;
}

TEST(Subjects, AreWhatTheDesignSays) {
    EXPECT_EQ(subject_of(make_heartbeat("orders", "worker-1", {})).value(), "__system.membership.orders.worker-1");
    EXPECT_EQ(subject_of(of_host("orders", "host_a")).value(), "__system.membership.orders.@.host_a");
    EXPECT_EQ(inbox_of("orders", "host_a"), "__system.membership.orders.@.host_a.ask");
    EXPECT_THAT(subjects_of_cluster("orders"), ElementsAre("__system.membership.orders.*", "__system.membership.orders.@.*"));
}

TEST(Subjects, NamesStayOneToken) {
    EXPECT_EQ(subject_of(make_heartbeat("a.b", "x y", {})).value(), "__system.membership.a=2Eb.x=20y");
    EXPECT_EQ(subject_of(of_host("orders", "@")).value(), "__system.membership.orders.@.=40");
    EXPECT_EQ(subject_of(make_heartbeat("orders", "@.host.ask", {})).value(), "__system.membership.orders.=40=2Ehost=2Eask");
    EXPECT_EQ(escape_token("=*>\r\n\t\xff"), "=3D=2A=3E=0D=0A=09=FF");
    EXPECT_EQ(escape_token(std::string_view("\0", 1)), "=00");
    EXPECT_EQ(escape_token("Az09_-"), "Az09_-");
}

TEST(Subjects, OtherPathsHaveNoEmptyParts) {
    Message m = make_heartbeat("orders", "here", {});
    m.content_type = "text/plain";
    m.path = "news.to day.>";
    EXPECT_EQ(subject_of(m).value(), "news.to=20day.=3E");
    for (const char* bad : {"", ".", "a.", ".a", "a..b"}) {
        m.path = bad;
        EXPECT_FALSE(subject_of(m)) << bad;
    }
}

TEST(Subjects, APrefixIsWholeTokens) {
    EXPECT_EQ(subject_below("news."), "news.>");
    EXPECT_EQ(subject_below("news.to"), "news.>");
    EXPECT_EQ(subject_below("news"), ">");
    EXPECT_EQ(subject_below(""), ">");
    EXPECT_EQ(subject_below("a b.*."), "a=20b.=2A.>");
}

// No two names are one token, and every token is one that is taken back for an address.
TEST(Subjects, EscapingIsOneToOne) {
    std::mt19937 random(1);
    std::map<std::string, std::string> seen;
    for (int i = 0; i < 20'000; ++i) {
        std::string name;
        for (std::uint32_t n = 1 + random() % 3; n > 0; --n) name += static_cast<char>(random() % 256);
        const std::string token = escape_token(name);
        EXPECT_TRUE(is_escaped_token(token));
        EXPECT_EQ(token.find_first_of(" .*>\r\n\t"), std::string::npos);
        const auto [at, is_new] = seen.emplace(token, name);
        EXPECT_EQ(at->second, name);
    }
    for (const char* bad : {"", "a b", "a.b", "*", "=", "=4", "=4g", "a=4", "=2e"}) EXPECT_FALSE(is_escaped_token(bad)) << bad;
}

}  // namespace
}  // namespace rollcall
