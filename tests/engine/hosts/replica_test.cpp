// What replication knows of its peers, by itself and as a view of a membership.
#include "engine/hosts/replica.hpp"

#include <gtest/gtest.h>

#include "tests/engine/hosts/fake_membership.hpp"

namespace rollcall::test {
namespace {

TEST(Replica, ByItselfBelievesWhatItIsTold) {
    Replica replica;
    EXPECT_FALSE(replica.has_peer("a"));
    replica.mark_dead("a");
    EXPECT_FALSE(replica.has_peer("a")) << "the death of a stranger makes no peer";
    replica.mark_alive("a");
    EXPECT_TRUE(replica.find("a")->alive);
    replica.mark_dead("a");
    EXPECT_FALSE(replica.find("a")->alive);
}

TEST(Replica, ProgressNeverMovesBack) {
    Replica replica;
    EXPECT_FALSE(replica.note_applied("a", 1, 1));
    replica.mark_alive("a");
    EXPECT_TRUE(replica.note_applied("a", 7, 3));
    EXPECT_TRUE(replica.note_applied("a", 5, 4));
    EXPECT_EQ(*replica.find("a"), (ReplicaPeer{true, 7, 4}));
}

TEST(Replica, AttachedLifeAndDeathAreTheDetectors) {
    Replica replica;
    const auto membership = std::make_shared<FakeMembership>();
    replica.mark_alive("gone");
    replica.attach(membership);
    EXPECT_FALSE(replica.has_peer("gone"));
    membership->join("a", 1).state = State::suspect;
    EXPECT_TRUE(replica.find("a")->alive) << "a suspicion is no death";
    membership->join("a", 1).state = State::dead;
    replica.mark_alive("a");
    EXPECT_FALSE(replica.find("a")->alive);
    replica.detach();
    EXPECT_TRUE(replica.has_peer("a")) << "the last that was known";
    EXPECT_FALSE(replica.find("a")->alive);
}

TEST(Replica, ANewLifeBeginsAtZero) {
    Replica replica;
    const auto membership = std::make_shared<FakeMembership>();
    replica.attach(membership);
    membership->join("a", 1);
    EXPECT_TRUE(replica.note_applied("a", 7, 3));
    EXPECT_EQ(replica.find("a")->last_applied, 7u);
    membership->join("a", 2);
    EXPECT_EQ(*replica.find("a"), (ReplicaPeer{true, 0, 0}));
    EXPECT_TRUE(replica.note_applied("a", 1, 1));
    EXPECT_EQ(*replica.find("a"), (ReplicaPeer{true, 1, 1}));
}

}  // namespace
}  // namespace rollcall::test
