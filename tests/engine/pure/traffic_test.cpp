// What transports counted, through the memory and back.
#include "engine/client/traffic.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace rollcall {
namespace {

TEST(Traffic, ComesBackAsItWasWritten) {
    const auto header = std::make_unique<shm::RosterHeader>();
    Traffic traffic;
    std::uint64_t n = 0;
    for (const char* name : {"udp", "udp6", "nats", "sixteen-bytes-ok"}) {
        auto& counts = traffic.transports.emplace_back(name, TransportStatistics{}).second;
        for (const auto& [what, value] : transport_counts) counts.*value = ++n;
    }
    for (const auto& [what, value] : host_counts) traffic.hosts.*value = ++n;
    traffic.heartbeats_sent = ++n;
    traffic.heartbeats_received = ++n;
    store_traffic(*header, traffic);
    const Traffic read = load_traffic(*header);
    EXPECT_EQ(read.heartbeats_sent, n - 1);
    EXPECT_EQ(read.heartbeats_received, n);
    ASSERT_EQ(read.transports.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(read.transports[i].first, traffic.transports[i].first);
        for (const auto& [what, value] : transport_counts) EXPECT_EQ(read.transports[i].second.*value, traffic.transports[i].second.*value) << what;
    }
    for (const auto& [what, value] : host_counts) EXPECT_EQ(read.hosts.*value, traffic.hosts.*value) << what;

    store_traffic(*header, {});
    EXPECT_TRUE(load_traffic(*header).transports.empty()) << "the next engine has none";
}

TEST(Traffic, ShowsWhatThereIsRoomFor) {
    const auto header = std::make_unique<shm::RosterHeader>();
    Traffic traffic;
    for (const char* name : {"a", "b", "c", "d", "e"}) traffic.transports.emplace_back(name, TransportStatistics{});
    traffic.transports[0].first = "a-name-of-more-than-sixteen-bytes";
    store_traffic(*header, traffic);
    const Traffic read = load_traffic(*header);
    ASSERT_EQ(read.transports.size(), shm::max_transports);
    EXPECT_EQ(read.transports[0].first, "a-name-of-more-t");
}

}  // namespace
}  // namespace rollcall
