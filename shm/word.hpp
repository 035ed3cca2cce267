// The heartbeat word: eight bytes that say when a peer last showed a sign of life, and to which owner of the slot that belongs.
//
//   sign 0 | stamp 47 | generation 16
//
// "Silent too long" is one signed compare, word < threshold << 16: a free word is the greatest number there is and never matches,
// a word with its sign set always does and is damage. Two sides write: a producer refreshes, the engine activates, frees and repairs;
// compare-and-swap decides. Neither can undo the other: a producer's expected value names its generation and its old stamp, so one
// that was stopped for any length of time between its load and its swap finds another value and does nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "shm/units.hpp"

namespace rollcall::shm {

inline constexpr std::int64_t free_word = INT64_MAX;
inline constexpr Generation first_generation{1};

constexpr std::int64_t make_word(Stamp stamp, Generation generation) noexcept {
    return static_cast<std::int64_t>((stamp.value & (stamp_limit - 1)) << 16 | generation.value);
}
constexpr Stamp stamp_of(std::int64_t word) noexcept { return Stamp{static_cast<std::uint64_t>(word) << 1 >> 17}; }
constexpr Generation generation_of(std::int64_t word) noexcept { return Generation{static_cast<std::uint16_t>(word)}; }

// Words below this are silent for longer than the threshold allows.
constexpr std::int64_t threshold_word(Stamp oldest_allowed) noexcept { return static_cast<std::int64_t>(oldest_allowed.value << 16); }

// 0 and 0xFFFF are never issued: memory that lost its contents reads 0, a free word ends in 0xFFFF.
constexpr Generation next_generation(Generation g) noexcept {
    const auto next = static_cast<std::uint16_t>(g.value + 1);
    return Generation{next == 0 || next == 0xFFFF ? std::uint16_t{1} : next};
}

enum class WordBeat : std::uint8_t {
    moved,    // the word now carries `now`
    fresh,    // it was not older than `now`
    foreign,  // it is not this generation's word
};

// The word of a beat at `now`. Instants before the base, and more than 36 years after it, give one that is older than any that was ever written.
constexpr std::int64_t word_at(Instant now, std::int64_t base_ns, Generation mine) noexcept {
    const std::uint64_t since = static_cast<std::uint64_t>(to_ns(now)) - static_cast<std::uint64_t>(base_ns);
    return static_cast<std::int64_t>((since >> stamp_shift << 16) | mine.value);
}

// A producer's beat: `wanted` is `mine` with a stamp. The clock must have been read before this call. It never moves a stamp back. A failed swap
// is looked at again, never blindly repeated: each turn means that somebody else moved the word, so the loop ends when nobody does.
template <class AtomicWord>
WordBeat beat(AtomicWord& word, std::int64_t wanted, Generation mine) noexcept {
    constexpr auto acquire = std::memory_order_acquire;  // [free], [activate] who finds it another's also finds the record that says why
    std::int64_t seen = word.load(acquire);
    for (;;) {
        if (generation_of(seen) != mine || seen < 0) return WordBeat::foreign;
        if (seen >= wanted) return WordBeat::fresh;
        constexpr auto release = std::memory_order_release;  // [beat] pairs with the acquire in the detector's judgement; publishes nothing but the stamp
        if (word.compare_exchange_weak(seen, wanted, release, acquire)) return WordBeat::moved;
    }
}
template <class AtomicWord>
WordBeat beat(AtomicWord& word, Stamp now, Generation mine) noexcept {
    return beat(word, make_word(now, mine), mine);
}

// Gives the slot to `mine`, alive at `now`. Engine only, while the word is free or belongs to a life that this one replaces.
template <class AtomicWord>
void activate(AtomicWord& word, Stamp now, Generation mine) noexcept {
    word.exchange(make_word(now, mine), std::memory_order_acq_rel);  // [activate] pairs with the producer's load in [beat]
}

// Takes the word away from a peer that was judged at `judged`. False: it beat meanwhile, and lives.
template <class AtomicWord>
bool free_if_still(AtomicWord& word, std::int64_t judged) noexcept {
    return word.compare_exchange_strong(judged, free_word, std::memory_order_acq_rel, std::memory_order_acquire);  // [free]
}

// Takes the word away because of a proof: whatever the old owner still writes must not count.
template <class AtomicWord>
void free_by_proof(AtomicWord& word) noexcept {
    word.exchange(free_word, std::memory_order_acq_rel);  // [free] pairs with the producer's swap in [beat], which then fails
}

}  // namespace rollcall::shm
