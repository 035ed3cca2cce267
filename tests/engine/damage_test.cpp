// Heartbeat words are hostile: whoever may beat may write anything there. What makes no sense is counted and put right by the engine,
// and whatever a word says, no judgement about anybody else follows from it.
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Counter;
using testing::ElementsAre;
using testing::IsEmpty;

class Damage : public testing::Test {
protected:
    Damage() {
        core.join("bystander");
        const auto life = core.join("a");
        slot = life.slot;
        generation = life.generation;
        core.take();
    }
    std::int64_t word_at(Duration ago, Generation of) { return shm::make_word(to_stamp(core.now() - ago, core.roster().base_ns()), of); }
    std::uint64_t repaired() const { return core.counter(Counter::words_repaired); }
    void run(Duration d) { core.run(d, {"bystander"}); }

    TimedCore core;
    Slot slot;
    Generation generation;
};

// What may lie in a living peer's word and is not its own.
struct Foreign {
    const char* what;
    std::int64_t (*make)(Stamp now, Generation own);
};
void PrintTo(const Foreign& foreign, std::ostream* out) { *out << foreign.what; }

class ForeignWord : public Damage, public testing::WithParamInterface<Foreign> {};
INSTANTIATE_TEST_SUITE_P(
    Words, ForeignWord,
    testing::Values(Foreign{"free", [](Stamp, Generation) { return shm::free_word; }}, Foreign{"zero", [](Stamp, Generation) { return std::int64_t{0}; }},
                    Foreign{"minus one", [](Stamp, Generation) { return std::int64_t{-1}; }}, Foreign{"least", [](Stamp, Generation) { return INT64_MIN; }},
                    Foreign{"own with the sign set", [](Stamp now, Generation own) { return shm::make_word(now, own) | INT64_MIN; }},
                    Foreign{"next generation", [](Stamp now, Generation own) { return shm::make_word(now, shm::next_generation(own)); }},
                    Foreign{"old, of another generation", [](Stamp, Generation own) { return shm::make_word(Stamp{1}, shm::next_generation(own)); }},
                    Foreign{"future, of another generation", [](Stamp, Generation own) { return shm::make_word(Stamp{stamp_limit - 1}, shm::next_generation(own)); }}));

// It is written anew with the present time and its owner's generation: the owner goes on as if nothing had been.
TEST_P(ForeignWord, OfTheLivingIsPutRightAndCounted) {
    core.set_word(slot, GetParam().make(core.now_stamp(), generation));
    run(10ms);
    EXPECT_EQ(core.word(slot), shm::make_word(core.now_stamp(), generation));
    EXPECT_EQ(repaired(), 1u);
    EXPECT_THAT(core.take(), IsEmpty());
    EXPECT_NE(core.beat("a"), shm::WordBeat::foreign);
    run(2s);
    EXPECT_EQ(repaired(), 1u);
    EXPECT_THAT(core.take(), IsEmpty());
}

// Whose word is forged is believed to live: who may write there may beat as well. Its silence is found from then on.
TEST_P(ForeignWord, OfTheSuspectedIsPutRightToo) {
    run(3100ms);
    core.take();
    core.set_word(slot, GetParam().make(core.now_stamp(), generation));
    run(20ms);
    EXPECT_EQ(repaired(), 1u);
    EXPECT_THAT(core.take(), ElementsAre("recovered a heartbeat"));
    run(3100ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

// Who is dead of silence and has lost its word was on the way out: its eviction is finished at once, long before the evict timeout.
TEST_P(ForeignWord, OfTheDeadOfSilenceEndsInEviction) {
    core.run(20s, {"bystander", "a"});
    run(5100ms);
    core.take();
    core.set_word(slot, GetParam().make(core.now_stamp(), generation));
    run(100ms);
    EXPECT_THAT(core.take(), ElementsAre("evicted a silence"));
    EXPECT_EQ(core.word(slot), shm::free_word);
}

TEST_P(ForeignWord, OfAProvenDeathIsFreed) {
    core.exit("a");
    core.take();
    core.set_word(slot, GetParam().make(core.now_stamp(), generation));
    run(20ms);
    EXPECT_EQ(core.word(slot), shm::free_word);
    EXPECT_EQ(repaired(), GetParam().make(core.now_stamp(), generation) == shm::free_word ? 0u : 1u);
    EXPECT_THAT(core.take(), IsEmpty());
    EXPECT_EQ(core.peer("a").state, State::dead);
}

TEST_P(ForeignWord, OfNobodyIsFreed) {
    core.leave("a");
    core.take();
    core.set_word(slot, GetParam().make(core.now_stamp(), generation));
    run(20ms);
    EXPECT_EQ(core.word(slot), shm::free_word);
    EXPECT_THAT(core.take(), IsEmpty());
}

// A producer may have read its clock after the step read its own: a stamp a little ahead is no damage.
TEST_F(Damage, StampThatIsAheadOfOneStepOnlyIsNoDamage) {
    for (int i = 0; i < 100; ++i) {
        core.beat("a", core.now() + 5ms);
        run(10ms);
    }
    EXPECT_EQ(repaired(), 0u);
    EXPECT_THAT(core.take(), IsEmpty());
}

TEST_F(Damage, StampThatIsAheadOfTwoSuccessiveStepsIsPutRight) {
    core.set_word(slot, word_at(-1h, generation));
    run(10ms);
    EXPECT_EQ(repaired(), 0u);
    run(10ms);
    EXPECT_EQ(repaired(), 1u);
    EXPECT_EQ(core.word(slot), shm::make_word(core.now_stamp(), generation));
    run(3100ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

TEST_F(Damage, GreatestStampIsPutRightToo) {
    core.set_word(slot, shm::make_word(Stamp{stamp_limit - 1}, generation));
    run(20ms);
    EXPECT_EQ(repaired(), 1u);
    EXPECT_EQ(core.word(slot), shm::make_word(core.now_stamp(), generation));
}

// With more slots than one block, each block has its turn.
TEST(Damages, AreFoundInEveryBlock) {
    constexpr std::uint32_t peers = 3 * shm::block_words;
    TimedCore core({.capacity = peers, .ring = 8192});
    std::vector<engine::Answer> lives;
    for (std::uint32_t i = 0; i < peers; ++i) lives.push_back(core.join("n" + std::to_string(i)));
    core.take();
    for (const engine::Answer& life : lives) core.set_word(life.slot, shm::make_word(Stamp{core.now_stamp().value + 1'000'000'000}, life.generation));
    core.run(100ms);
    EXPECT_EQ(core.counter(Counter::words_repaired), peers);
    for (const engine::Answer& life : lives) core.set_word(life.slot, shm::make_word(core.now_stamp(), shm::next_generation(life.generation)));
    core.run(100ms);
    EXPECT_EQ(core.counter(Counter::words_repaired), 2 * peers);
    for (const engine::Answer& life : lives) EXPECT_EQ(shm::generation_of(core.word(life.slot)), life.generation);
    EXPECT_THAT(core.take(), IsEmpty());
}

// Producers map all the words there are, also those that nobody was given yet: they are freed in a rotation of their own.
TEST(Damages, OfWordsThatNobodyEverUsedIsPutRight) {
    TimedCore core({.capacity = 3 * shm::block_words - 5, .ring = 8192});
    core.join("a");
    const auto words = static_cast<std::uint32_t>(core.roster().geometry().word_count);
    const std::uint32_t used = core.roster().high_water();
    for (std::uint32_t i = used; i < words; ++i) core.set_word(Slot{i}, shm::make_word(core.now_stamp(), Generation{1}));
    core.run(100ms, {"a"});
    for (std::uint32_t i = used; i < words; ++i) ASSERT_EQ(core.word(Slot{i}), shm::free_word) << i;
    EXPECT_EQ(core.counter(Counter::words_repaired), words - used);
}

// Whoever attaches is refused where the preamble of the pulse is not the roster's: no producer may lock others out for good.
TEST_F(Damage, OfThePulsesPreambleIsPutRight) {
    shm::Preamble& pulse = core.core().writable().pulse_preamble();
    const std::uint64_t instance = pulse.instance;
    pulse.magic = 1;
    pulse.version = 2;
    pulse.lifecycle = 3;
    pulse.instance = 4;
    pulse.words_offset = 5;
    pulse.word_count = 6;
    run(10ms);
    EXPECT_EQ(pulse.magic, shm::pulse_magic);
    EXPECT_EQ(pulse.version, shm::layout_version);
    EXPECT_EQ(pulse.lifecycle, static_cast<std::uint32_t>(shm::Lifecycle::live));
    EXPECT_EQ(pulse.instance, instance);
    EXPECT_EQ(pulse.words_offset, core.roster().geometry().words);
    EXPECT_EQ(pulse.word_count, core.roster().capacity());
    EXPECT_EQ(repaired(), 1u);
    run(1s);
    EXPECT_EQ(repaired(), 1u);
}

// Noise in every word, over and over: nobody is judged who was not, and the engine ends up with every word in order.
TEST(Damages, NoiseJudgesNobody) {
    TimedCore core({.capacity = 64, .ring = 4096});
    std::vector<engine::Answer> lives;
    for (int i = 0; i < 40; ++i) lives.push_back(core.join("n" + std::to_string(i)));
    core.take();
    std::uint64_t noise = 88172645463325252;
    for (int round = 0; round < 500; ++round) {
        for (std::uint32_t i = 0; i < 64; ++i) {
            noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
            if (noise % 3 == 0) core.set_word(Slot{i}, static_cast<std::int64_t>(noise));
        }
        core.step_after(10ms);
    }
    core.run(100ms);
    EXPECT_THAT(core.take(), IsEmpty());
    for (const engine::Answer& life : lives) {
        EXPECT_EQ(shm::generation_of(core.word(life.slot)), life.generation);
        EXPECT_LE(shm::stamp_of(core.word(life.slot)), core.now_stamp());
    }
    EXPECT_EQ(core.peers().size(), 40u);
}

// A forger who writes old stamps into somebody's word can have it suspected and buried: that is what write access to the pulse means.
// But its next beat brings it back, and the records, the index and the ring are out of the forger's reach.
TEST_F(Damage, ForgedSilenceEndsWithTheNextBeat) {
    core.run(20s, {"bystander", "a"});
    core.set_word(slot, shm::make_word(Stamp{1}, generation));
    run(10ms);
    core.beat("a");
    run(10ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence", "dead a silence", "recovered a heartbeat"));
}

}  // namespace
}  // namespace rollcall::test
