// The scan kernel against the plain loop.
#include "shm/scan.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "shm/word.hpp"

namespace rollcall::shm {
namespace {

std::vector<std::uint32_t> plain(const Word* words, std::size_t count, std::int64_t threshold) {
    std::vector<std::uint32_t> found;
    for (std::size_t i = 0; i < count; ++i)
        if (words[i].load() < threshold) found.push_back(static_cast<std::uint32_t>(i));
    return found;
}

void expect_plain(const Word* words, std::size_t count, std::int64_t threshold) {
    constexpr std::uint32_t untouched = 0xABCD'EF01;
    std::vector<std::uint32_t> out(count + 1, untouched);
    const std::size_t found = collect_below(words, count, threshold, out.data());
    ASSERT_EQ(out[count], untouched) << "wrote beyond its room";
    out.resize(found);
    ASSERT_EQ(out, plain(words, count, threshold)) << count;
    ASSERT_EQ(count_below(words, count, threshold), found);
}

enum class Pattern { all_free, all_silent, none_silent, random, first, last, damaged, edge };

std::int64_t word_of(Pattern pattern, std::size_t i, std::size_t count, std::mt19937_64& random) {
    const std::int64_t silent = make_word(Stamp{9}, Generation{0xFFFE}), lively = make_word(Stamp{10}, Generation{1});
    switch (pattern) {
        case Pattern::all_free: return free_word;
        case Pattern::all_silent: return silent;
        case Pattern::none_silent: return lively;
        case Pattern::random: return random() % 3 == 0 ? free_word : make_word(Stamp{random() % 20}, Generation{static_cast<std::uint16_t>(random())});
        case Pattern::first: return i == 0 ? silent : lively;
        case Pattern::last: return i + 1 == count ? silent : lively;
        case Pattern::damaged: return i % 5 == 0 ? static_cast<std::int64_t>(random() | 1ull << 63) : lively;
        case Pattern::edge: return threshold_word(Stamp{10}) + static_cast<std::int64_t>(i % 3) - 1;
    }
    return free_word;
}

// Every length around the vectors' and blocks' sizes, at every alignment within a cache line, for every pattern.
TEST(Scan, EqualsThePlainLoop) {
    std::mt19937_64 random(1);
    std::vector<Word> memory(1'100 + 8);
    for (std::size_t count = 0; count <= 1'100; ++count)
        for (const Pattern pattern : {Pattern::all_free, Pattern::all_silent, Pattern::none_silent, Pattern::random, Pattern::first, Pattern::last, Pattern::damaged, Pattern::edge}) {
            const std::size_t offset = count < 40 ? 0 : (count + static_cast<std::size_t>(pattern)) % 8;
            for (std::size_t shift = offset; shift < (count < 40 ? 8 : offset + 1); ++shift) {
                for (std::size_t i = 0; i < count; ++i) memory[shift + i].store(word_of(pattern, i, count, random), std::memory_order_relaxed);
                expect_plain(memory.data() + shift, count, threshold_word(Stamp{10}));
                if (HasFatalFailure()) return;
            }
        }
}

TEST(Scan, TakesEveryThreshold) {
    std::mt19937_64 random(2);
    std::vector<Word> memory(512);
    for (int round = 0; round < 500; ++round) {
        for (Word& word : memory) word.store(static_cast<std::int64_t>(random()), std::memory_order_relaxed);
        for (const std::int64_t threshold : {std::int64_t{0}, std::int64_t{1}, INT64_MAX, INT64_MIN, static_cast<std::int64_t>(random())}) expect_plain(memory.data(), memory.size(), threshold);
        if (HasFatalFailure()) return;
    }
}

}  // namespace
}  // namespace rollcall::shm
