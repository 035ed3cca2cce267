// The ring and its commits: how much one step may say, that the rest follows in order, and that every sequence is used exactly once.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::string number(int i) { return "n" + std::to_string(i); }

// A step never publishes more than a quarter of the ring, whatever it is asked to do: readers rely on it.
class Quarter : public testing::TestWithParam<std::uint32_t> {
protected:
    void expect_at_most_a_quarter(TimedCore& core) {
        const auto events = core.take_events();
        EXPECT_LE(events.size(), GetParam() / 4);
        most = std::max(most, events.size());
    }
    std::size_t most = 0;
};
INSTANTIATE_TEST_SUITE_P(Ring, Quarter, testing::Values(64, 128, 1024));

TEST_P(Quarter, BoundsJoins) {
    TimedCore core({.capacity = 2048, .ring = GetParam()});
    for (int i = 0; i < 2000; ++i) core.put(TimedCore::join_request(number(i), 1));
    for (int i = 0; i < 200; ++i) {
        core.step_after(10ms);
        expect_at_most_a_quarter(core);
    }
    EXPECT_GT(most, 0u);
    while (core.core().has_more()) {
        core.step();
        core.take();
    }
    EXPECT_EQ(core.peers().size(), 2000u);
}

TEST_P(Quarter, BoundsReplacementsAndEverybodysLeave) {
    TimedCore core({.capacity = 512, .ring = GetParam()});
    for (int i = 0; i < 300; ++i) core.join(number(i)), core.take();
    for (int i = 0; i < 300; ++i) {
        engine::Request again = TimedCore::join_request(number(i), 7);
        again.is_operator = again.may_replace = true;
        core.put(std::move(again));
    }
    core.put(TimedCore::about({}, engine::Request::Kind::leave_all));
    do {
        core.step_after(10ms);
        expect_at_most_a_quarter(core);
    } while (core.core().has_more());
    EXPECT_TRUE(core.peers().empty());
    EXPECT_EQ(core.counter(engine::Counter::left), 300u);
}

// A pause is an event too, and comes on top of requests that used up their share.
TEST_P(Quarter, BoundsAPauseAfterManyRequests) {
    TimedCore core({.capacity = 512, .ring = GetParam()});
    for (int round = 0; round < 40; ++round) {
        for (int i = 0; i < 400; ++i) core.put(TimedCore::join_request(number(i), 1));
        core.put(TimedCore::about({}, engine::Request::Kind::leave_all));
        for (int i = 0; i < 5 || core.core().has_more(); ++i) {
            core.step_after(2s);
            expect_at_most_a_quarter(core);
        }
    }
}

TEST_P(Quarter, BoundsAMassSilence) {
    TimedCore core({.settings = {10s, 11s, 12s, 13s, 5s}, .capacity = 2048, .ring = GetParam()});
    for (int i = 0; i < 1000; ++i) core.join(number(i)), core.take();
    core.step_after(5s);
    core.step_after(5s);
    for (int i = 0; i < 400 && !core.peers().empty(); ++i) {
        core.step_after(i == 0 ? 5s : 0s);
        expect_at_most_a_quarter(core);
    }
    EXPECT_GE(most, GetParam() / 4 - 1);
    EXPECT_TRUE(core.peers().empty());
}

// Everybody falls silent at once, and the ring is small: it takes many steps, but everybody is judged exactly once and in order. The
// steps between find further silences; they must not make anybody wait for ever, or be told twice.
class MassSilence : public testing::Test {
protected:
    static constexpr int peers = 700;
    MassSilence() : core({.settings = {10s, 11s, 12s, 13s, 5s}, .capacity = 1024, .ring = 256}) {
        for (int i = 0; i < peers; ++i) core.join(number(i)), core.take();
        core.step_after(5s);
        core.step_after(5s);
    }
    // Steps of `each` until nothing more comes.
    std::vector<Event> all_events(Duration each) {
        std::vector<Event> events;
        for (int quiet = 0; quiet < 3;) {
            core.step_after(each);
            const auto some = core.take_events();
            events.insert(events.end(), some.begin(), some.end());
            quiet = some.empty() ? quiet + 1 : 0;
        }
        return events;
    }
    TimedCore core;
};

TEST_F(MassSilence, JudgesEverybodyExactlyOnceAndInOrder) {
    core.step_after(1001ms);
    auto events = core.take_events();
    const auto rest = all_events(0s);
    events.insert(events.end(), rest.begin(), rest.end());
    ASSERT_EQ(events.size(), std::size_t{peers});
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(events[i].kind, Event::suspect);
        EXPECT_TRUE(i == 0 || events[i - 1].slot < events[i].slot);
    }
}

TEST_F(MassSilence, GoesOnWhileTimeGoesOn) {
    const auto events = all_events(1s);
    std::map<std::string, std::vector<EventKind>> told;
    for (const Event& e : events) told[std::string(e.node())].push_back(e.kind);
    ASSERT_EQ(told.size(), std::size_t{peers});
    for (const auto& [node, kinds] : told) EXPECT_THAT(kinds, ElementsAre(Event::suspect, Event::dead, Event::evicted)) << node;
    for (std::size_t i = 1; i < events.size(); ++i) EXPECT_EQ(events[i].sequence, events[i - 1].sequence + 1);
}

// However many peers are judged again and again, those of high slots have their turn.
TEST_F(MassSilence, ReachesEverybodyBeforeItReachesAnybodyTwice) {
    std::set<std::string> suspected, dead;
    for (int i = 0; i < 1000 && suspected.size() < peers; ++i) {
        core.step_after(i == 0 ? 3s : 0s);
        for (const Event& e : core.take_events()) {
            if (e.kind == Event::suspect) suspected.insert(std::string(e.node()));
            EXPECT_TRUE(e.kind != Event::evicted || suspected.size() == peers) << "somebody was evicted while others were not even suspected";
        }
    }
    EXPECT_EQ(suspected.size(), std::size_t{peers});
}

// A flood of requests, more than the ring can take in a step, step after step: silence is judged all the same.
TEST(Commits, FloodOfRequestsDoesNotKeepTheDetectorFromLooking) {
    TimedCore core({.ring = 64});
    core.join("a");
    core.join("busy");
    core.take();
    bool was_suspected = false;
    for (int i = 0; i < 320 && !was_suspected; ++i) {
        for (int n = 0; n < 40; ++n) {
            engine::Request update = TimedCore::about("busy", engine::Request::Kind::update);
            update.endpoint = std::to_string(n);
            core.put(std::move(update));
        }
        core.advance(10ms);
        core.beat("busy");
        core.step();
        for (const Event& e : core.take_events()) was_suspected |= line_of(e) == "suspect a silence";
    }
    EXPECT_TRUE(was_suspected);
}

// A commit ends at 64 events, and a peer that may need two of them finds room for both; a step does not end.
TEST(Commits, HoldAtMostSixtyFourEvents) {
    constexpr int peers = 10'000;
    TimedCore core({.settings = {10s, 11s, 12s, 13s, 5s}, .capacity = 16'384, .ring = 65'536});
    const auto publications = [&] { return core.roster().header().selector.load() & 0xFFFF; };
    for (int i = 0; i < peers; ++i) core.put(TimedCore::join_request(number(i), 1));
    while (core.step(), core.core().has_more()) {}
    EXPECT_EQ(core.take().size(), std::size_t{peers});
    core.step_after(5s);
    core.step_after(5s);
    const auto before = publications();
    core.step_after(1001ms);
    EXPECT_EQ(core.take().size(), std::size_t{peers});
    EXPECT_EQ(publications() - before, (peers + 62u) / 63);
}

TEST(Commits, QuietStepPublishesNothing) {
    TimedCore core;
    core.join("a");
    core.run(1s);
    const auto before = core.roster().header().selector.load();
    core.run(1s, {"a"});
    EXPECT_EQ(core.roster().header().selector.load(), before);
    EXPECT_FALSE(core.core().has_published());
}

// What was prepared is what is published, and every event's sequence is one more than the last one's, over many rounds of the ring.
TEST(Commits, SequencesHaveNoHole) {
    TimedCore core({.ring = 64});
    Sequence last{};
    for (int i = 0; i < 500; ++i) {
        core.join("a");
        if (i % 3 == 0) core.replace("a");
        core.leave("a");
        core.step_after(i % 7 == 0 ? 2s : 10ms);
        for (const Event& e : core.take_events()) {
            EXPECT_EQ(e.sequence, last + 1);
            last = e.sequence;
        }
    }
    EXPECT_EQ(core.checkpoint().head, last);
    EXPECT_EQ(core.roster().header().prepared.load(), last.value);
}

}  // namespace
}  // namespace rollcall::test
