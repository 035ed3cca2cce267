// What the detector remembers of each slot between two steps, beside the shared memory: what it announced, whose word it must be, and for
// each block of words how old the oldest stamp of each state can be. Private memory: nobody else can spoil it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/block_set.hpp"
#include "engine/judgement.hpp"
#include "engine/scan.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

class PeerTable {
public:
    explicit PeerTable(std::uint32_t capacity);

    Announced operator[](Slot s) const noexcept { return announced_[s.value]; }
    // `by`: a stamp not later than the one by which this peer is judged from now on (its last beat; of a proven death the proof). Without
    // it, it is looked at in the next pass.
    void set(Slot s, Announced now, Stamp by = {});
    // The word of this slot belongs to the life of this generation, until the slot is nobody's or its peer is dead by proof.
    void own(Slot s, Generation g) noexcept { generations_[s.value] = g.value; }

    std::uint32_t peers() const noexcept { return peers_; }
    std::uint32_t count(Announced a) const noexcept { return states_[index(a)].peers; }

    // By block.
    const BlockMask& mask(std::uint32_t block, Announced a) const noexcept { return states_[index(a)].masks[block]; }
    // Suspect or dead by silence: their words are expected to be old. Consecutive, a mask a block.
    const BlockMask* silent(std::uint32_t block) const noexcept { return &silent_[block]; }
    const BlockSet& silent_blocks() const noexcept { return silent_blocks_; }
    const std::uint16_t* generations(std::uint32_t block) const noexcept { return &generations_[std::size_t{block} * shm::block_words]; }

    // A lower bound of the words by which peers in this state are judged, a word a block; proofs count as words without a generation.
    const std::int64_t* bounds(Announced a) const noexcept { return states_[index(a)].bounds.data(); }
    void set_bound(std::uint32_t block, Announced a, std::int64_t word) noexcept { states_[index(a)].bounds[block] = word; }

    // At most one event a slot and commit.
    bool touched_in(Slot s, std::uint64_t commit) const noexcept { return touched_[s.value] == static_cast<std::uint32_t>(commit); }
    void touch(Slot s, std::uint64_t commit) noexcept { touched_[s.value] = static_cast<std::uint32_t>(commit); }

private:
    struct State {
        std::vector<BlockMask> masks;
        std::vector<std::int64_t> bounds;
        std::uint32_t peers = 0;
    };
    static constexpr std::uint16_t nobodys = 0xFFFF;
    static std::size_t index(Announced a) noexcept { return static_cast<std::size_t>(a) - 1; }
    static bool is_silent(Announced a) noexcept { return a == Announced::suspect || a == Announced::dead_silent; }
    void set_silent(std::uint32_t block, std::size_t element, std::uint64_t bit, bool silent) noexcept;

    std::vector<Announced> announced_;
    std::vector<std::uint16_t> generations_;
    std::vector<std::uint32_t> touched_;
    std::array<State, 5> states_;
    std::vector<BlockMask> silent_;
    std::vector<std::uint16_t> silent_in_;  // how many a block
    BlockSet silent_blocks_;
    std::uint32_t peers_ = 0;
};

inline PeerTable::PeerTable(std::uint32_t capacity)
    : silent_blocks_(blocks_of(capacity)) {
    const std::size_t blocks = blocks_of(capacity), words = blocks * shm::block_words;
    announced_.assign(words, Announced::nobody);
    generations_.assign(words, nobodys);
    touched_.assign(words, 0);
    for (State& state : states_) {
        state.masks.resize(blocks);
        state.bounds.assign(blocks, INT64_MAX);
    }
    silent_.resize(blocks);
    silent_in_.resize(blocks);
}

inline void PeerTable::set_silent(std::uint32_t block, std::size_t element, std::uint64_t bit, bool silent) noexcept {
    silent_[block][element] ^= bit;
    silent_in_[block] = static_cast<std::uint16_t>(silent_in_[block] + (silent ? 1 : -1));
    if (silent_in_[block] == 0) silent_blocks_.remove(block);
    else silent_blocks_.add(block);
}

inline void PeerTable::set(Slot s, Announced now, Stamp by) {
    const Announced before = announced_[s.value];
    const std::uint32_t block = s.value / shm::block_words;
    const std::size_t element = s.value % shm::block_words / 64;
    const std::uint64_t bit = std::uint64_t{1} << s.value % 64;
    if (now != Announced::nobody) {
        std::int64_t& bound = states_[index(now)].bounds[block];
        bound = std::min(bound, shm::threshold_word(by));
    }
    if (now == before) return;
    announced_[s.value] = now;
    if (before != Announced::nobody) {
        State& left = states_[index(before)];
        left.masks[block][element] ^= bit;
        --left.peers;
        --peers_;
    }
    if (now != Announced::nobody) {
        State& entered = states_[index(now)];
        entered.masks[block][element] ^= bit;
        ++entered.peers;
        ++peers_;
    }
    if (is_silent(now) != is_silent(before)) set_silent(block, element, bit, is_silent(now));
    if (now == Announced::nobody || now == Announced::dead_proven || now == Announced::told) generations_[s.value] = nobodys;
}

}  // namespace rollcall::engine
