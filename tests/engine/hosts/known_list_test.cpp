// What is heard of another host's list: whatever gets lost, comes late, twice or in another order, nothing older is believed, and in the end both lists are one.
#include "engine/hosts/known_list.hpp"

#include <map>
#include <random>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/own_list.hpp"

namespace rollcall::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t plenty = 1 << 20;
using Range = KnownList::Range;

ListEntry member(Place place, std::uint64_t version, State state = State::alive) {
    ListEntry entry;
    entry.place = place;
    entry.version = version;
    entry.state = state;
    entry.reason = state == State::alive ? Reason::join : Reason::silence;
    entry.incarnation = Incarnation{100 + place};
    entry.node = "node" + std::to_string(place);
    return entry;
}
ListEntry nobody(Place place, std::uint64_t version, Reason reason = Reason::goodbye) {
    ListEntry entry;
    entry.place = place;
    entry.version = version;
    entry.reason = reason;
    return entry;
}
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

// The host's truth, all that it ever was, and packets on their way.
class Exchange {
public:
    Exchange(unsigned seed, std::size_t max_bytes) : random_(seed), max_bytes_(max_bytes) {}

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            step();
            check();
        }
    }

    // All that was not heard, in whatever order, while nothing changes any more.
    void finish_by_deltas() {
        const auto deltas = own_.changes_since(known_.complete(), max_bytes_);
        ASSERT_TRUE(deltas);
        for (const ListDelta& d : *deltas) packets_.push_back(d);
        deliver_all();
        expect_converged();
    }
    // Pages get lost. Or members come and go meanwhile, and pages from before are still on their way: what they were too early for is asked for afterwards.
    void finish_by_pages(bool is_moving) {
        if (!is_moving) packets_.clear();
        known_.start_over(own_.summary().version);
        for (int rounds = 0; !known_.missing().empty() && rounds < 10'000; ++rounds) {
            const auto [begin, end] = known_.missing()[pick(known_.missing().size())];
            const ListPage sent = own_.page(begin, end, max_bytes_);
            if (is_moving && chance(30)) change();
            if (chance(20)) continue;
            if (chance(20)) packets_.push_back(sent);
            else apply(sent);
            if (is_moving && chance(30)) emit_deltas();
            if (chance(30)) deliver();
            check();
        }
        ASSERT_THAT(known_.missing(), IsEmpty());
        if (is_moving) finish_by_deltas();
        else expect_converged();
    }

private:
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    bool chance(std::uint64_t of_100) { return pick(100) < of_100; }

    void step() {
        const std::uint64_t what = pick(100);
        if (what < 30) change();
        else if (what < 50) emit_deltas();
        else if (what < 58) emit_page();
        else if (what < 90) deliver();
        else if (what < 96) sum_up();
        else if (what < 98) known_.start_over(own_.summary().version);
        else if (chance(50)) packets_.clear();
    }

    void change() {
        const auto place = static_cast<Place>(pick(12));
        version_ += 1 + pick(3);  // of events between, nobody of ours is concerned
        ListEntry entry = own_.find(place) != nullptr && chance(40) ? nobody(place, version_) : member(place, version_, chance(70) ? State::alive : State::suspect);
        if (entry.state != State::none) {
            entry.incarnation = Incarnation{1 + pick(3)};
            if (chance(30)) entry.endpoint = std::string(pick(60), 'e');
        }
        own_.set(entry);
        truth_[place][version_] = entry;
        summaries_.push_back(own_.summary());
    }
    // What is new, or more.
    void emit_deltas() {
        const std::uint64_t since = chance(60) ? emitted_ : pick(version_ + 1);
        const auto deltas = own_.changes_since(since, max_bytes_);
        for (const ListDelta& d : *deltas) packets_.push_back(d);
        emitted_ = version_;
    }
    void emit_page() {
        const auto begin = static_cast<Place>(pick(12)), end = chance(30) ? end_of_places : static_cast<Place>(begin + 1 + pick(8));
        packets_.push_back(own_.page(begin, end, max_bytes_));
    }

    void deliver() {
        if (packets_.empty()) return;
        const std::size_t at = pick(packets_.size());
        const Packet packet = packets_[at];
        if (!chance(25)) packets_.erase(packets_.begin() + static_cast<std::ptrdiff_t>(at));
        if (!chance(20)) std::visit([&](const auto& p) { apply(p); }, packet);
    }
    void deliver_all() {
        std::shuffle(packets_.begin(), packets_.end(), random_);
        for (const Packet& packet : packets_) std::visit([&](const auto& p) { apply(p); }, packet);
        packets_.clear();
        check();
    }
    // An older summary may match, but then it is right.
    void sum_up() {
        const ListSummary heard = summaries_.empty() || chance(50) ? own_.summary() : summaries_[pick(summaries_.size())];
        if (known_.match(heard)) {
            EXPECT_GE(known_.complete(), heard.version);
        }
    }

    template <class Packed>
    void apply(const Packed& packet) {
        const auto before = claims();
        std::vector<Place> changed;
        ASSERT_TRUE(known_.apply(packet, changed));
        const auto after = claims();
        std::vector<Place> differ;
        for (Place place = 0; place < 12; ++place)
            if (before.contains(place) != after.contains(place) || (before.contains(place) && before.at(place) != after.at(place))) differ.push_back(place);
        EXPECT_EQ(changed, differ);
        note(packet);
    }
    std::map<Place, Digest> claims() const {
        std::map<Place, Digest> all;
        known_.each([&](const ListEntry& entry) { all[entry.place] = digest_of(entry); });
        return all;
    }

    // What was told of each place, and as of when.
    void note(const ListDelta& d) {
        for (const ListEntry& entry : d.entries) told_[entry.place] = std::max(told_[entry.place], entry.version);
    }
    void note(const ListPage& p) {
        for (Place place = p.begin; place < std::min<Place>(p.end, 12); ++place) told_[place] = std::max(told_[place], p.version);
    }

    void check() {
        Digest sum;
        std::size_t count = 0;
        known_.each([&](const ListEntry& entry) {
            sum += digest_of(entry);
            ++count;
        });
        ASSERT_EQ(known_.digest(), sum);
        ASSERT_EQ(known_.size(), count);
        for (Place place = 0; place < 12; ++place) check(place);
    }
    void check(Place place) {
        const auto& history = truth_[place];
        const ListEntry* known = known_.find(place);
        const bool is_claimed = known != nullptr && known->state != State::none;
        const auto last_told = history.upper_bound(told_[place]);
        const std::uint64_t told = last_told == history.begin() ? 0 : std::prev(last_told)->first;
        // By what is said, not by version: a match may have come before the delta that said the same again.
        bool was_so = told == 0 && !is_claimed;
        for (auto at = history.lower_bound(told); at != history.end(); ++at)
            was_so = was_so || (is_claimed ? digest_of(*known) == digest_of(at->second) : at->second.state == State::none);
        ASSERT_TRUE(was_so) << "place " << place << " was not so since " << told << ", which was heard";
        if (!history.empty() && history.rbegin()->first > known_.complete()) return;
        const ListEntry* own = own_.find(place);
        ASSERT_EQ(is_claimed, own != nullptr) << "place " << place << " is said to be known up to " << known_.complete();
        if (own != nullptr) {
            ASSERT_EQ(digest_of(*known), digest_of(*own)) << place;
        }
    }

    void expect_converged() {
        if (testing::Test::HasFailure()) return;
        ASSERT_EQ(known_.size(), own_.size());
        ASSERT_TRUE(known_.match(own_.summary()));
        ASSERT_THAT(known_.missing(), IsEmpty());
        ASSERT_GE(known_.complete(), own_.summary().version);
        check();
    }

    using Packet = std::variant<ListDelta, ListPage>;
    std::mt19937_64 random_;
    std::size_t max_bytes_;
    OwnList own_;
    KnownList known_{1000};
    std::uint64_t version_ = 0, emitted_ = 0;
    std::vector<Packet> packets_;
    std::vector<ListSummary> summaries_;
    std::map<Place, std::map<std::uint64_t, ListEntry>> truth_;
    std::map<Place, std::uint64_t> told_;
};

class Exchanges : public testing::TestWithParam<std::size_t> {
protected:
    // Many seeds, with packets of this size.
    template <class Finish>
    void each_run(unsigned runs, Finish finish) {
        for (unsigned seed = 0; seed < runs && !HasFailure(); ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            Exchange exchange(seed, GetParam());
            exchange.run(120);
            finish(exchange);
        }
    }
};

TEST_P(Exchanges, ConvergeWithAllDeltas) {
    each_run(60, [](Exchange& e) { e.finish_by_deltas(); });
}
TEST_P(Exchanges, ConvergeWithAllPages) {
    each_run(60, [](Exchange& e) { e.finish_by_pages(false); });
}
TEST_P(Exchanges, ConvergeWithPagesWhileMembersComeAndGo) {
    each_run(60, [](Exchange& e) { e.finish_by_pages(true); });
}
TEST_P(Exchanges, ConvergeAgainAndAgain) {
    each_run(20, [](Exchange& e) {
        for (int i = 0; i < 4; ++i) {
            e.finish_by_deltas();
            e.run(40);
            e.finish_by_pages(i % 2 == 0);
            e.run(40);
        }
        e.finish_by_deltas();
    });
}
INSTANTIATE_TEST_SUITE_P(, Exchanges, testing::Values(1, 100, plenty));

}  // namespace
}  // namespace rollcall::engine
