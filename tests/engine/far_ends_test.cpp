// The far ends: numbers that only grow, and memories that begin near the end of one. Each is reached without harm, and a memory that has used
// most of one up is replaced when an engine opens it, since no engine lives long enough to come from there to the end.
//
// Elsewhere: generations (incarnation_test, shm/word_test), publications (shm/checkpoint_test), the ring (gap_test, shm/ring_test), the list of
// pauses (lost_time_test), extents in a full memory (processes/full_memory_test).
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shm/checkpoint.hpp"
#include "shm/verify.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FarEnds : public testing::Test {
protected:
    FarEnds() {
        setup.dir = folder.path();
        setup.ring = 64;
    }
    void open() {
        core.reset();
        core = std::make_unique<TimedCore>(setup);
    }
    // The next engine opens when the stamp is this.
    void open_at(std::uint64_t stamp) {
        setup.start = instant_from_ns(core->roster().base_ns() + static_cast<std::int64_t>(stamp << stamp_shift) + 1);
        open();
    }
    // While no engine has it, somebody's numbers are already this great.
    void open_with(const std::function<void(shm::CheckpointValues&)>& change) {
        setup.start = core->now() + 10ms;
        core.reset();
        {
            auto segment = shm::Segment::attach(shm::Paths::of(folder.path(), "test"), shm::Access::engine, shm::HostIdentity::current());
            ASSERT_TRUE(segment.has_value());
            shm::RosterHeader& header = segment->writable().header();
            shm::CheckpointValues values;
            ASSERT_TRUE(shm::load_checkpoint(header, values));
            change(values);
            shm::publish(header, values);
            header.prepared.store(values.head.value);
        }
        open();
    }
    std::uint64_t stream() const { return core->roster().header().stream.load(); }
    std::vector<std::string> broken() const { return shm::verify(core->roster(), Stamp{stamp_limit}).broken; }

    TemporaryFolder folder;
    EngineSetup setup;
    std::unique_ptr<TimedCore> core;
};

constexpr std::uint64_t nearly(std::uint64_t limit) { return limit / 16 * 15; }

// 34 years after the segment was made, and on to the last second of the 36: silence is silence, a beat is a beat.
TEST_F(FarEnds, TheLastStampsJudgeLikeTheFirst) {
    open();
    core->join("a");
    core->join("b");
    open_at(nearly(stamp_limit) - 1'000'000);
    ASSERT_TRUE(core->core().has_adopted());
    for (const std::uint64_t stamp : {nearly(stamp_limit) - 1'000, std::uint64_t{stamp_limit - 2'000'000}}) {
        core->advance(instant_from_ns(core->roster().base_ns() + static_cast<std::int64_t>(stamp << stamp_shift)) - core->now());
        core->step();  // a pause of any length judges nobody
        core->beat("a");
        core->beat("b");
        core->take();
        core->run(3s - 20ms, {"a"});
        EXPECT_THAT(core->take(), IsEmpty());
        core->run(40ms, {"a"});
        EXPECT_THAT(core->take(), ElementsAre("suspect b silence"));
        core->run(2s, {"a"});
        EXPECT_THAT(core->take(), ElementsAre("dead b silence"));
        core->run(20ms, {"a", "b"});
        EXPECT_THAT(core->take(), ElementsAre("recovered b heartbeat"));
        EXPECT_THAT(broken(), IsEmpty());
    }
}

// Nobody gets there. Who does is judged by nobody, rather than wrongly.
TEST_F(FarEnds, BeyondTheLastStampNobodyIsJudged) {
    open();
    core->join("a");
    open_at(nearly(stamp_limit) - 10);
    core->advance(from_stamp_units(stamp_limit / 16));
    core->step();
    core->beat("a");
    core->take();
    core->run(30s);
    const auto said = core->take();
    EXPECT_EQ(
        std::count_if(said.begin(), said.end(), [](const std::string& line) { return line.starts_with("dead") || line.starts_with("evicted"); }), 0)
        << testing::PrintToString(said);
}

TEST_F(FarEnds, AMemoryWhoseStampsAreUsedUpIsReplaced) {
    open();
    core->join("a");
    const auto before = stream();
    open_at(nearly(stamp_limit));
    EXPECT_FALSE(core->core().has_adopted());
    EXPECT_THAT(core->core().why_replaced(), HasSubstr("stamps are used up"));
    EXPECT_NE(stream(), before);
    EXPECT_FALSE(core->join("a").error);
    EXPECT_LT(core->now_stamp().value, std::uint64_t{1'000'000});
    EXPECT_THAT(broken(), IsEmpty());
}

// 48 bits in the selector, in each record and in each entry.
TEST_F(FarEnds, GreatSequencesCountLikeSmallOnes) {
    open();
    core->join("a");
    open_with([](shm::CheckpointValues& values) { values.head = Sequence{nearly(sequence_limit) - 4}; });
    ASSERT_TRUE(core->core().has_adopted());
    core->join("b");
    core->take();
    for (int i = 0; i < 100; ++i) {
        ASSERT_FALSE(core->replace("a").error);
        const auto events = core->take_events();
        ASSERT_EQ(events.size(), 2u);
        ASSERT_EQ(events[0].sequence.value, nearly(sequence_limit) - 2 + 2 * static_cast<std::uint64_t>(i));
        ASSERT_EQ(core->peer("a").last_event, events[1].sequence);
    }
    EXPECT_THAT(broken(), IsEmpty());
    const auto before = stream();
    setup.start = core->now() + 10ms;
    open();
    EXPECT_THAT(core->core().why_replaced(), HasSubstr("sequence numbers are used up"));
    EXPECT_NE(stream(), before);
    EXPECT_EQ(core->checkpoint().head, Sequence{0});
}

// Below 2^53, so that JSON keeps them. The wall clock is believed up to 2^52.
TEST_F(FarEnds, GreatIncarnationsCountLikeSmallOnes) {
    open();
    open_with([](shm::CheckpointValues& values) { values.greatest_incarnation = nearly(incarnation_limit) - 2; });
    EXPECT_EQ(core->join("a").incarnation.value, nearly(incarnation_limit) - 1);
    EXPECT_EQ(core->join("b").incarnation.value, nearly(incarnation_limit));
    EXPECT_EQ(core->peer("b").incarnation.value, nearly(incarnation_limit));
    EXPECT_LT(core->checkpoint().greatest_incarnation, incarnation_limit);
    setup.start = core->now() + 10ms;
    open();
    EXPECT_THAT(core->core().why_replaced(), HasSubstr("incarnations are used up"));
    EXPECT_EQ(core->join("a").incarnation.value, static_cast<std::uint64_t>(wall_origin_us));
}

// Records come by 4,096: the last of an extent, the first of the next, and a capacity that ends within one.
TEST(Extents, ARosterGrowsOverTheirEdges) {
    TimedCore core({.capacity = 8'200, .ring = 1024});
    for (std::uint32_t i = 0; i < 8'200; ++i) {
        ASSERT_FALSE(core.join("n" + std::to_string(i)).error) << i;
        if (i % 4'096 >= 2 && i % 4'096 < 4'094) continue;
        ASSERT_GT(core.roster().high_water(), i);
        ASSERT_TRUE(core.find("n" + std::to_string(i)).has_value());
    }
    EXPECT_EQ(core.peers().size(), 8'200u);
    EXPECT_TRUE(core.join("one-more").error);
    EXPECT_THAT(shm::verify(core.roster(), core.now_stamp()).broken, IsEmpty());
}

}  // namespace
}  // namespace rollcall::test
