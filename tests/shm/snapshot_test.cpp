// The exact snapshot: at every moment of a commit, of a dead engine, and under a writer that never stops.
#include "shm/snapshot.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "tests/shm/interruptions.hpp"
#include "tests/shm/page_trap.hpp"
#include "tests/shm/scribe.hpp"

namespace rollcall::shm {
namespace {

using test::difference;
using test::Scribe;

TEST(Snapshot, OfANewMemoryIsEmptyAndExact) {
    const Segment segment = test::private_segment();
    Image image;
    ASSERT_EQ(take_snapshot(segment.roster(), image), Snapshot::exact);
    EXPECT_TRUE(image.slots.empty());
    EXPECT_EQ(image.at, Sequence{0});
}

TEST(Snapshot, OfQuietMemoryIsTheRoster) {
    Segment segment = test::private_segment(32, 128);
    Scribe scribe(segment);
    std::mt19937_64 random(1);
    for (int commit = 0; commit < 500; ++commit) {
        for (std::uint64_t n = 1 + random() % 16; n > 0; --n) scribe.anything(random);
        scribe.commit();
        Image image;
        ASSERT_EQ(take_snapshot(segment.roster(), image), Snapshot::exact);
        ASSERT_EQ(image.at, scribe.head());
        ASSERT_EQ(difference(image, scribe.facts()), "");
    }
}

// The engine may die at any store of a commit. As long as it has applied nothing, the roster is that of head. From the first applied
// event on it is neither that of head nor that of `prepared`: the snapshot completes what the successor will redo, and says `unsettled`.
TEST(Snapshot, OfAnEngineThatDiedAnywhereInACommitIsOneRedoFromIt) {
    Segment segment = test::private_segment(8, 64);
    Scribe scribe(segment);
    std::mt19937_64 random(2);
    int exact = 0, unsettled = 0;
    scribe.between = [&] {
        if (testing::Test::HasFatalFailure()) return;
        Image image;
        const Snapshot answer = take_snapshot(segment.roster(), image);
        ASSERT_EQ(answer, scribe.applied_any() ? Snapshot::unsettled : Snapshot::exact);
        ++(answer == Snapshot::exact ? exact : unsettled);
        ASSERT_EQ(image.at, scribe.applied_any() ? scribe.planned() : scribe.head());
        ASSERT_EQ(difference(image, scribe.facts()), "");
    };
    for (int commit = 0; commit < 25; ++commit) {
        for (std::uint64_t n = 1 + random() % 6; n > 0; --n) scribe.anything(random);
        scribe.commit();
    }
    EXPECT_GT(exact, 100);
    EXPECT_GT(unsettled, 100);
}

// A snapshot and all events after it are the roster, whenever the snapshot was taken.
TEST(Snapshot, AndTheEventsAfterItAreTheRoster) {
    Segment segment = test::private_segment(16, 4'096);
    Scribe scribe(segment);
    std::mt19937_64 random(3);
    std::vector<Image> images;
    for (int commit = 0; commit < 150; ++commit) {
        for (std::uint64_t n = 1 + random() % 16; n > 0; --n) scribe.anything(random);
        scribe.commit();
        Image& image = images.emplace_back();
        ASSERT_EQ(take_snapshot(segment.roster(), image), Snapshot::exact);
    }
    for (Image& image : images) {
        while (image.at < scribe.head()) {
            StoredEvent event;
            ASSERT_TRUE(load_entry(segment.roster().entry(image.at + 1), image.at + 1, event));
            fold(segment.roster(), image, event);
        }
        ASSERT_EQ(difference(image, scribe.facts()), "");
    }
}

// A writer that never stops against two readers. Each image is compared with what was true at its sequence.
class UnderLoad {
public:
    static constexpr std::size_t wanted = 150;

    UnderLoad() : segment_(test::private_segment(32, 4'096)), scribe_(segment_) {}

    void run() {
        std::vector<std::jthread> readers;
        for (auto& images : images_) readers.emplace_back([this, &images] { look(images); });
        std::mt19937_64 random(4);
        while (done_.load(std::memory_order_relaxed) < images_.size() && scribe_.planned().value < 500'000) {  // relaxed: joining publishes
            for (std::uint64_t n = 1 + random() % 16; n > 0; --n) scribe_.anything(random);
            scribe_.commit();
        }
    }
    const std::array<std::vector<Image>, 2>& images() const { return images_; }
    const std::vector<Scribe::Fact>& facts() const { return scribe_.facts(); }

private:
    void look(std::vector<Image>& images) {
        while (images.size() < wanted) {
            Image image;
            if (take_snapshot(segment_.roster(), image) != Snapshot::exact) continue;  // busy: overtaken; unsettled: the writer was off the processor
            images.push_back(std::move(image));
        }
        done_.fetch_add(1, std::memory_order_relaxed);  // relaxed: as above
    }

    Segment segment_;
    Scribe scribe_;
    std::array<std::vector<Image>, 2> images_;
    std::atomic<std::size_t> done_{0};
};

TEST(Snapshot, TakenAtAnyMomentUnderLoadIsExact) {
    UnderLoad load;
    load.run();
    for (const auto& images : load.images()) {
        test::Truth truth(load.facts());
        for (const Image& image : images) ASSERT_EQ(truth.difference(image), "");
    }
}

// 60,000 steps of a writer, who goes on in the midst of a reader's snapshots, by any number of steps, stopping anywhere in a commit. All that the
// reader gets is true; how many of them it says are exact.
int exact_snapshots_among_interruptions(unsigned seed) {
    Segment segment = test::private_segment(12, 128);
    Scribe scribe(segment);
    std::vector<std::function<void()>> journal;
    scribe.journal = &journal;
    std::mt19937_64 random(seed);
    while (journal.size() < 60'000) {
        for (std::uint64_t n = 1 + random() % 16; n > 0; --n) scribe.anything(random);
        scribe.commit();
    }
    int exact = 0;
    std::vector<Image> images;
    std::atomic<std::size_t> next{0};  // relaxed: one thread, and its signal handler
    std::minstd_rand steps(seed + 1);
    {
        const test::Interruptions writer([&] {
            for (auto n = steps() % 40; n > 0 && next.load(std::memory_order_relaxed) < journal.size(); --n) journal[next.fetch_add(1, std::memory_order_relaxed)]();
        });
        while (next.load(std::memory_order_relaxed) < journal.size()) {
            Image image;
            const Snapshot answer = take_snapshot(segment.roster(), image);
            exact += answer == Snapshot::exact;
            if (answer != Snapshot::busy && (images.empty() || image.at > images.back().at)) images.push_back(std::move(image));
        }
    }
    test::Truth truth(scribe.facts());
    for (const Image& image : images) EXPECT_EQ(truth.difference(image), "");
    return exact;
}

// The reader is interrupted between any two instructions. Under a sanitizer, beside others, it is too slow for many exact ones in one round.
TEST(Snapshot, IsExactWhereverItIsInterrupted) {
    int exact = 0;
    for (unsigned seed = 5; exact <= 100 && seed < 25; ++seed) exact += exact_snapshots_among_interruptions(seed);
    EXPECT_GT(exact, 100);
}

// The writer has applied and is not heard of for so long that it looks dead; while the reader fetches what it prepared, it publishes, goes on, and
// gives a blob of that to somebody else. Then it lives, and what misses the blob is no image.
TEST(Snapshot, IsNotUnsettledWithoutABlobThatASlowWriterTookAway) {
    Segment segment = test::private_segment(64, 256);
    Scribe scribe(segment);
    for (std::uint32_t i = 0; i < 64; ++i) scribe.join(Slot{i}, "node-" + std::to_string(i), "first");
    scribe.commit();
    const Roster& roster = segment.roster();
    const Slot in_the_last_page{60};
    std::vector<std::function<void()>> steps;
    test::PageTrap trap;
    trap.set(&roster.record(in_the_last_page), test::PageTrap::On::access, [&] {
        scribe.journal = &steps;
        scribe.update(Slot{0}, "second");
        scribe.update(in_the_last_page, "second");
        scribe.commit();
        scribe.journal = nullptr;
        for (std::size_t i = 0; i + 1 < steps.size(); ++i) steps[i]();
        trap.set(&roster.entry(Sequence{65}), test::PageTrap::On::access, [&] {
            steps.back()();  // the publication
            scribe.update(Slot{0}, "third");
            scribe.commit();
            scribe.update(Slot{7}, "somebody else's");
            scribe.commit();
        });
    });
    Image image;
    EXPECT_EQ(take_snapshot(roster, image), Snapshot::exact);
    EXPECT_TRUE(trap.has_sprung());
    EXPECT_EQ(difference(image, scribe.facts()), "");
}

// While the records are copied, slot 0 gets a new blob; while the event of that is fetched, it gets another, and the first one is given to
// somebody else. The snapshot must not stop before the event that brings a blob which is still there.
TEST(Snapshot, GoesOnUntilNoBlobIsMissing) {
    Segment segment = test::private_segment(64, 256);
    Scribe scribe(segment);
    for (std::uint32_t i = 0; i < 64; ++i) scribe.join(Slot{i}, "node-" + std::to_string(i), "first");
    scribe.commit();
    const Roster& roster = segment.roster();
    const Slot in_the_last_page{60};
    test::PageTrap trap;
    trap.set(&roster.record(in_the_last_page), test::PageTrap::On::access, [&] {
        scribe.update(Slot{0}, "second");
        scribe.update(in_the_last_page, "second");
        scribe.commit();
        trap.set(&roster.entry(Sequence{65}), test::PageTrap::On::access, [&] {
            scribe.update(Slot{0}, "third");
            scribe.commit();
            scribe.update(Slot{7}, "somebody else's");
            scribe.commit();
        });
    });
    Image image;
    EXPECT_EQ(take_snapshot(roster, image), Snapshot::exact);
    EXPECT_TRUE(trap.has_sprung());
    EXPECT_EQ(difference(image, scribe.facts()), "");
    EXPECT_EQ(image.at, Sequence{68}) << "no look was thrown away";
}

void much_happens(Scribe& scribe, int events) {
    std::mt19937_64 random(7);
    for (; events > 0; --events) {
        scribe.anything(random);
        if (events % 8 == 0) scribe.commit();
    }
    scribe.commit();
}

// As above, but before the reader comes to the event that brings the third blob, that event is overwritten: with a blob missing the image
// is worth nothing.
TEST(Snapshot, BeginsAnewIfItIsLappedWhileABlobIsMissing) {
    Segment segment = test::private_segment(64, 256);
    Scribe scribe(segment);
    for (std::uint32_t i = 0; i < 64; ++i) scribe.join(Slot{i}, "node-" + std::to_string(i), "first");
    scribe.commit();
    const Roster& roster = segment.roster();
    using On = test::PageTrap::On;
    test::PageTrap trap;
    const auto after_the_last_event = [&] { trap.set(&roster.header().selector, On::access, [&] { much_happens(scribe, 600); }); };
    const auto at_the_second_event = [&] { trap.set(&roster.entry(Sequence{66}), On::access, after_the_last_event); };
    const auto at_the_first_event = [&] {
        scribe.update(Slot{0}, "third");
        scribe.commit();
        scribe.update(Slot{7}, "somebody else's");
        scribe.commit();
        trap.set(&roster.header().selector, On::access, at_the_second_event);  // the fold of that event looks at the heap's size
    };
    trap.set(&roster.record(Slot{60}), On::access, [&] {
        scribe.update(Slot{0}, "second");
        scribe.update(Slot{60}, "second");
        scribe.commit();
        trap.set(&roster.entry(Sequence{65}), On::access, at_the_first_event);
    });
    Image image;
    EXPECT_EQ(take_snapshot(roster, image), Snapshot::exact);
    EXPECT_TRUE(trap.has_sprung());
    EXPECT_GT(image.at, Sequence{600});
    EXPECT_EQ(difference(image, scribe.facts()), "");
}

// The reader is stopped for more events than the ring holds: it must begin anew.
TEST(Snapshot, BeginsAnewIfItWasLapped) {
    Segment segment = test::private_segment(64, 64);
    Scribe scribe(segment);
    much_happens(scribe, 200);
    test::PageTrap trap;
    trap.set(&segment.roster().record(Slot{60}), test::PageTrap::On::access, [&] { much_happens(scribe, 500); });
    Image image;
    EXPECT_EQ(take_snapshot(segment.roster(), image), Snapshot::exact);
    EXPECT_TRUE(trap.has_sprung());
    EXPECT_EQ(difference(image, scribe.facts()), "");
    EXPECT_EQ(image.at, scribe.head());
}

TEST(Snapshot, OfDamagedMemoryIsBusyAndNeverEndless) {
    Segment segment = test::private_segment(8, 64);
    Scribe scribe(segment);
    scribe.join(Slot{0}, "a", "somewhere");
    scribe.commit();
    Roster& roster = segment.writable();
    Image image;
    ASSERT_EQ(take_snapshot(roster, image), Snapshot::exact);

    Hot hot = own_hot(roster.record(Slot{0}));
    const Hot good = hot;
    hot.blob = 12'345'678;
    store_hot(roster.record(Slot{0}), encode(hot));
    EXPECT_EQ(take_snapshot(roster, image), Snapshot::busy) << "a blob that cannot be";
    hot = good;
    hot.state = static_cast<State>(6);
    store_hot(roster.record(Slot{0}), encode(hot));
    EXPECT_EQ(take_snapshot(roster, image), Snapshot::busy) << "a state that cannot be";
    store_hot(roster.record(Slot{0}), encode(good));
    roster.header().checkpoints[roster.header().selector.load() & 1].settings_ns[0].store(0);
    EXPECT_EQ(take_snapshot(roster, image), Snapshot::busy) << "a checkpoint that cannot be";
}

}  // namespace
}  // namespace rollcall::shm
