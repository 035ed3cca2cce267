// What a host tells of its own members: the list, what changed, and pages.
#include "engine/hosts/own_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/hosts/claims.hpp"

namespace rollcall::engine {
namespace {

using test::member;
using test::nobody;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t plenty = 1 << 20;

std::vector<std::uint64_t> versions(const std::vector<ListEntry>& entries) {
    std::vector<std::uint64_t> all;
    for (const ListEntry& entry : entries) all.push_back(entry.version);
    return all;
}

TEST(OwnList, IsItsEntriesAndTheirSum) {
    OwnList list;
    EXPECT_EQ(list.summary(), ListSummary{});
    list.set(member(3, 5));
    list.set(member(1, 6));
    Digest sum = digest_of(member(3, 0));
    sum += digest_of(member(1, 0));
    EXPECT_EQ(list.summary(), (ListSummary{6, sum}));
    list.set(member(3, 9, State::dead));
    ASSERT_NE(list.find(3), nullptr);
    EXPECT_EQ(*list.find(3), member(3, 9, State::dead));
    list.set(nobody(3, 10));
    EXPECT_EQ(list.find(3), nullptr);
    EXPECT_EQ(list.size(), 1u);
    EXPECT_EQ(list.summary(), (ListSummary{10, digest_of(member(1, 0))}));
}

TEST(OwnList, TheSameAgainIsANewVersionOfTheSameList) {
    OwnList list;
    list.set(member(1, 1));
    list.set(member(1, 2));
    EXPECT_EQ(list.summary(), (ListSummary{2, digest_of(member(1, 0))}));
    list.set(nobody(7, 3));
    EXPECT_EQ(list.summary(), (ListSummary{3, digest_of(member(1, 0))})) << "nobody was there";
}

TEST(OwnList, SaysOfEachPlaceTheLastChange) {
    OwnList list;
    list.set(member(2, 1));
    list.set(member(1, 2));
    list.set(member(2, 4, State::suspect));
    list.set(nobody(1, 5));
    const auto all = list.changes_since(0, plenty);
    ASSERT_TRUE(all);
    EXPECT_THAT(*all, ElementsAre(ListDelta{{}, 0, 5, {nobody(1, 5), member(2, 4, State::suspect)}}));
    EXPECT_THAT(*list.changes_since(4, plenty), ElementsAre(ListDelta{{}, 4, 5, {nobody(1, 5)}}));
    EXPECT_THAT(*list.changes_since(3, plenty), ElementsAre(ListDelta{{}, 3, 5, {nobody(1, 5), member(2, 4, State::suspect)}}));
    EXPECT_THAT(*list.changes_since(5, plenty), IsEmpty());
    EXPECT_THAT(*list.changes_since(99, plenty), IsEmpty()) << "somebody has heard of more than there is";
    list.set(member(1, 8));
    ListEntry newcomer = member(1, 8);
    newcomer.previous = Reason::goodbye;
    EXPECT_THAT(*list.changes_since(4, plenty), ElementsAre(ListDelta{{}, 4, 8, {newcomer}})) << "a place with somebody new in it";
}

TEST(OwnList, ALifeSaysHowTheOneBeforeItEnded) {
    OwnList list;
    const auto previous = [&](std::uint64_t version, Incarnation life, State state) {
        ListEntry entry = member(1, version, state);
        entry.incarnation = life;
        list.set(entry);
        return list.find(1)->previous;
    };
    EXPECT_EQ(previous(1, Incarnation{1}, State::alive), Reason::none) << "nobody was there";
    list.set(nobody(1, 2, Reason::by_operator));
    EXPECT_EQ(previous(3, Incarnation{2}, State::alive), Reason::by_operator);
    EXPECT_EQ(previous(4, Incarnation{2}, State::dead), Reason::by_operator) << "the same life";
    EXPECT_EQ(previous(5, Incarnation{3}, State::alive), Reason::silence) << "it was dead";
    EXPECT_EQ(previous(6, Incarnation{4}, State::alive), Reason::none) << "it was not";
}

TEST(OwnList, DeltasLieOneBehindTheOtherAndKeepTheirSize) {
    OwnList list;
    for (Place place = 0; place < 100; ++place) list.set(member(99 - place, 2 * place + 1));
    const std::size_t room = 3 * encoded_size(member(99, 1));
    const auto deltas = list.changes_since(0, room);
    ASSERT_TRUE(deltas);
    EXPECT_GE(deltas->size(), 33u);
    std::uint64_t heard = 0;
    for (const ListDelta& delta : *deltas) {
        EXPECT_EQ(delta.from, heard);
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < delta.entries.size(); ++i) {
            bytes += encoded_size(delta.entries[i]);
            EXPECT_TRUE(delta.entries[i].version > delta.from && delta.entries[i].version <= delta.to);
            EXPECT_TRUE(i == 0 || delta.entries[i].place > delta.entries[i - 1].place);
        }
        EXPECT_LE(bytes, room);
        heard = delta.to;
    }
    EXPECT_EQ(heard, list.summary().version);
    EXPECT_EQ(list.changes_since(0, 1)->size(), 100u) << "one at least, whatever its size";
}

TEST(OwnList, WhatIsLongAgoIsForgotten) {
    OwnList list;
    list.set(member(1, 1));
    list.set(nobody(1, 2));
    for (std::uint64_t i = 0; i < OwnList::changes_kept; ++i) {
        ASSERT_TRUE(list.changes_since(2, plenty));
        list.set(member(static_cast<Place>(5 + i % 3), 3 + i));
    }
    EXPECT_FALSE(list.changes_since(0, plenty));
    EXPECT_FALSE(list.changes_since(1, plenty));
    ASSERT_TRUE(list.changes_since(2, plenty)) << "as many as are kept";
    EXPECT_EQ(versions(list.changes_since(2, plenty)->front().entries).size(), 3u) << "of the empty place nothing";
    list.set(member(5, 10'000));
    EXPECT_FALSE(list.changes_since(2, plenty));
    EXPECT_TRUE(list.changes_since(3, plenty));
}

TEST(OwnList, WhoLeftAgainIsNotForgottenWithTheFirstTime) {
    OwnList list;
    list.set(nobody(1, 1));
    list.set(member(1, 2));
    list.set(nobody(1, 3));
    for (std::uint64_t i = 0; i < OwnList::changes_kept - 1; ++i) list.set(member(5, 4 + i));
    ASSERT_TRUE(list.changes_since(2, plenty));
    EXPECT_EQ(list.changes_since(2, plenty)->front().entries.front(), nobody(1, 3));
}

TEST(OwnList, PagesCoverEveryPlaceOnce) {
    OwnList list;
    for (Place place = 0; place < 50; ++place) list.set(member(place * 3, place + 1));
    std::vector<Place> named;
    Place begin = 0;
    while (begin != end_of_places) {
        const ListPage page = list.page(begin, end_of_places, 4 * encoded_size(member(100, 1)));
        EXPECT_EQ(page.version, 50u);
        EXPECT_EQ(page.begin, begin);
        ASSERT_GT(page.end, begin);
        EXPECT_LE(page.entries.size(), 5u);
        for (const ListEntry& entry : page.entries) {
            EXPECT_TRUE(entry.place >= begin && entry.place < page.end);
            named.push_back(entry.place);
        }
        begin = page.end;
    }
    ASSERT_EQ(named.size(), 50u);
    for (Place place = 0; place < 50; ++place) EXPECT_EQ(named[place], place * 3);
}

TEST(OwnList, APageIsWhatWasAskedForOrLess) {
    OwnList list;
    for (Place place = 10; place < 20; ++place) list.set(member(place, place));
    EXPECT_EQ(list.page(12, 15, plenty), (ListPage{{}, 19, 12, 15, {member(12, 12), member(13, 13), member(14, 14)}}));
    EXPECT_EQ(list.page(100, 200, plenty), (ListPage{{}, 19, 100, 200, {}}));
    EXPECT_EQ(list.page(0, end_of_places, 1), (ListPage{{}, 19, 0, 11, {member(10, 10)}})) << "one at least, whatever its size";
    EXPECT_EQ(OwnList().page(0, end_of_places, plenty), (ListPage{{}, 0, 0, end_of_places, {}}));
}

TEST(OwnList, GoesOnWhereAnotherStoppedWithoutItsLog) {
    OwnList list;
    list.set(member(9, 3));
    list.restore({member(1, 4), member(2, 7)}, 8);
    EXPECT_EQ(list.find(9), nullptr);
    Digest sum = digest_of(member(1, 0));
    sum += digest_of(member(2, 0));
    EXPECT_EQ(list.summary(), (ListSummary{8, sum}));
    EXPECT_FALSE(list.changes_since(7, plenty)) << "who left until then, it does not know";
    EXPECT_THAT(*list.changes_since(8, plenty), IsEmpty());
    list.set(nobody(1, 9));
    EXPECT_THAT(*list.changes_since(8, plenty), ElementsAre(ListDelta{{}, 8, 9, {nobody(1, 9)}}));
}

}  // namespace
}  // namespace rollcall::engine
