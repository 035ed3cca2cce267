// A pass over many living peers reads nearly nothing, and misses nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::uint32_t peers = 400 * shm::block_words;

// Two hundred thousand peers that beat once a second, one after the other.
class QuietPass : public testing::Test {
protected:
    QuietPass() {
        for (std::uint32_t i = 0; i < peers; ++i) {
            engine::Request join = TimedCore::about("n" + std::to_string(i), engine::Request::Kind::join);
            join.reason = Reason::registered;
            join.producer = 1;
            core.put(std::move(join));
            if (i % 4096 == 0) core.step();
        }
        while (core.core().has_more()) core.step();
        core.step();
    }
    // One pass later; whose turn it is has beaten before.
    void pass(std::uint32_t mute = peers) {
        core.advance(10ms);
        for (std::uint32_t i = 0; i < peers / 100; ++i, next = (next + 1) % peers)
            if (next != mute) shm::beat(core.core().writable().word(Slot{next}), core.now_stamp(), shm::first_generation);
        core.step();
    }

    TimedCore core{{.capacity = peers, .ring = 1u << 18}};
    std::uint32_t next = 0;
};

TEST_F(QuietPass, ReadsAtMostOneBlockInAHundred) {
    ASSERT_EQ(core.roster().high_water(), peers);
    for (int i = 0; i < 200; ++i) pass();
    core.take();
    const std::uint64_t before = core.core().blocks_read();
    constexpr int passes = 400;
    for (int i = 0; i < passes; ++i) pass();
    EXPECT_THAT(core.take(), testing::IsEmpty());
    EXPECT_LE(core.core().blocks_read() - before, passes * (peers / shm::block_words) / 100);
}

TEST_F(QuietPass, FindsTheOneThatIsSilentInTime) {
    for (int i = 0; i < 200; ++i) pass();
    core.take();
    const Stamp last = shm::stamp_of(core.word(Slot{77'777}));
    std::vector<std::string> said;
    while (said.empty() && core.now_stamp().value - last.value < to_stamp_units_up(10s)) {
        pass(77'777);
        said = core.take();
    }
    EXPECT_THAT(said, ElementsAre("suspect n77777 silence"));
    EXPECT_LE(core.now_stamp().value - last.value, to_stamp_units_up(3s + 10ms));
}

}  // namespace
}  // namespace rollcall::test
