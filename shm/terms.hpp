// The words rollcall uses for what it knows of a peer. Their numbers are part of the memory layout: append, never renumber.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rollcall {

// What the detector last announced of a peer. `none` is a slot without a peer.
enum class State : std::uint8_t { none = 0, alive = 1, suspect = 2, dead = 3 };

// The ground of a judgement.
enum class Reason : std::uint8_t {
    none = 0,
    join = 1,          // a process asked to be a member
    registered = 2,    // the embedding program named it
    heartbeat = 3,     // it was heard
    silence = 4,       // it was not heard for a timeout of observed time
    process_exit = 5,  // its process ended
    goodbye = 6,       // it said so
    replaced = 7,      // a new incarnation of the same node took over
    by_operator = 8,   // somebody with the right to do so said so
};

enum class EventKind : std::uint8_t {
    none = 0,
    joined = 1,
    suspect = 2,
    recovered = 3,
    dead = 4,
    evicted = 5,
    left = 6,
    updated = 7,  // endpoint or tags changed, or a proof was added to a death by silence
    paused = 8,   // the detector itself was not observing
    gap = 9,      // never stored: an observer missed events
};

// How a process ended.
struct ExitStatus {
    bool signalled = false;   // `value` is a signal, else an exit code
    std::uint8_t value = 0;
    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

// Silence leaves room for a recovery; every other ground of a death is a proof, and final.
constexpr bool is_proof(State state, Reason reason) noexcept { return state == State::dead && reason != Reason::silence; }

constexpr std::string_view to_string(State s) noexcept {
    switch (s) {
        case State::alive: return "alive";
        case State::suspect: return "suspect";
        case State::dead: return "dead";
        case State::none: break;
    }
    return "none";
}

constexpr std::string_view to_string(Reason r) noexcept {
    switch (r) {
        case Reason::join: return "join";
        case Reason::registered: return "registered";
        case Reason::heartbeat: return "heartbeat";
        case Reason::silence: return "silence";
        case Reason::process_exit: return "process_exit";
        case Reason::goodbye: return "goodbye";
        case Reason::replaced: return "replaced";
        case Reason::by_operator: return "operator";
        case Reason::none: break;
    }
    return "none";
}

constexpr std::string_view to_string(EventKind k) noexcept {
    switch (k) {
        case EventKind::joined: return "joined";
        case EventKind::suspect: return "suspect";
        case EventKind::recovered: return "recovered";
        case EventKind::dead: return "dead";
        case EventKind::evicted: return "evicted";
        case EventKind::left: return "left";
        case EventKind::updated: return "updated";
        case EventKind::paused: return "paused";
        case EventKind::gap: return "gap";
        case EventKind::none: break;
    }
    return "none";
}

// "joined, dead, evicted, left and a dead peer's recovery" number the membership. A recovery from suspicion does not.
constexpr bool raises_view(EventKind kind, State before) noexcept {
    return kind == EventKind::joined || kind == EventKind::dead || kind == EventKind::evicted || kind == EventKind::left ||
           (kind == EventKind::recovered && before == State::dead);
}

}  // namespace rollcall
