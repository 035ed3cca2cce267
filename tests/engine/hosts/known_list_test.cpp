// What is heard of another host's list: what each delta, page and summary changes, and what it leaves as it is.
#include "engine/hosts/known_list.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/hosts/claims.hpp"

namespace rollcall::engine {
namespace {

using test::member;
using test::nobody;
using testing::ElementsAre;
using testing::IsEmpty;

using Range = KnownList::Range;

ListDelta delta(std::uint64_t from, std::uint64_t to, std::vector<ListEntry> entries) { return {{}, from, to, std::move(entries)}; }
ListPage page(std::uint64_t version, Place begin, Place end, std::vector<ListEntry> entries) { return {{}, version, begin, end, std::move(entries)}; }

// A list, and what the last application changed.
struct Heard {
    explicit Heard(std::size_t max_entries = 1000) : list(max_entries) {}

    bool operator()(const ListDelta& d) { return list.apply(d, changed); }
    bool operator()(const ListPage& p) { return list.apply(p, changed); }
    std::vector<Place> places() const {
        std::vector<Place> all;
        list.each([&](const ListEntry& entry) { all.push_back(entry.place); });
        return all;
    }

    KnownList list;
    std::vector<Place> changed{99};
};

TEST(KnownList, FollowsDeltas) {
    Heard heard;
    EXPECT_TRUE(heard(delta(0, 2, {member(1, 1), member(2, 2)})));
    EXPECT_THAT(heard.changed, ElementsAre(1, 2));
    EXPECT_EQ(heard.list.complete(), 2u);
    EXPECT_TRUE(heard(delta(2, 4, {nobody(1, 4), member(3, 3)})));
    EXPECT_THAT(heard.changed, ElementsAre(1, 3));
    EXPECT_THAT(heard.places(), ElementsAre(2, 3));
    EXPECT_EQ(heard.list.size(), 2u);
    ASSERT_NE(heard.list.find(1), nullptr);
    EXPECT_EQ(*heard.list.find(1), nobody(1, 4)) << "why it is empty";
    EXPECT_EQ(heard.list.find(7), nullptr);
    Digest sum = digest_of(member(2, 0));
    sum += digest_of(member(3, 0));
    EXPECT_EQ(heard.list.digest(), sum);
    EXPECT_FALSE(heard.list.match({4, {}}));
    EXPECT_TRUE(heard.list.match({4, sum}));
    EXPECT_EQ(heard.list.find(1), nullptr) << "all is known: nothing is left to say of it";
}

TEST(KnownList, WhatIsNotNewerChangesNothing) {
    Heard heard;
    heard(delta(0, 5, {member(1, 3), member(2, 5)}));
    for (const ListDelta& stale : {delta(0, 5, {member(1, 3), member(2, 5)}), delta(0, 2, {member(1, 2, State::suspect)}), delta(1, 4, {nobody(2, 4)}), delta(2, 3, {member(3, 3)})}) {
        EXPECT_TRUE(heard(stale));
        EXPECT_THAT(heard.changed, IsEmpty());
    }
    EXPECT_TRUE(heard(page(4, 0, end_of_places, {member(1, 3)})));
    EXPECT_THAT(heard.changed, IsEmpty());
    EXPECT_THAT(heard.places(), ElementsAre(1, 2));
    EXPECT_EQ(heard.list.complete(), 5u);
    EXPECT_TRUE(heard(delta(5, 6, {member(1, 6)})));
    EXPECT_THAT(heard.changed, IsEmpty()) << "a new version of the same claim";
    EXPECT_EQ(heard.list.complete(), 6u);
}

TEST(KnownList, AGapIsNotBridged) {
    Heard heard;
    heard(delta(0, 1, {member(1, 1)}));
    EXPECT_TRUE(heard(delta(2, 3, {member(3, 3)})));
    EXPECT_THAT(heard.places(), ElementsAre(1, 3)) << "what is known is known";
    EXPECT_EQ(heard.list.complete(), 1u);
    EXPECT_TRUE(heard(delta(0, 2, {member(1, 1), member(2, 2)}))) << "it may begin before the gap";
    EXPECT_EQ(heard.list.complete(), 2u);
    EXPECT_THAT(heard.places(), ElementsAre(1, 2, 3));
}

TEST(KnownList, WhoLeftDoesNotComeBackWithALateDelta) {
    Heard heard;
    heard(delta(3, 4, {nobody(1, 4)}));
    heard(delta(0, 2, {member(1, 1), member(2, 2)}));
    EXPECT_THAT(heard.places(), ElementsAre(2));
    ASSERT_TRUE(heard.list.match({4, digest_of(member(2, 0))}));
    EXPECT_EQ(heard.list.complete(), 4u);
    heard(delta(2, 3, {member(1, 3)}));
    EXPECT_THAT(heard.places(), ElementsAre(2)) << "even when its going was forgotten";
}

TEST(KnownList, APageIsEverybodyInItsRange) {
    Heard heard;
    heard(delta(0, 4, {member(1, 1), member(2, 2), member(3, 3), member(9, 4)}));
    EXPECT_TRUE(heard(page(7, 2, 9, {member(3, 6, State::dead), member(5, 7)})));
    EXPECT_THAT(heard.changed, ElementsAre(2, 3, 5));
    EXPECT_THAT(heard.places(), ElementsAre(1, 3, 5, 9));
    EXPECT_EQ(heard.list.complete(), 4u) << "of the others nothing was said";
    heard(delta(4, 6, {nobody(2, 5), member(3, 6, State::dead)}));
    EXPECT_EQ(heard.list.complete(), 6u);
    heard(delta(6, 7, {member(5, 7)}));
    EXPECT_EQ(heard.list.complete(), 7u);
}

TEST(KnownList, AfterAPageNobodyOlderAppearsInItsRange) {
    Heard heard;
    heard.list.start_over(5);
    heard(page(5, 0, 100, {member(1, 1)}));
    heard(delta(2, 3, {member(7, 3)}));
    EXPECT_THAT(heard.places(), ElementsAre(1)) << "at version 5 place 7 was empty";
    heard(page(4, 0, 50, {member(1, 1), member(7, 3)}));
    EXPECT_THAT(heard.places(), ElementsAre(1));
    heard(delta(5, 6, {member(7, 6)}));
    EXPECT_THAT(heard.places(), ElementsAre(1, 7));
}

TEST(KnownList, ATransferIsOverWhenEveryRangeIsFilled) {
    Heard heard;
    heard(delta(0, 3, {member(1, 1), member(20, 2), member(30, 3)}));
    EXPECT_THAT(heard.list.missing(), IsEmpty());
    heard.list.start_over(10);
    EXPECT_THAT(heard.list.missing(), ElementsAre(Range(0, end_of_places)));
    EXPECT_EQ(heard.list.complete(), 0u);
    EXPECT_THAT(heard.places(), ElementsAre(1, 20, 30)) << "nobody has contradicted";
    heard(page(10, 5, 25, {member(20, 2)}));
    EXPECT_THAT(heard.list.missing(), ElementsAre(Range(0, 5), Range(25, end_of_places)));
    heard(page(11, 25, end_of_places, {}));
    EXPECT_THAT(heard.changed, ElementsAre(30));
    heard(page(11, 3, 10, {}));
    EXPECT_THAT(heard.list.missing(), ElementsAre(Range(0, 3)));
    heard(delta(9, 12, {nobody(30, 11), member(40, 12)}));
    EXPECT_EQ(heard.list.complete(), 0u);
    heard(page(11, 0, 4, {member(1, 1)}));
    EXPECT_THAT(heard.list.missing(), IsEmpty());
    EXPECT_EQ(heard.list.complete(), 11u) << "what was filled before the delta is as new as it; place 0 to 4 is not";
    EXPECT_THAT(heard.places(), ElementsAre(1, 20, 40));
}

TEST(KnownList, ATransferOfTheOldStateIsNoTransfer) {
    Heard heard;
    heard(delta(0, 5, {member(1, 5)}));
    heard.list.start_over(5);
    heard(page(3, 0, end_of_places, {member(2, 2)}));
    EXPECT_THAT(heard.changed, IsEmpty());
    EXPECT_THAT(heard.list.missing(), ElementsAre(Range(0, end_of_places)));
}

TEST(KnownList, APageThatADeltaOvertookStillCounts) {
    Heard heard;
    heard(delta(0, 3, {member(1, 1), member(2, 3)}));
    heard.list.start_over(3);
    heard(delta(3, 5, {member(1, 5, State::suspect)}));
    EXPECT_THAT(heard.changed, ElementsAre(1));
    heard(page(4, 0, end_of_places, {member(1, 1), member(2, 3)}));
    EXPECT_THAT(heard.changed, IsEmpty());
    EXPECT_THAT(heard.list.missing(), IsEmpty());
    EXPECT_EQ(heard.list.complete(), 4u);
}

TEST(KnownList, AMatchEndsATransfer) {
    Heard heard;
    heard(delta(0, 5, {member(1, 5)}));
    heard.list.start_over(5);
    EXPECT_TRUE(heard.list.match({6, digest_of(member(1, 0))}));
    EXPECT_THAT(heard.list.missing(), IsEmpty());
    EXPECT_EQ(heard.list.complete(), 6u);
}

TEST(KnownList, AMatchWithWhatWasBeforeForgetsNothing) {
    Heard heard;
    heard(delta(0, 1, {member(1, 1)}));
    heard(delta(3, 4, {nobody(2, 4)}));
    EXPECT_TRUE(heard.list.match({1, digest_of(member(1, 0))}));
    heard(delta(2, 3, {member(2, 3)}));
    EXPECT_THAT(heard.places(), ElementsAre(1)) << "who left later than that has left";
    heard(delta(0, 7, {member(1, 7)}));
    EXPECT_TRUE(heard.list.match({5, digest_of(member(1, 0))}));
    EXPECT_EQ(heard.list.complete(), 7u);
}

TEST(KnownList, AnEmptyListMatchesAtOnce) {
    KnownList list(4);
    EXPECT_TRUE(list.match({9, {}}));
    EXPECT_EQ(list.complete(), 9u);
}

TEST(KnownList, WhatWasMadeUpIsForgottenByStartingOver) {
    constexpr std::uint64_t far = sequence_limit - 1;
    const auto heal = [](auto lie) {
        Heard heard;
        heard(delta(0, 2, {member(1, 1), member(2, 2)}));
        lie(heard);
        heard.list.start_over(2);
        EXPECT_TRUE(heard(page(2, 0, end_of_places, {member(1, 1), member(2, 2)})));
        EXPECT_EQ(heard.list.complete(), 2u);
        EXPECT_THAT(heard.places(), ElementsAre(1, 2));
        ASSERT_NE(heard.list.find(1), nullptr);
        EXPECT_EQ(*heard.list.find(1), member(1, 1));
        EXPECT_TRUE(heard(delta(2, 3, {member(1, 3, State::dead)})));
        EXPECT_THAT(heard.changed, ElementsAre(1));
        EXPECT_EQ(heard.list.complete(), 3u);
    };
    heal([](Heard& heard) { heard(delta(0, far, {})); });
    heal([](Heard& heard) { heard(delta(0, far, {member(1, far, State::dead), member(3, far)})); });
    heal([](Heard& heard) { heard(delta(far - 1, far, {nobody(1, far)})); });
    heal([](Heard& heard) { heard(page(far, 0, end_of_places, {})); });
    heal([](Heard& heard) { heard(page(far, 0, 2, {member(0, 1), member(1, 1, State::suspect)})); });
    heal([](Heard& heard) { heard(delta(1, 2, {member(7, 2)})); });
    heal([](Heard& heard) { EXPECT_TRUE(heard.list.match({far, heard.list.digest()})); });
}

TEST(KnownList, HoldsNoMoreThanItMay) {
    Heard heard(3);
    EXPECT_TRUE(heard(delta(0, 3, {member(1, 1), member(2, 2), member(3, 3)})));
    EXPECT_FALSE(heard(delta(3, 5, {member(2, 5, State::suspect), member(4, 4)})));
    EXPECT_THAT(heard.changed, ElementsAre(2)) << "the rest is taken";
    EXPECT_THAT(heard.places(), ElementsAre(1, 2, 3));
    EXPECT_EQ(heard.list.complete(), 3u) << "what was left out was not heard";
    EXPECT_TRUE(heard(delta(3, 6, {nobody(1, 6), member(2, 5, State::suspect), member(4, 4)}))) << "who leaves makes room";
    EXPECT_THAT(heard.places(), ElementsAre(2, 3, 4));
    EXPECT_EQ(heard.list.complete(), 6u);
    EXPECT_FALSE(heard(page(7, 0, end_of_places, {member(1, 7), member(2, 5, State::suspect), member(3, 3), member(4, 4)})));
    EXPECT_EQ(heard.list.size(), 3u);
    EXPECT_EQ(heard.list.complete(), 6u);
    EXPECT_TRUE(heard(page(8, 0, end_of_places, {member(1, 7), member(3, 3), member(4, 4)})));
    EXPECT_THAT(heard.places(), ElementsAre(1, 3, 4));
}

TEST(KnownList, EmptyPlacesDoNotFillMemory) {
    Heard heard(3);
    std::vector<ListEntry> gone;
    for (Place place = 0; place < 100; ++place) gone.push_back(nobody(place, place + 1));
    EXPECT_FALSE(heard(delta(0, 100, gone)));
    EXPECT_EQ(heard.list.complete(), 0u);
    EXPECT_TRUE(heard.list.match({100, {}}));
    EXPECT_EQ(heard.list.complete(), 100u);
    EXPECT_TRUE(heard(delta(100, 103, {nobody(101, 101), nobody(102, 102), nobody(103, 103)}))) << "there is room again";
    for (std::uint64_t version = 104; version < 400; version += 2) {  // each somewhere else
        const auto place = static_cast<Place>(version);
        heard(delta(version - 1, version, {member(place, version)}));
        heard(delta(version, version + 1, {nobody(place, version + 1)}));
        EXPECT_EQ(heard.list.size(), 0u) << "whoever leaves is gone, whether there is room to remember it or not";
    }
    EXPECT_TRUE(heard.list.match({400, {}}));
    for (std::uint64_t version = 401; version < 420; version += 2) {  // always the same
        EXPECT_TRUE(heard(delta(version - 1, version, {member(1, version)})));
        EXPECT_TRUE(heard(delta(version, version + 1, {nobody(1, version + 1)})));
    }
    EXPECT_TRUE(heard(delta(420, 422, {member(1, 421), nobody(2, 422)})));
    EXPECT_TRUE(heard(delta(422, 424, {nobody(3, 423), nobody(4, 424)}))) << "where somebody is again, nothing is remembered";
}

TEST(KnownList, PagesInNoOrderDoNotFillMemory) {
    Heard heard;
    heard.list.start_over(1);
    Place place = 10;
    for (std::uint64_t version = 1; heard(page(version, place, place + 1, {})); ++version, place += 2) ASSERT_LT(place, 20'000u);
    const std::vector<Range> missing = heard.list.missing();
    EXPECT_LE(missing.size(), 4096u);
    EXPECT_TRUE(heard(page(10'000, 0, 2, {}))) << "of whoever begins at the beginning every page counts";
    EXPECT_TRUE(heard(page(10'001, 2, 5, {})));
    EXPECT_EQ(heard.list.missing().front(), Range(5, 10));
    for (std::size_t i = 0; i < missing.size(); ++i) EXPECT_TRUE(heard(page(10'002 + i, missing[i].first, missing[i].second, {})));
    EXPECT_THAT(heard.list.missing(), IsEmpty());
    EXPECT_GE(heard.list.complete(), 1u);
}

TEST(KnownList, ManyPagesOfManyVersionsAreOneTransfer) {
    Heard heard(20'000);
    heard.list.start_over(1);
    for (Place place = 0; place < 10'000; ++place) ASSERT_TRUE(heard(page(10'000 + place, place, place + 1, {member(place, place + 1)})));
    ASSERT_TRUE(heard(page(20'000, 10'000, end_of_places, {})));
    EXPECT_THAT(heard.list.missing(), IsEmpty());
    EXPECT_EQ(heard.list.size(), 10'000u);
    EXPECT_EQ(heard.list.complete(), 10'000u);
}

}  // namespace
}  // namespace rollcall::engine
