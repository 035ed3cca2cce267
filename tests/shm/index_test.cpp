// The index, one thing at a time: chains, collisions, damage, and records that are reused under a reader's feet.
#include "shm/index.hpp"

#include <map>
#include <random>
#include <unordered_map>

#include <gtest/gtest.h>

#include "tests/shm/page_trap.hpp"
#include "tests/shm/private_segment.hpp"

namespace rollcall::shm {
namespace {

// The next node id after `serial` whose chain is `bucket`.
std::string in_bucket(const Roster& roster, std::uint32_t bucket, int& serial) {
    for (;;) {
        std::string node = "node-" + std::to_string(serial++);
        if (bucket_of(hash_of(Name::of(node)), roster.geometry().bucket_count) == bucket) return node;
    }
}

Lookup look(const Roster& roster, const std::string& node, Slot* slot = nullptr) {
    FoundRecord found;
    const Lookup answer = find(roster, Name::of(node), found);
    if (slot != nullptr) *slot = found.slot;
    return answer;
}

TEST(Index, EveryHashHasABucket) {
    for (const std::uint32_t buckets : {2u, 3u, 128u, 2u << 24}) {
        EXPECT_EQ(bucket_of(0, buckets), 0u);
        EXPECT_EQ(bucket_of(0xFFFF'FFFF, buckets), buckets - 1);
    }
}

TEST(Index, AnEmptyOneHasNobody) {
    Segment segment = test::private_segment();
    EXPECT_EQ(look(segment.roster(), "a"), Lookup::absent);
    EXPECT_EQ(look(segment.roster(), ""), Lookup::absent);
}

TEST(Index, FindsWhoIsLinkedAndNobodyElse) {
    Segment segment = test::private_segment();
    test::put_peer(segment.writable(), Slot{3}, "a", 17);
    FoundRecord found;
    ASSERT_EQ(find(segment.roster(), Name::of("a"), found), Lookup::found);
    EXPECT_EQ(found.slot, Slot{3});
    EXPECT_EQ(found.record.hot.incarnation, Incarnation{17});
    EXPECT_EQ(found.record.name, Name::of("a"));
    EXPECT_TRUE(is_linked(segment.roster(), Slot{3}));
    EXPECT_EQ(look(segment.roster(), "b"), Lookup::absent);
    test::remove_peer(segment.writable(), Slot{3});
    EXPECT_EQ(look(segment.roster(), "a"), Lookup::absent);
    EXPECT_FALSE(is_linked(segment.roster(), Slot{3}));
}

// Twelve nodes in one chain; first, middle and last are taken out and put back, and all others stay found.
TEST(Index, ChainsOfManyCollisionsLoseNobody) {
    Segment segment = test::private_segment(16);
    Roster& roster = segment.writable();
    std::vector<std::string> nodes;
    for (int serial = 0; nodes.size() < 12;) nodes.push_back(in_bucket(roster, 5, serial));
    for (std::uint32_t i = 0; i < 12; ++i) test::put_peer(roster, Slot{i}, nodes[i]);
    for (const std::uint32_t gone : {0u, 11u, 5u}) {
        test::remove_peer(roster, Slot{gone});
        for (std::uint32_t i = 0; i < 12; ++i) {
            Slot slot;
            ASSERT_EQ(look(roster, nodes[i], &slot), i == gone ? Lookup::absent : Lookup::found) << gone << ' ' << i;
            ASSERT_TRUE(i == gone || slot == Slot{i});
        }
        test::put_peer(roster, Slot{gone}, nodes[gone]);
    }
    for (std::uint32_t i = 0; i < 12; ++i) test::remove_peer(roster, Slot{i});
    for (const std::string& node : nodes) EXPECT_EQ(look(roster, node), Lookup::absent);
}

TEST(Index, UnlinkingWhoIsNotLinkedChangesNothing) {
    Segment segment = test::private_segment(16);
    Roster& roster = segment.writable();
    int serial = 0;
    const std::string a = in_bucket(roster, 5, serial), b = in_bucket(roster, 5, serial);
    test::put_peer(roster, Slot{0}, a);
    test::put_peer(roster, Slot{1}, b);
    test::remove_peer(roster, Slot{0});
    unlink(roster, Slot{0});
    EXPECT_EQ(look(roster, b), Lookup::found);
    EXPECT_EQ(look(roster, a), Lookup::absent);
}

// Against a map, with as few buckets as there can be.
TEST(Index, AgreesWithAMap) {
    for (const std::uint32_t capacity : {1u, 2u, 7u, 64u}) {
        Segment segment = test::private_segment(capacity);
        Roster& roster = segment.writable();
        std::map<std::string, Slot> model;
        std::vector<std::string> in_slot(capacity);
        std::mt19937_64 random(capacity);
        for (int i = 0; i < 3'000; ++i) {
            const Slot slot{static_cast<std::uint32_t>(random() % capacity)};
            const std::string node = "n" + std::to_string(random() % (2 * capacity));
            std::string& holder = in_slot[slot.value];
            if (!holder.empty()) {
                test::remove_peer(roster, slot);
                model.erase(std::exchange(holder, ""));
            } else if (!model.contains(node)) {
                test::put_peer(roster, slot, node, static_cast<std::uint64_t>(i));
                model[holder = node] = slot;
            }
            const std::string asked = "n" + std::to_string(random() % (2 * capacity));
            Slot there;
            ASSERT_EQ(look(roster, asked, &there), model.contains(asked) ? Lookup::found : Lookup::absent);
            ASSERT_TRUE(!model.contains(asked) || there == model[asked]);
        }
    }
}

TEST(Index, ADamagedChainIsBusyAndNeverEndless) {
    Segment segment = test::private_segment(16);
    Roster& roster = segment.writable();
    int serial = 0;
    const std::string there = in_bucket(roster, 5, serial), other = in_bucket(roster, 5, serial), in_another_chain = in_bucket(roster, 6, serial);
    test::put_peer(roster, Slot{0}, there);
    test::put_peer(roster, Slot{1}, in_another_chain);
    for (const std::uint32_t next : {0u /* itself */, 1u /* another chain */, 15u /* above the high-water mark */, 16u, 0x8000'0000u, no_index - 1}) {
        roster.record(Slot{0}).next.store(next);
        EXPECT_EQ(look(roster, other), Lookup::busy) << next;
        EXPECT_EQ(look(roster, there), Lookup::found) << next;
    }
    roster.bucket(5).store(0x7FFF'FFFF);
    EXPECT_EQ(look(roster, there), Lookup::busy);
}

// The engine side must not hang on damage either.
TEST(Index, WriterAndAuditLeaveAnEndlessChain) {
    Segment segment = test::private_segment(16);
    Roster& roster = segment.writable();
    int serial = 0;
    test::put_peer(roster, Slot{0}, in_bucket(roster, 5, serial));
    test::put_peer(roster, Slot{1}, in_bucket(roster, 5, serial));
    roster.record(Slot{0}).next.store(0);
    roster.bucket(5).store(0);
    unlink(roster, Slot{1});
    EXPECT_FALSE(is_linked(roster, Slot{1}));
}

// A reader that was stopped on a record which left meanwhile must find its way on: a freed record keeps hash and `next`.
TEST(Index, AReaderOnAFreedRecordWalksOn) {
    Segment segment = test::private_segment(16);
    Roster& roster = segment.writable();
    int serial = 0;
    const std::string last = in_bucket(roster, 5, serial), middle = in_bucket(roster, 5, serial);
    test::put_peer(roster, Slot{0}, last);
    test::put_peer(roster, Slot{1}, middle);
    test::remove_peer(roster, Slot{1});
    roster.bucket(5).store(1);  // where that reader still stands
    EXPECT_EQ(look(roster, last), Lookup::found);
    EXPECT_EQ(look(roster, middle), Lookup::absent);
}

// The same reader, but the record it is about to step on was reused: first in another chain, then it begins to come back into this
// one. At none of the moments of that return may the reader believe that the chain ends here.
TEST(Index, AReaderThatStandsOnARecordBeingReusedNeverSaysAbsent) {
    Segment segment = test::private_segment(16);
    Roster& roster = segment.writable();
    int serial = 0;
    const std::string constant = in_bucket(roster, 5, serial), stale = in_bucket(roster, 5, serial), other = in_bucket(roster, 6, serial), back = in_bucket(roster, 5, serial);
    test::put_peer(roster, Slot{0}, constant);
    test::put_peer(roster, Slot{1}, stale);
    test::remove_peer(roster, Slot{1});
    test::put_peer(roster, Slot{1}, other);  // at the end of chain 6
    test::remove_peer(roster, Slot{1});
    const auto where_the_reader_stands = [&] {
        roster.bucket(5).store(1);
        const Lookup answer = look(roster, constant);
        roster.bucket(5).store(0);
        return answer;
    };
    EXPECT_NE(where_the_reader_stands(), Lookup::absent) << "freed";
    const Name name = Name::of(back);
    store_name(roster.record(Slot{1}), hash_of(name), name);
    EXPECT_NE(where_the_reader_stands(), Lookup::absent) << "hash and name are written";
    Hot hot;
    hot.state = State::alive;
    store_hot(roster.record(Slot{1}), encode(hot));
    EXPECT_NE(where_the_reader_stands(), Lookup::absent) << "the record is written";
    link(roster, Slot{1});
    EXPECT_EQ(look(roster, constant), Lookup::found);
    EXPECT_EQ(look(roster, back), Lookup::found);
}

// Two node ids with the same hash.
std::pair<std::string, std::string> twins() {
    std::unordered_map<std::uint32_t, std::string> seen;
    for (int serial = 0;; ++serial) {
        const std::string node = "node-" + std::to_string(serial);
        if (const auto [it, is_new] = seen.emplace(hash_of(Name::of(node)), node); !is_new) return {it->second, node};
    }
}

// A reader stands on a record with the hash it looks for. Between its look at the hash and its look at `next` the record leaves and joins
// an empty chain: hash and `next` are of two lives, and only the version tells.
TEST(Index, AReaderNeverTakesHashAndNextOfTwoLives) {
    Segment segment = test::private_segment();
    Roster& roster = segment.writable();
    const auto [constant, twin] = twins();
    const Slot moving{42};  // its name, and nothing else of it, lies in the next page
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(&roster.record(moving).name[0]) % page, 0u);
    test::put_peer(roster, Slot{0}, constant);
    test::put_peer(roster, moving, twin);
    int serial = 0;
    const std::uint32_t bucket = bucket_of(hash_of(Name::of(constant)), roster.geometry().bucket_count);
    const std::string elsewhere = in_bucket(roster, bucket == 0 ? 1 : 0, serial);
    test::PageTrap trap;
    trap.set(&roster.record(moving).name[0], test::PageTrap::On::access, [&] {
        test::remove_peer(roster, moving);
        test::put_peer(roster, moving, elsewhere);
    });
    EXPECT_EQ(look(roster, constant), Lookup::found);
    EXPECT_TRUE(trap.has_sprung());
    EXPECT_EQ(look(roster, twin), Lookup::absent);
    EXPECT_EQ(look(roster, elsewhere), Lookup::found);
}

}  // namespace
}  // namespace rollcall::shm
