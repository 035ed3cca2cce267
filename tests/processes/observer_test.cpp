// Observers: whatever one of them missed, its view is the roster in the end; how much it missed is told by exactly one gap.
#include <csignal>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "tests/support/roster_text.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The smallest ring there is, so that it is soon lapped.
class Observers : public ::testing::Test {
protected:
    static constexpr int ring = 64;
    Observers() {
        std::vector<std::string> flags = calm;
        flags.insert(flags.end(), {"--ring", std::to_string(ring)});
        cluster.start_engine(flags);
    }

    std::string text_of_roster() const {
        auto peers = cluster.observe().snapshot();
        return peers ? roster_text(*peers) : peers.error().message;
    }

    // What a `fold` says it saw, after it has written its view to a file; that view is the roster's.
    std::string report(Process& fold) {
        const std::string file = cluster.dir() + "/view";
        const std::string said = fold.ask(file);
        std::ifstream in(file);
        EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text_of_roster());
        return said;
    }

    TemporaryCluster cluster;
};

// It sleeps through 1 event, through half a ring, a ring, many of them. As long as the ring holds what it missed there is no gap.
TEST_F(Observers, OneThatSleptHasOneGapAndTheRightView) {
    Process a = cluster.puppet();
    a.ask("join a; join b; join c");
    for (const int missed : {1, ring / 2, ring - 1, ring, ring + 1, ring + ring / 4, 2 * ring, 10 * ring, 1000}) {
        Process fold = cluster.fold();
        ASSERT_EQ(fold.read_line(), "ready");
        fold.stop();
        const std::string answer = a.ask("churn x " + std::to_string(missed));
        ASSERT_EQ(answer, "ok " + std::to_string(missed));
        fold.go_on();
        const std::string expected = missed <= ring ? "events " + std::to_string(missed) + " gaps 0" : "events 0 gaps 1";
        EXPECT_THAT(report(fold), StartsWith(expected + " holes 0")) << "after " << missed << " events";

        // From then on it sees everything again.
        a.ask("join last; leave last");
        const std::string more = missed <= ring ? "events " + std::to_string(missed + 2) + " gaps 0" : "events 2 gaps 1";
        EXPECT_THAT(report(fold), StartsWith(more + " holes 0")) << "after " << missed << " events";
    }
}

// The watch tells the range that it will never see, and goes on behind it.
TEST_F(Observers, AWatchThatSleptSaysWhatItMissed) {
    Process a = cluster.puppet();
    a.ask("join a");
    Watch watch(cluster);
    watch.catch_up();
    watch.process().stop();
    a.ask("churn x 500");
    watch.process().go_on();
    const SeenEvent gap = watch.until("gap");
    EXPECT_EQ(gap.from, 2u);
    EXPECT_EQ(gap.to, gap.sequence);
    EXPECT_LT(*gap.to, 501u);
    watch.catch_up();
    const auto& seen = watch.seen();
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const SeenEvent& e) { return e.event == "gap"; }), 1);
    EXPECT_TRUE(watch.is_whole()) << "the gap begins behind what was seen, and what follows it is complete";
    EXPECT_EQ(seen.back().sequence, 501u);
}

// `--from` names what was seen last: the next one follows, what the ring has lost is one gap, and so is another stream.
TEST_F(Observers, AWatchGoesOnWhereItWasOrSaysThatItCannot) {
    Process a = cluster.puppet();
    a.ask("join a; churn x 200");
    const std::string stream = cluster.stream();
    const auto first_of = [&](const std::string& from) {
        const auto output = cluster.run({"watch", "--json", "--from", from, "--count", "1", "--timeout", "30s"});
        EXPECT_EQ(output.code, 0) << from;
        return read_event(output.out);
    };
    EXPECT_EQ(first_of("190@" + stream).sequence, 191u);
    EXPECT_EQ(first_of("190").sequence, 191u);
    EXPECT_EQ(first_of("0").sequence, 201u - ring + 1) << "all that is still there, without a gap";
    const SeenEvent old = first_of("3@" + stream);
    EXPECT_EQ(old.event, "gap");
    EXPECT_EQ(old.from, 4u);
    const SeenEvent other = first_of("3@00000000deadbeef");
    EXPECT_EQ(other.event, "gap");
    EXPECT_EQ(other.stream, stream);
}

// follow() does all of it for its user: a gap is one step, with the view already right.
TEST_F(Observers, FollowEndsWithTheRoster) {
    Process a = cluster.puppet();
    a.ask("join a; join b");
    const std::string file = cluster.dir() + "/view";
    Process fold = cluster.fold(file);
    ASSERT_EQ(fold.read_line(), "ready");
    fold.stop();
    a.ask("churn x 333");
    fold.go_on();
    a.ask("churn y 10; join the-end");
    EXPECT_THAT(fold.read_line().value_or(""), HasSubstr(" gaps 1 holes 0"));
    EXPECT_EQ(fold.wait(), 0);
    std::ifstream in(file);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text_of_roster());
}

// The memory is removed and made anew while a watch runs: it finds the new one, says with one gap that it knows nothing of the time between,
// and goes on there.
TEST_F(Observers, AWatchFindsAMemoryThatWasMadeAnew) {
    Process a = cluster.puppet();
    a.ask("join a");
    Watch watch(cluster);
    watch.catch_up();
    ASSERT_EQ(cluster.run({"stop", "--remove"}).code, 0);
    cluster.engine().wait();
    cluster.start_engine();
    Process b = cluster.puppet();
    b.ask("join b");
    watch.until("gap");
    b.ask("join c");
    watch.until("joined", "c");
    EXPECT_NE(watch.seen().back().stream, watch.seen().front().stream);
    EXPECT_EQ(watch.seen().back().stream, cluster.stream());
}

// Four processes change the roster as fast as they can. Snapshots are taken at any moment; each, with the events after it, must come to the
// same membership in the end. The ring is the default one here, so that none of them is lapped and the events alone carry them.
TEST(ObserversUnderLoad, ASnapshotAtAnyMomentAndWhatFollowsIsTheRoster) {
    TemporaryCluster cluster;
    cluster.start_engine(calm);
    std::vector<Process> members;
    for (int i = 0; i < 4; ++i) {
        members.push_back(cluster.puppet());
        members.back().ask("join steady" + std::to_string(i));
        members.back().write_line("churn m" + std::to_string(i) + " 3000");
    }
    struct Fold {
        Observer observer;
        View view;
    };
    std::vector<Fold> folds;
    const auto read_on = [&](Fold& fold) {
        while (const auto event = fold.observer.poll()) {
            ASSERT_NE(event->kind, EventKind::gap);
            ASSERT_EQ(event->sequence, fold.view.at() + 1) << "no hole, nothing twice";
            ASSERT_TRUE(fold.view.apply(*event, fold.observer));
        }
    };
    for (int i = 0; i < 60; ++i) {
        folds.push_back({cluster.observe(), {}});
        ASSERT_TRUE(folds.back().view.resync(folds.back().observer));
        for (std::size_t j = 0; j < folds.size(); j += 7) ASSERT_NO_FATAL_FAILURE(read_on(folds[j]));
        std::this_thread::sleep_for(10ms);
    }
    for (Process& member : members) EXPECT_EQ(member.read_line(), "ok 3000");
    for (Fold& fold : folds) ASSERT_NO_FATAL_FAILURE(read_on(fold));

    const auto roster = cluster.observe().snapshot();
    ASSERT_TRUE(roster);
    const std::string expected = roster_text(*roster);
    const Sequence head = cluster.observe().info().head;
    for (const Fold& fold : folds) {
        ASSERT_EQ(fold.view.at(), head);
        ASSERT_EQ(roster_text(fold.view), expected);
    }
}

}  // namespace
}  // namespace rollcall::test
