// The 56 bytes of a peer that every judgement rewrites, packed into seven words.
//
//   0  incarnation 53 | state 3 | reason 8
//   1  LSN 48 | generation 16           LSN: sequence of the last event applied here, kept by a freed slot
//   2  since 47 | exit status 17        stamps; status: known 1, signalled 1, spare 7, value 8
//   3  last beat 47 | spare 17          the stamp that was judged
//   4  word slot 32 | blob 32           own word, or the word of its host
//   5  suspect timeout 40 | late 24     stamp units
//   6  dead timeout 40 | lost 24        stamp units; lost in units of 1.05 ms (128 stamp units), up to 4.8 hours
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "shm/layout.hpp"
#include "shm/terms.hpp"
#include "shm/units.hpp"

namespace rollcall::shm {

using HotWords = std::array<std::uint64_t, hot_words>;

struct Hot {
    Incarnation incarnation{};
    State state = State::none;
    Reason reason = Reason::none;
    Sequence lsn{};
    Generation generation{};
    Stamp since{};
    std::optional<ExitStatus> status;
    Stamp last_beat{};
    Slot word_slot = no_slot;
    std::uint32_t blob = no_index;
    std::uint64_t suspect_units = 0, late_units = 0, dead_units = 0, lost_units = 0;

    bool is_proof() const noexcept { return rollcall::is_proof(state, reason); }
};

inline constexpr int lost_shift = 7;

constexpr HotWords encode(const Hot& h) noexcept {
    constexpr std::uint64_t m24 = (1u << 24) - 1, m40 = (std::uint64_t{1} << 40) - 1;
    std::uint64_t status = 0;
    if (h.status) status = 1u << 16 | (h.status->signalled ? 1u << 15 : 0u) | h.status->value;
    return {h.incarnation.value << 11 | static_cast<std::uint64_t>(h.state) << 8 | static_cast<std::uint64_t>(h.reason),
            h.lsn.value << 16 | h.generation.value,
            h.since.value << 17 | status,
            h.last_beat.value << 17,
            std::uint64_t{h.word_slot.value} << 32 | h.blob,
            std::min(h.suspect_units, m40) << 24 | std::min(h.late_units, m24),
            std::min(h.dead_units, m40) << 24 | std::min(h.lost_units >> lost_shift, m24)};
}

constexpr State state_in(std::uint64_t first_word) noexcept { return static_cast<State>(first_word >> 8 & 7); }

// Any bit pattern decodes: unknown states and reasons are kept as they are and refused by whoever believes them.
// In place: a copy of what was just put together from narrow parts would have to wait for them.
constexpr void decode(const HotWords& w, Hot& h) noexcept {
    constexpr std::uint64_t m24 = (1u << 24) - 1;
    h.incarnation = Incarnation{w[0] >> 11};
    h.state = state_in(w[0]);
    h.reason = static_cast<Reason>(w[0] & 0xFF);
    h.lsn = Sequence{w[1] >> 16};
    h.generation = Generation{static_cast<std::uint16_t>(w[1])};
    h.since = Stamp{w[2] >> 17};
    h.status.reset();
    if (w[2] >> 16 & 1) h.status = ExitStatus{(w[2] >> 15 & 1) != 0, static_cast<std::uint8_t>(w[2])};
    h.last_beat = Stamp{w[3] >> 17};
    h.word_slot = Slot{static_cast<std::uint32_t>(w[4] >> 32)};
    h.blob = static_cast<std::uint32_t>(w[4]);
    h.suspect_units = w[5] >> 24;
    h.late_units = w[5] & m24;
    h.dead_units = w[6] >> 24;
    h.lost_units = (w[6] & m24) << lost_shift;
}
constexpr Hot decode(const HotWords& w) noexcept {
    Hot h;
    decode(w, h);
    return h;
}

}  // namespace rollcall::shm
