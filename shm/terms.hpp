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
    host_silence = 9,    // its host was not heard, or nothing that agrees with what the host says of its members
    host_restarted = 10, // its host began a new life without it
    host_said = 11,      // its host judged so, by silence
    unobserved = 12,     // nobody was left to hear it
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
    // Of hosts: what the first five are of members.
    host_joined = 10,
    host_suspect = 11,
    host_recovered = 12,
    host_dead = 13,
    host_evicted = 14,
    host_left = 15,
    host_updated = 16,   // its address changed
    one_way = 17,        // the host is heard, and does not hear this one
    orphaned = 18,       // nobody is left to hear the host: it is not judged
    duplicate = 19,      // another host speaks for a living member of this one
    mass_silence = 20,   // most hosts fell silent together: is it them, or this one?
    host_duplicate = 21,  // a second host has this one's name: the first one stays as long as it answers
};

// How a process ended.
struct ExitStatus {
    bool signalled = false;   // `value` is a signal, else an exit code
    std::uint8_t value = 0;
    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

// Silence leaves room for a recovery, whoever judged it; every other ground of a death is a proof, and final.
constexpr bool is_silence(Reason r) noexcept { return r == Reason::silence || r == Reason::host_silence || r == Reason::host_said || r == Reason::unobserved; }
constexpr bool is_proof(State state, Reason reason) noexcept { return state == State::dead && !is_silence(reason); }

// A host's event as a member's would be called, and the other way round; others are their own.
constexpr bool is_of_host(EventKind k) noexcept { return (k >= EventKind::host_joined && k <= EventKind::orphaned) || k == EventKind::host_duplicate; }
// Of the detector itself, of no peer and no host.
constexpr bool is_of_nobody(EventKind k) noexcept { return k == EventKind::paused || k == EventKind::gap || k == EventKind::mass_silence || k == EventKind::none; }
constexpr EventKind plain_kind(EventKind k) noexcept {
    switch (k) {
        case EventKind::host_joined: return EventKind::joined;
        case EventKind::host_suspect: return EventKind::suspect;
        case EventKind::host_recovered: return EventKind::recovered;
        case EventKind::host_dead: return EventKind::dead;
        case EventKind::host_evicted: return EventKind::evicted;
        case EventKind::host_left: return EventKind::left;
        case EventKind::host_updated: return EventKind::updated;
        case EventKind::host_duplicate: return EventKind::duplicate;
        default: return k;
    }
}
constexpr EventKind host_kind(EventKind k) noexcept {
    switch (k) {
        case EventKind::joined: return EventKind::host_joined;
        case EventKind::suspect: return EventKind::host_suspect;
        case EventKind::recovered: return EventKind::host_recovered;
        case EventKind::dead: return EventKind::host_dead;
        case EventKind::evicted: return EventKind::host_evicted;
        case EventKind::left: return EventKind::host_left;
        case EventKind::updated: return EventKind::host_updated;
        case EventKind::duplicate: return EventKind::host_duplicate;
        default: return k;
    }
}

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
        case Reason::host_silence: return "host_silence";
        case Reason::host_restarted: return "host_restarted";
        case Reason::host_said: return "host_said";
        case Reason::unobserved: return "unobserved";
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
        case EventKind::host_joined: return "host_joined";
        case EventKind::host_suspect: return "host_suspect";
        case EventKind::host_recovered: return "host_recovered";
        case EventKind::host_dead: return "host_dead";
        case EventKind::host_evicted: return "host_evicted";
        case EventKind::host_left: return "host_left";
        case EventKind::host_updated: return "host_updated";
        case EventKind::one_way: return "one_way";
        case EventKind::orphaned: return "orphaned";
        case EventKind::duplicate: return "duplicate";
        case EventKind::mass_silence: return "mass_silence";
        case EventKind::host_duplicate: return "host_duplicate";
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
