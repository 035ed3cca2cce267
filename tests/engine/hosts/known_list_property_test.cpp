// Whatever gets lost, comes late, twice or in another order, nothing older is believed of another host's list, and in the end both lists are one.
#include "engine/hosts/known_list.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/own_list.hpp"
#include "tests/engine/hosts/claims.hpp"

namespace rollcall::engine {
namespace {

using test::member;
using test::nobody;
using testing::IsEmpty;

constexpr std::size_t plenty = 1 << 20;

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
