// Which blocks a pass reads, from bounds, silent peers, proofs and the rotation.
#include "engine/schedule.hpp"

#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t blocks = 1000;
constexpr std::uint32_t capacity = blocks * shm::block_words;

class Scheduling : public testing::Test {
protected:
    Scheduling() { begin(0); }  // the first pass reads everything
    void begin(std::uint64_t gap) {
        if (begun) schedule.finish();
        begun = true;
        schedule.begin(table, thresholds, settings, blocks, gap);
    }
    bool begun = false;
    std::vector<std::uint32_t> chosen() {
        std::vector<std::uint32_t> all;
        for (BlockRun run = schedule.next_run(0, blocks); run.count != 0; run = schedule.next_run(run.begin + run.count, blocks))
            for (std::uint32_t i = 0; i < run.count; ++i) all.push_back(run.begin + i);
        return all;
    }
    std::vector<std::uint32_t> chosen_beside_the_rotation() {
        auto all = chosen();
        std::erase_if(all, [&](std::uint32_t b) { return schedule.is_in_rotation(b) || schedule.is_to_audit(b); });
        return all;
    }
    static Slot in_block(std::uint32_t block, std::uint32_t i = 0) { return Slot{block * shm::block_words + i}; }

    PeerTable table{capacity};
    Settings settings;
    Thresholds thresholds{Stamp{1000}, Stamp{800}, Stamp{300}};
    Schedule schedule{capacity};
};

TEST_F(Scheduling, TheFirstPassReadsEverything) { EXPECT_EQ(chosen().size(), blocks); }

TEST_F(Scheduling, ABlockIsReadOnceItsOldestStampMayBeSilent) {
    table.set(in_block(7), Announced::alive, Stamp{1000});
    begin(0);
    EXPECT_THAT(chosen_beside_the_rotation(), IsEmpty());
    table.set(in_block(7, 100), Announced::alive, Stamp{999});
    table.set(in_block(900), Announced::alive);  // nothing is known of it
    begin(0);
    EXPECT_THAT(chosen_beside_the_rotation(), ElementsAre(7, 900));
    table.set_bound(7, Announced::alive, shm::threshold_word(Stamp{1001}));
    table.set_bound(900, Announced::alive, shm::threshold_word(Stamp{1001}));
    begin(0);
    EXPECT_THAT(chosen_beside_the_rotation(), IsEmpty());
}

TEST_F(Scheduling, ABlockWithSilentPeersIsReadEveryTime) {
    table.set(in_block(500), Announced::suspect, Stamp{900});
    table.set(in_block(501), Announced::dead_silent, Stamp{700});
    for (int pass = 0; pass < 3; ++pass) {
        begin(0);
        EXPECT_THAT(chosen_beside_the_rotation(), ElementsAre(500, 501));
    }
    table.set(in_block(500), Announced::alive, Stamp{1000});
    table.set(in_block(501), Announced::nobody);
    begin(0);
    EXPECT_THAT(chosen_beside_the_rotation(), IsEmpty());
}

TEST_F(Scheduling, AProvenDeathIsReadWhenItsTimeHasCome) {
    table.set(in_block(500), Announced::dead_proven, Stamp{300});
    begin(0);
    EXPECT_THAT(chosen_beside_the_rotation(), IsEmpty());
    thresholds.evict = Stamp{301};
    begin(0);
    EXPECT_THAT(chosen_beside_the_rotation(), ElementsAre(500));
}

// 5/6 of (3 s - 1 s) at 10 ms a pass: 166 and two thirds of a pass; beside it one block a pass is audited.
TEST_F(Scheduling, TheRotationReadsEachBlockOnceInFiveSixthsOfSuspectLessHeartbeat) {
    std::vector<int> read(blocks, 0);
    std::size_t most = 0;
    for (int pass = 0; pass < 167; ++pass) {
        begin(to_stamp_units_up(10ms));
        const auto now = chosen();
        most = std::max(most, now.size());
        for (const std::uint32_t b : now) ++read[b];
    }
    EXPECT_GE(*std::min_element(read.begin(), read.end()), 1);
    EXPECT_LE(std::accumulate(read.begin(), read.end(), 0), 1180);
    EXPECT_LE(most, 8u);  // 6 or 7 and one to audit
}

// What was not reached is not taken for read.
TEST_F(Scheduling, APassThatEndedEarlyIsRepeatedWithMore) {
    Schedule other{capacity};
    const auto count = [&] {
        std::uint32_t in_turn = 0;
        for (std::uint32_t b = 0; b < blocks; ++b) in_turn += other.is_in_rotation(b);
        return in_turn;
    };
    other.begin(table, thresholds, settings, blocks, 0);
    other.begin(table, thresholds, settings, blocks, 0);
    EXPECT_EQ(count(), blocks) << "the first pass was not finished";
    other.finish();
    other.begin(table, thresholds, settings, blocks, to_stamp_units_up(20ms));
    EXPECT_TRUE(other.is_in_rotation(0));
    const auto once = count();
    other.begin(table, thresholds, settings, blocks, to_stamp_units_up(20ms));
    EXPECT_TRUE(other.is_in_rotation(0));
    EXPECT_NEAR(count(), 2 * once, 1);
}

TEST_F(Scheduling, EachPassAuditsOneBlockInTurnAndTheFirstAll) {
    for (std::uint32_t b = 0; b < blocks; b += 100) EXPECT_TRUE(schedule.is_to_audit(b));
    for (std::uint32_t pass = 0; pass < 3; ++pass) {
        begin(0);
        for (std::uint32_t b = 0; b < 10; ++b) EXPECT_EQ(schedule.is_to_audit(b), b == pass + 1) << b;
        EXPECT_THAT(chosen(), testing::Contains(pass + 1));
    }
}

TEST_F(Scheduling, AfterAPauseTheRotationGoesAroundOnceAtTheMost) {
    begin(to_stamp_units_up(60s));
    EXPECT_EQ(chosen().size(), blocks);
    begin(to_stamp_units_up(10ms));
    EXPECT_LE(chosen().size(), 8u);
}

TEST(SmallSchedule, AtLeastOneBlockAPassIsRead) {
    const PeerTable table{2 * shm::block_words};
    Schedule schedule{2 * shm::block_words};
    schedule.begin(table, {}, {}, 0, 5);
    EXPECT_EQ(schedule.next_run(0, 0).count, 0u);
    for (int pass = 0; pass < 4; ++pass) {
        schedule.finish();
        schedule.begin(table, {}, {}, 2, 0);
        EXPECT_EQ(schedule.is_in_rotation(0) + schedule.is_in_rotation(1), 1);
    }
}

}  // namespace
}  // namespace rollcall::engine
