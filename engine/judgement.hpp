// The rules that turn silence into a judgement: a table, without memory, threads or clocks.
//
// | announced        | its last beat                          | becomes            |
// |------------------|----------------------------------------|--------------------|
// | alive            | older than the suspect threshold       | suspect            |
// | alive, suspect   | older than the dead threshold          | (suspect,) dead    |
// | dead of silence  | older than the evict threshold         | evicted            |
// | suspect, dead of silence | not older than the suspect threshold | recovered    |
// | dead by proof    | (the proof is older than evict)        | evicted            |
//
// An eviction comes at the earliest one pass after the death, so that nobody can miss it.
#pragma once

#include <cstdint>

#include "shm/terms.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

// What was announced of a slot's peer, as the detector remembers it. `told`: another host's member, judged by its host's word, unless its death is proven.
enum class Announced : std::uint8_t { nobody, alive, suspect, dead_silent, dead_proven, told };

constexpr Announced announced(State state, Reason reason) noexcept {
    switch (state) {
        case State::alive: return Announced::alive;
        case State::suspect: return Announced::suspect;
        case State::dead: return is_silence(reason) ? Announced::dead_silent : Announced::dead_proven;
        case State::none: break;
    }
    return Announced::nobody;
}

// Stamps that are exactly one timeout of observed time old. Strictly older ones are silent.
struct Thresholds {
    Stamp suspect, dead, evict;
};

enum class Verdict : std::uint8_t { none, suspect, suspect_and_dead, dead, recovered, evict };

// `stamp`: of the last beat; for a proven death, of the proof.
constexpr Verdict judge(Announced so_far, Stamp stamp, const Thresholds& t) noexcept {
    switch (so_far) {
        case Announced::nobody:
        case Announced::told: return Verdict::none;
        case Announced::alive:
            if (stamp >= t.suspect) return Verdict::none;
            return stamp < t.dead ? Verdict::suspect_and_dead : Verdict::suspect;
        case Announced::suspect:
            if (stamp >= t.suspect) return Verdict::recovered;
            return stamp < t.dead ? Verdict::dead : Verdict::none;
        case Announced::dead_silent:
            if (stamp >= t.suspect) return Verdict::recovered;
            return stamp < t.evict ? Verdict::evict : Verdict::none;
        case Announced::dead_proven: return stamp < t.evict ? Verdict::evict : Verdict::none;
    }
    return Verdict::none;
}

}  // namespace rollcall::engine
