// The packed 56 bytes of a peer: what goes in comes out, and nothing that lies there is undecodable.
#include "shm/hot.hpp"

#include <random>

#include <gtest/gtest.h>

namespace rollcall::shm {
namespace {

constexpr std::uint64_t bits(int count) { return (std::uint64_t{1} << count) - 1; }

Hot random_hot(std::mt19937_64& random) {
    Hot h;
    h.incarnation = Incarnation{random() & bits(53)};
    h.state = static_cast<State>(random() % 4);
    h.reason = static_cast<Reason>(random() % 9);
    h.lsn = Sequence{random() & bits(48)};
    h.generation = Generation{static_cast<std::uint16_t>(random())};
    h.since = Stamp{random() & bits(47)};
    if (random() % 2 == 0) h.status = ExitStatus{random() % 2 == 0, static_cast<std::uint8_t>(random())};
    h.last_beat = Stamp{random() & bits(47)};
    h.word_slot = Slot{static_cast<std::uint32_t>(random())};
    h.blob = static_cast<std::uint32_t>(random());
    h.suspect_units = random() & bits(40);
    h.late_units = random() & bits(24);
    h.dead_units = random() & bits(40);
    h.lost_units = (random() & bits(24)) << lost_shift;
    return h;
}

void expect_same(const Hot& a, const Hot& b) {
    EXPECT_EQ(a.incarnation, b.incarnation);
    EXPECT_EQ(a.state, b.state);
    EXPECT_EQ(a.reason, b.reason);
    EXPECT_EQ(a.lsn, b.lsn);
    EXPECT_EQ(a.generation, b.generation);
    EXPECT_EQ(a.since, b.since);
    EXPECT_EQ(a.status, b.status);
    EXPECT_EQ(a.last_beat, b.last_beat);
    EXPECT_EQ(a.word_slot, b.word_slot);
    EXPECT_EQ(a.blob, b.blob);
    EXPECT_EQ(a.suspect_units, b.suspect_units);
    EXPECT_EQ(a.late_units, b.late_units);
    EXPECT_EQ(a.dead_units, b.dead_units);
    EXPECT_EQ(a.lost_units, b.lost_units);
}

TEST(Hot, ComesOutAsItWentIn) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000 && !testing::Test::HasFailure(); ++i) {
        const Hot hot = random_hot(random);
        expect_same(decode(encode(hot)), hot);
    }
    expect_same(decode(encode(Hot{})), Hot{});
}

// Each field at its greatest and all others at zero: none may run into its neighbour.
TEST(Hot, NoFieldRunsIntoItsNeighbour) {
    const auto with = [](auto set) {
        Hot h;
        h.word_slot = Slot{0};
        h.blob = 0;
        set(h);
        return h;
    };
    const Hot extremes[] = {
        with([](Hot& h) { h.incarnation = Incarnation{bits(53)}; }),
        with([](Hot& h) { h.state = State::dead; }),
        with([](Hot& h) { h.reason = static_cast<Reason>(255); }),
        with([](Hot& h) { h.lsn = Sequence{bits(48)}; }),
        with([](Hot& h) { h.generation = Generation{0xFFFF}; }),
        with([](Hot& h) { h.since = Stamp{bits(47)}; }),
        with([](Hot& h) { h.status = ExitStatus{true, 255}; }),
        with([](Hot& h) { h.status = ExitStatus{false, 0}; }),
        with([](Hot& h) { h.last_beat = Stamp{bits(47)}; }),
        with([](Hot& h) { h.word_slot = no_slot; }),
        with([](Hot& h) { h.blob = no_index; }),
        with([](Hot& h) { h.suspect_units = bits(40); }),
        with([](Hot& h) { h.late_units = bits(24); }),
        with([](Hot& h) { h.dead_units = bits(40); }),
        with([](Hot& h) { h.lost_units = bits(24) << lost_shift; }),
    };
    for (const Hot& hot : extremes) expect_same(decode(encode(hot)), hot);
}

TEST(Hot, EvidenceThatDoesNotFitIsTheGreatestThatDoes) {
    constexpr std::uint64_t too_much = ~std::uint64_t{0};
    const auto only = [](std::uint64_t Hot::*field, std::uint64_t value) {
        Hot hot;
        hot.*field = value;
        return hot;
    };
    expect_same(decode(encode(only(&Hot::suspect_units, too_much))), only(&Hot::suspect_units, bits(40)));
    expect_same(decode(encode(only(&Hot::late_units, too_much))), only(&Hot::late_units, bits(24)));
    expect_same(decode(encode(only(&Hot::dead_units, too_much))), only(&Hot::dead_units, bits(40)));
    expect_same(decode(encode(only(&Hot::lost_units, too_much))), only(&Hot::lost_units, bits(24) << lost_shift));
}

TEST(Hot, LostTimeIsRoundedDownToItsUnit) {
    Hot hot;
    hot.lost_units = 127;
    EXPECT_EQ(decode(encode(hot)).lost_units, 0u);
    hot.lost_units = 128 + 127;
    EXPECT_EQ(decode(encode(hot)).lost_units, 128u);
}

TEST(Hot, AnyBitPatternDecodes) {
    std::mt19937_64 random(2);
    for (int i = 0; i < 20'000 && !testing::Test::HasFailure(); ++i) {
        HotWords words;
        for (auto& word : words) word = i == 0 ? 0 : i == 1 ? ~std::uint64_t{0} : random();
        const Hot hot = decode(words);
        expect_same(decode(encode(hot)), hot);
    }
}

}  // namespace
}  // namespace rollcall::shm
