// The registry by itself, and as a view of a membership.
#include "engine/hosts/peer_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/hosts/fake_membership.hpp"

namespace rollcall::test {
namespace {

constexpr Instant noon = instant_from_ns(12'000);

TEST(PeerRegistry, ByItselfIsASmallTable) {
    PeerRegistry registry;
    EXPECT_FALSE(registry.has_peer("a"));
    ASSERT_TRUE(registry.add_peer({"a", "orders", "there", std::nullopt, {"x."}}));
    ASSERT_TRUE(registry.has_peer("a"));
    EXPECT_EQ(registry.find("a")->cluster, "orders");
    ASSERT_TRUE(registry.note_seen("a", noon));
    ASSERT_TRUE(registry.note_seen("a", noon - Duration(5)));
    EXPECT_EQ(registry.find("a")->last_seen, noon) << "it never moves back";
    EXPECT_EQ(registry.peers().size(), 1u);
    ASSERT_TRUE(registry.note_seen("stranger", noon));
    EXPECT_FALSE(registry.has_peer("stranger"));
    ASSERT_TRUE(registry.remove_peer("a"));
    ASSERT_TRUE(registry.remove_peer("a"));
    EXPECT_FALSE(registry.has_peer("a"));
}

TEST(PeerRegistry, RefusesNamesAndEndpointsThatCannotBe) {
    PeerRegistry registry;
    EXPECT_FALSE(registry.add_peer({"a b", "orders", "", std::nullopt, {}}));
    EXPECT_FALSE(registry.add_peer({"a", "orders", std::string(256, 'x'), std::nullopt, {}}));
    EXPECT_TRUE(registry.peers().empty());
}

TEST(PeerRegistry, DeliversWhatAPeerWants) {
    PeerRegistry registry;
    ASSERT_TRUE(registry.add_peer({"some", "orders", "", std::nullopt, {"a.", "b.c"}}));
    ASSERT_TRUE(registry.add_peer({"all", "orders", "", std::nullopt, {}}));
    EXPECT_TRUE(registry.should_deliver("some", "a.x"));
    EXPECT_TRUE(registry.should_deliver("some", "b.cd"));
    EXPECT_FALSE(registry.should_deliver("some", "b.d"));
    EXPECT_TRUE(registry.should_deliver("all", "b.d"));
    EXPECT_FALSE(registry.should_deliver("nobody", "a.x"));
}

TEST(PeerRegistry, HandsItsTableOverAndTakesItBack) {
    PeerRegistry registry;
    ASSERT_TRUE(registry.add_peer({"a", "orders", "there", std::nullopt, {"x."}}));
    const auto membership = std::make_shared<FakeMembership>();
    registry.attach(membership, "orders");
    ASSERT_TRUE(membership->find("a"));
    EXPECT_EQ(membership->find("a")->endpoint, "there");
    EXPECT_FALSE(registry.should_deliver("a", "y.")) << "what it wanted went along";

    membership->join("b", 7);
    EXPECT_TRUE(registry.has_peer("b")) << "a view: whoever is in the membership is in the registry";
    membership->all.erase("a");
    EXPECT_FALSE(registry.has_peer("a"));
    ASSERT_TRUE(registry.remove_peer("b"));
    EXPECT_TRUE(membership->all.empty());

    membership->join("c", 8);
    registry.detach();
    membership->all.clear();
    EXPECT_TRUE(registry.has_peer("c")) << "the last that was known";
    registry.detach();
}

// Prefixes belong to a life: whoever comes back under the same name may want something else.
TEST(PeerRegistry, WhatAnEarlierLifeWantedIsForgotten) {
    PeerRegistry registry;
    const auto membership = std::make_shared<FakeMembership>();
    registry.attach(membership, "orders");
    membership->join("a", 1);
    ASSERT_TRUE(registry.add_peer({"a", "orders", "", std::nullopt, {"x."}}));
    EXPECT_FALSE(registry.should_deliver("a", "y."));
    membership->join("a", 2);
    EXPECT_TRUE(registry.should_deliver("a", "y."));
}

// A note that was made before its peer was there is its first life's, and nobody's after it.
TEST(PeerRegistry, WhatWasAskedForBeforeAJoinIsOneLifes) {
    PeerRegistry registry;
    const auto membership = std::make_shared<FakeMembership>();
    membership->is_slow = true;
    registry.attach(membership, "orders");
    ASSERT_TRUE(registry.add_peer({"a", "orders", "", std::nullopt, {"x."}}));
    membership->join("a", 1);
    EXPECT_FALSE(registry.should_deliver("a", "y."));
    membership->join("a", 2);
    EXPECT_TRUE(registry.should_deliver("a", "y.")) << "the next life";

    ASSERT_TRUE(registry.add_peer({"a", "orders", "", std::nullopt, {"x."}}));
    membership->all.clear();
    ASSERT_TRUE(registry.add_peer({"a", "orders", "", std::nullopt, {"z."}}));
    membership->join("a", 3);
    EXPECT_TRUE(registry.should_deliver("a", "z.")) << "evicted, and asked for again";
    EXPECT_FALSE(registry.should_deliver("a", "y."));
}

TEST(PeerRegistry, DoesNotGrowByPeersThatCameAndWent) {
    PeerRegistry registry;
    const auto membership = std::make_shared<FakeMembership>();
    registry.attach(membership, "orders");
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_TRUE(registry.add_peer({"n" + std::to_string(i), "orders", "", std::nullopt, {"x."}}));
        membership->all.clear();
    }
    membership->join("n0", 1);
    EXPECT_TRUE(registry.should_deliver("n0", "y.")) << "its note was swept";
}

}  // namespace
}  // namespace rollcall::test
