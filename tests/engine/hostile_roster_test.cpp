// What a roster may hold that no engine wrote: whoever reads it comes away unharmed, and an engine either adopts it and goes on soundly,
// or replaces it and says why. Each case here was found by tests/fuzz.
#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/beating.hpp"
#include "engine/client/observer.hpp"
#include "engine/client/present.hpp"
#include "shm/verify.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HostileRoster : public testing::Test {
protected:
    // An engine with one member ends, and somebody changes what it left.
    void leave_behind(const std::function<void(shm::Roster&)>& change) {
        {
            TimedCore core({.dir = folder.path(), .start = now});
            core.join("a", "10.0.0.1:7000", {{"zone", "eu"}});
            core.run(1s, {"a"});
            now = core.now();
        }
        auto segment = shm::Segment::attach(paths(), shm::Access::engine, shm::HostIdentity::current());
        ASSERT_TRUE(segment) << segment.error().message;
        change(segment->writable());
    }
    shm::Paths paths() const { return shm::Paths::of(folder.path(), "test"); }

    void expect_replaced(const std::string& why) {
        TimedCore next({.capacity = 0, .ring = 0, .dir = folder.path(), .start = now});
        EXPECT_THAT(next.core().why_replaced(), HasSubstr(why));
        EXPECT_TRUE(next.peers().empty());
        EXPECT_FALSE(next.join("b").error);
        EXPECT_TRUE(shm::verify(next.roster(), next.now_stamp()).broken.empty());
    }

    TemporaryFolder folder;
    Instant now = origin;
};

// Instants that no subtraction may overflow on: a sanitizer is what sees it.
TEST_F(HostileRoster, AStepStampOfAnyBitsHarmsNobodyWhoReadsIt) {
    for (const std::uint64_t stamp : {std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} >> 1, std::uint64_t{0}}) {
        leave_behind([&](shm::Roster& roster) { roster.header().step_ns = stamp; });
        const auto observer = Observer::attach({.cluster = "test", .dir = folder.path()});
        ASSERT_TRUE(observer);
        EXPECT_GE(to_ns(observer->info().last_step), 0);
        auto segment = shm::Segment::attach(paths(), shm::Access::producer, shm::HostIdentity::current());
        ASSERT_TRUE(segment);
        const Peer a = find_peer(segment->roster(), "a").value();
        BeatingPage page;
        page.enter(std::make_shared<shm::Segment>(std::move(*segment)), a.slot, a.generation, a.incarnation, 0, shm::Name::of("a"), 0);
        EXPECT_TRUE(page.beat(now + 10s).counted());
        TimedCore next({.dir = folder.path(), .start = now + 10s});
        EXPECT_EQ(next.core().why_replaced(), "");
        EXPECT_EQ(next.peers().size(), 1u);
        now = next.now();
    }
}

// Stamps would stand still for as long as the base lies ahead, or leave no room for the years to come: nobody would be judged.
TEST_F(HostileRoster, ABaseFromWhichStampsDoNotReachNowIsReplaced) {
    const std::vector<std::pair<std::int64_t, const char*>> bases{
        {INT64_MAX, "the base of its stamps"}, {to_ns(now) + 3'600'000'000'000, "the base of its stamps"}, {INT64_MIN, "stamps are used up"}, {std::int64_t{-1} << 61, "stamps are used up"}};
    for (const auto& [base, why] : bases) {
        leave_behind([&](shm::Roster& roster) { roster.header().base_ns = static_cast<std::uint64_t>(base); });
        expect_replaced(why);
        std::filesystem::remove_all(paths().folder);
    }
}

// The next incarnation would not fit a record.
TEST_F(HostileRoster, AnIncarnationBeyondWhatRecordsHoldIsReplaced) {
    for (const std::uint64_t greatest : {~std::uint64_t{0}, incarnation_limit}) {
        leave_behind([&](shm::Roster& roster) {
            for (auto& checkpoint : roster.header().checkpoints) checkpoint.greatest_incarnation = greatest;
        });
        expect_replaced("incarnations are used up");
        std::filesystem::remove_all(paths().folder);
    }
}

// A blob's parts may fit its class together and be longer than each may be: what an update then puts beside them would run over the
// next blob, or out of the file.
TEST_F(HostileRoster, ABlobWithAPartThatIsTooLongIsReplaced) {
    const std::string full(shm::max_tags - 3, 'v');
    for (const std::uint64_t lengths : {std::uint64_t{255} << 56 | std::uint64_t{255} << 48, std::uint64_t{shm::max_tags + 1} << 32}) {
        leave_behind([&](shm::Roster& roster) {
            const std::uint32_t number = shm::own_hot(roster.record(Slot{0})).blob;
            roster.extent_class(number / (shm::blob_extent_bytes / shm::blob_unit)) = shm::blob_class_count - 1;
            roster.blob(number)[1] = lengths;
        });
        expect_replaced("does not read");
        std::filesystem::remove_all(paths().folder);
    }
}

// No address space holds it; that must not keep an engine from starting.
TEST_F(HostileRoster, AFileOfAbsurdSizeIsReplaced) {
    leave_behind([](shm::Roster&) {});
    std::filesystem::resize_file(paths().roster(), std::uintmax_t{1} << 61);
    expect_replaced("more than any layout needs");
}

}  // namespace
}  // namespace rollcall::test
