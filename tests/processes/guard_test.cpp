// A program that hangs while a thread of it beats: a guard ends the beats, says why, and begins them again.
#include <gmock/gmock.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The thread of member `a` beats on its own all the time; the program says nothing of progress.
class HangingProgram : public ::testing::Test {
protected:
    HangingProgram() {
        cluster.start_engine(fast);
        EXPECT_THAT(program.ask("join a; beating a; join b; beating b"), StartsWith("ok "));
    }

    std::string why() const { return cluster.run({"why", "a"}).out; }

    TemporaryCluster cluster;
    Process program = cluster.puppet();
};

TEST_F(HangingProgram, IsSuspectAndTheReasonIsShownAndGoesOnWithProgress) {
    Watch watch(cluster);
    ASSERT_EQ(program.ask("guard a journal 100"), "ok");
    EXPECT_EQ(watch.until("suspect", "a").reason, "silence");
    EXPECT_THAT(why(), HasSubstr("its guard 'journal' saw no progress for"));
    EXPECT_THAT(program.ask("beat a; beat b"), HasSubstr("stalled")) << "whoever beats";
    EXPECT_THAT(program.ask("beat b"), StartsWith("counted")) << "another member of the same process has no guard";
    ASSERT_EQ(program.ask("progress journal; rest journal"), "ok; ok");
    watch.until("recovered", "a");
    EXPECT_THAT(why(), Not(HasSubstr("guard")));
}

// Its thread would join again by itself: a sign of life that the program did not give.
TEST_F(HangingProgram, StaysAwayOnceEvictedUntilItGoesOn) {
    Watch watch(cluster);
    ASSERT_EQ(program.ask("guard a journal 100"), "ok");
    watch.until("evicted", "a");
    EXPECT_THAT(program.ask("beat a; rejoin a; beat a"), HasSubstr("stalled"));
    EXPECT_FALSE(cluster.observe().find("a")) << "it joined again";
    ASSERT_EQ(program.ask("drop journal"), "ok");
    watch.until("joined", "a");
}

}  // namespace
}  // namespace rollcall::test
