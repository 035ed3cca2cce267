// Whoever may beat may write anything into the pulse. A process does: a million random flips, while a thousand members beat. Those whose
// words it leaves alone are never judged; those whose words it hits may be, by the rules for silence and damage and by nothing else,
// and come back; the engine, the members and the observer live, the damage is counted, and in the end nothing of it is left.
#include <iostream>
#include <map>

#include <gmock/gmock.h>

#include "tests/support/temporary_cluster.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;

constexpr int flips = 1'000'000, members_each = 500;
constexpr Duration flipping = 6s;

class Flips : public ::testing::Test {
protected:
    Flips() {
        cluster.start_engine({"--ring", "262144"});
        for (const char* prefix : {"spared-", "hit-"}) {
            crowds.push_back(cluster.crowd(prefix, members_each, 1));
            EXPECT_EQ(crowds.back().ask("join"), "ok 500");
        }
        EXPECT_EQ(crowds[1].ask("tough"), "ok 500");
    }

    // Reads on, so that the ring never laps us.
    void follow(Observer& observer) {
        while (const auto event = observer.poll()) {
            const std::string node(event->node());
            if (event->kind == Event::gap) ++gaps;
            if (node.starts_with("spared-")) ++spared_events;
            if (!node.starts_with("hit-")) continue;
            ++hit_events[event->kind];
            EXPECT_THAT(event->reason, AnyOf(Reason::join, Reason::silence, Reason::heartbeat)) << node << " " << to_string(event->reason);
        }
    }
    bool are_all_alive() const {
        const auto peers = cluster.observe().snapshot();
        return peers && peers->size() == 2u * members_each && std::all_of(peers->begin(), peers->end(), [](const Peer& p) { return p.state == State::alive; });
    }

    TemporaryCluster cluster;
    std::vector<Process> crowds;
    std::size_t gaps = 0, spared_events = 0;
    std::map<EventKind, int> hit_events;
};

TEST_F(Flips, AMillionInThePulseJudgeNobodyWhoseWordWasNotHitAndLeaveNoTrace) {
    Observer observer = cluster.observe();
    const std::uint64_t repaired_before = observer.info().counters.words_repaired;
    Process flipper = cluster.flipper(flips, flipping, 1, "spared-");
    while (!flipper.has_ended()) {
        follow(observer);
        observer.wait(100ms);
    }
    EXPECT_EQ(flipper.read_line(), "ok 1000000");
    EXPECT_EQ(flipper.wait(), 0);

    EXPECT_TRUE(eventually([this] { return are_all_alive(); }));
    EXPECT_TRUE(eventually([this] { return cluster.run({"dump", "--verify"}).code == 0; })) << cluster.run({"dump", "--verify"}).out;
    follow(observer);
    EXPECT_EQ(gaps, 0u);
    EXPECT_EQ(spared_events, 0u);
    EXPECT_GT(hit_events[EventKind::suspect], 0) << "old stamps were among them";
    EXPECT_GT(observer.info().counters.words_repaired - repaired_before, 10'000u);
    std::cout << flips << " flips: " << hit_events[EventKind::suspect] << " suspected, " << hit_events[EventKind::dead] << " announced dead, " << hit_events[EventKind::evicted]
              << " evicted, all of them hit; " << observer.info().counters.words_repaired - repaired_before << " words repaired\n";
    EXPECT_FALSE(cluster.engine().has_ended());
    for (Process& crowd : crowds) EXPECT_EQ(crowd.ask("calm"), "ok 500");
}

}  // namespace
}  // namespace rollcall::test
