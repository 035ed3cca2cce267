// The scan's kernels against the plain loops, for every instruction set of this machine.
#include "engine/scan.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>
#ifdef ROLLCALL_SCAN_TARGETS
#include <hwy/targets.h>
#endif

#include "engine/scan_plain.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {
namespace {

using shm::block_words;
using shm::make_word;
using shm::Word;

// Calls `body` once for each set of instructions that kernels were compiled for and this machine has.
template <class Body>
void for_each_target(Body body) {
#ifdef ROLLCALL_SCAN_TARGETS
    for (const std::int64_t target : {std::int64_t{HWY_AVX3}, std::int64_t{HWY_AVX2}, std::int64_t{HWY_SSE4}, std::int64_t{HWY_STATIC_TARGET}}) {
        if ((hwy::SupportedTargets() & target) == 0) continue;
        hwy::GetChosenTarget().Update(target);
        SCOPED_TRACE(scan_target());
        body();
    }
    hwy::GetChosenTarget().DeInit();
#else
    body();
#endif
}

constexpr Stamp edge{10};
const std::int64_t threshold = shm::threshold_word(edge);
const std::int64_t latest = make_word(Stamp{15}, Generation{0xFFFF});

enum class Pattern { all_free, all_silent, none_silent, random, first, last, damaged, at_the_edge };
constexpr Pattern patterns[] = {Pattern::all_free, Pattern::all_silent, Pattern::none_silent, Pattern::random, Pattern::first, Pattern::last, Pattern::damaged, Pattern::at_the_edge};

std::int64_t word_of(Pattern pattern, std::size_t i, std::size_t count, std::mt19937_64& random) {
    const std::int64_t silent = make_word(Stamp{9}, Generation{0xFFFE}), lively = make_word(Stamp{10}, Generation{1});
    switch (pattern) {
        case Pattern::all_free: return shm::free_word;
        case Pattern::all_silent: return silent;
        case Pattern::none_silent: return lively;
        case Pattern::random: return random() % 3 == 0 ? shm::free_word : make_word(Stamp{random() % 20}, Generation{static_cast<std::uint16_t>(random())});
        case Pattern::first: return i == 0 ? silent : lively;
        case Pattern::last: return i + 1 == count ? silent : lively;
        case Pattern::damaged: return i % 5 == 0 ? static_cast<std::int64_t>(random() | 1ull << 63) : lively;
        case Pattern::at_the_edge: return threshold + static_cast<std::int64_t>(i % 3) - 1;
    }
    return shm::free_word;
}

BlockMask any_mask(std::mt19937_64& random) {
    BlockMask mask{};
    const auto kind = random() % 4;
    for (std::uint64_t& bits : mask) bits = kind == 0 ? 0 : kind == 1 ? ~std::uint64_t{0} : random() & (kind == 2 ? ~std::uint64_t{0} : random() & random());
    return mask;
}

// The masks that the words themselves would be expected to have, some of them wrong by one bit.
void make_expected(std::vector<BlockMask>& expected, const std::vector<Word>& words, std::size_t shift, std::mt19937_64& random) {
    BlockMask all;
    all.fill(~std::uint64_t{0});
    for (std::size_t b = 0; b < expected.size(); ++b) {
        expected[b] = plain::select(&words[shift + b * block_words], all, threshold).below;
        if (random() % 2 == 0) expected[b][random() % 8] ^= std::uint64_t{1} << random() % 64;
    }
}

// Words at every alignment within a cache line, up to four blocks.
class Words {
public:
    static constexpr std::size_t most = 4;
    std::mt19937_64 random{1};
    std::vector<Word> memory = std::vector<Word>(most * block_words + 8);

    void fill(Pattern pattern) {
        for (std::size_t i = 0; i < memory.size(); ++i) memory[i].store(word_of(pattern, i % block_words, block_words, random), std::memory_order_relaxed);
    }
};

void expect_plain_look(const Word* words, const std::vector<BlockMask>& expected) {
    constexpr std::int64_t untouched = 0x0ABC'DEF0'1234'5678;
    const std::size_t blocks = expected.size();
    std::vector<std::int64_t> lowest(blocks + 1, untouched), must_lowest(blocks + 1, untouched);
    std::vector<std::uint32_t> differing(blocks + 1, 77), must(blocks + 1, 77);
    const std::size_t found = look(words, blocks, expected.data(), threshold, lowest.data(), differing.data());
    ASSERT_EQ(found, plain::look(words, blocks, expected.data(), threshold, must_lowest.data(), must.data()));
    ASSERT_TRUE(std::equal(must.begin(), must.begin() + static_cast<std::ptrdiff_t>(found), differing.begin()));
    ASSERT_EQ(lowest[blocks], untouched) << "wrote beyond its room";
    for (std::size_t b = 0, next = 0; b < blocks; ++b) {
        const bool differs = next < found && differing[next] == b;
        next += differs;
        if (differs) {
            ASSERT_LE(lowest[b], must_lowest[b]) << b;
        } else {
            ASSERT_EQ(lowest[b], must_lowest[b]) << b;
        }
    }
}

TEST(Scan, LookEqualsThePlainLoop) {
    for_each_target([] {
        Words w;
        for (std::size_t blocks = 0; blocks <= Words::most; ++blocks)
            for (const Pattern pattern : patterns)
                for (std::size_t shift = 0; shift < 8; ++shift) {
                    w.fill(pattern);
                    std::vector<BlockMask> expected(blocks);
                    expect_plain_look(&w.memory[shift], expected);
                    make_expected(expected, w.memory, shift, w.random);
                    expect_plain_look(&w.memory[shift], expected);
                    if (testing::Test::HasFatalFailure()) return;
                }
    });
}

TEST(Scan, SelectEqualsThePlainLoop) {
    for_each_target([] {
        Words w;
        for (int round = 0; round < 60; ++round)
            for (const Pattern pattern : patterns)
                for (std::size_t shift = 0; shift < 8; ++shift) {
                    w.fill(pattern);
                    const BlockMask among = any_mask(w.random);
                    const Selection is = select(&w.memory[shift], among, threshold), must = plain::select(&w.memory[shift], among, threshold);
                    ASSERT_EQ(is.below, must.below);
                    ASSERT_EQ(is.lowest, must.lowest);
                }
    });
}

TEST(Scan, EveryThresholdIsTaken) {
    for_each_target([] {
        Words w;
        for (int round = 0; round < 300; ++round) {
            for (Word& word : w.memory) word.store(static_cast<std::int64_t>(w.random()), std::memory_order_relaxed);
            for (const std::int64_t t : {std::int64_t{0}, std::int64_t{1}, INT64_MAX, INT64_MIN, static_cast<std::int64_t>(w.random())}) {
                const BlockMask among = any_mask(w.random);
                ASSERT_EQ(select(w.memory.data(), among, t).below, plain::select(w.memory.data(), among, t).below);
            }
        }
    });
}

TEST(Scan, DamageIsFoundAsByThePlainLoop) {
    for_each_target([] {
        Words w;
        std::size_t damaged = 0;
        std::vector<std::uint16_t> generations(block_words + 8);
        for (int round = 0; round < 400; ++round) {
            const Pattern pattern = patterns[round % 8];
            const std::size_t shift = static_cast<std::size_t>(round / 8 % 8);
            w.fill(pattern);
            // As they should be, save a few.
            for (std::size_t i = 0; i < block_words; ++i) generations[shift + i] = shm::generation_of(w.memory[shift + i].load(std::memory_order_relaxed)).value;
            for (auto wrong = w.random() % 3; wrong > 0; --wrong) generations[shift + w.random() % block_words] = w.random() % 2 == 0 ? 0xFFFF : static_cast<std::uint16_t>(w.random());
            BlockMask is{}, must{};
            const bool found = find_damaged(&w.memory[shift], &generations[shift], latest, is);
            ASSERT_EQ(found, plain::find_damaged(&w.memory[shift], &generations[shift], latest, must));
            ASSERT_EQ(is, must);
            damaged += found;
        }
        EXPECT_GT(damaged, 100u);
        EXPECT_LT(damaged, 390u);
    });
}

TEST(Scan, CollectEqualsThePlainLoop) {
    for_each_target([] {
        std::mt19937_64 random(2);
        for (std::size_t count = 0; count < 200; ++count)
            for (const std::uint64_t of : {1u, 7u, 1000u}) {
                std::vector<std::int64_t> values(count);
                for (std::int64_t& value : values) value = static_cast<std::int64_t>(random() % of) + threshold - 3;
                std::vector<std::uint32_t> is(count + 1, 77), must(count + 1, 77);
                is.resize(1 + collect_below(values.data(), count, threshold, is.data()));
                must.resize(1 + plain::collect_below(values.data(), count, threshold, must.data()));
                is.pop_back(), must.pop_back();
                ASSERT_EQ(is, must);
            }
    });
}

}  // namespace
}  // namespace rollcall::engine
