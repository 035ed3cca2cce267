// A peer and an event as every reader sees them: plain values, copied out of the shared memory and checked.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shm/terms.hpp"
#include "shm/units.hpp"

namespace rollcall {

using Tags = std::map<std::string, std::string, std::less<>>;

// Why a peer is in the state it is in: what the detector saw when it judged. Durations that were not involved are zero.
struct Evidence {
    Duration age{};              // of the last beat when judged
    Duration lost{};             // how much of that age nobody was observing
    Duration late{};             // how long after the threshold the detector looked
    Duration suspect_timeout{};  // thresholds in force
    Duration dead_timeout{};
    std::optional<ExitStatus> status;  // how the process ended, where known
};

// A member that does not beat because a guard of its own holds it back.
struct Stall {
    std::string guard;  // its name, as its program gave it
    Instant since{};    // the last progress
    Duration budget{};
};

struct Peer {
    std::string node;
    std::string endpoint;
    std::string host;
    Tags tags;
    State state = State::none;
    Reason reason = Reason::none;
    Instant since{};                        // in this state since
    std::optional<Instant> last_heartbeat;  // nothing once its word is gone (a proof of death)
    Incarnation incarnation{};
    Slot slot = no_slot;
    Generation generation{};
    Sequence last_event{};  // the event that brought this peer into this form
    std::uint32_t pid = 0;  // 0: none, or not visible from the engine
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    bool local = true;  // judged by its own word on this host
    Evidence evidence;
    std::optional<Stall> stall;  // snapshot() looks for it only where a peer is not alive
};

// Another host, as this one hears it.
struct Host {
    std::string name;
    std::string transport, address;  // "udp", "10.0.0.1:7946"
    State state = State::none;
    Reason reason = Reason::none;
    Instant since{};                 // in this state since
    Instant last_heard{};
    Duration interval{};             // between its messages, as it announced it
    Incarnation incarnation{};
    Slot slot = no_slot;
    std::size_t members = 0, alive = 0;
    double loss = 0;                 // of its messages, lately: a share
    std::optional<Duration> round_trip;
    Evidence evidence;
};

// One entry of the stream, or a `gap` made by the reader that missed some. A plain value, no allocation.
struct Event {
    using Kind = EventKind;
    static constexpr Kind joined = EventKind::joined, suspect = EventKind::suspect, recovered = EventKind::recovered,
                          dead = EventKind::dead, evicted = EventKind::evicted, left = EventKind::left, updated = EventKind::updated,
                          paused = EventKind::paused, gap = EventKind::gap,
                          host_joined = EventKind::host_joined, host_suspect = EventKind::host_suspect, host_recovered = EventKind::host_recovered,
                          host_dead = EventKind::host_dead, host_evicted = EventKind::host_evicted, host_left = EventKind::host_left, host_updated = EventKind::host_updated,
                          one_way = EventKind::one_way, orphaned = EventKind::orphaned, duplicate = EventKind::duplicate, mass_silence = EventKind::mass_silence,
                          host_duplicate = EventKind::host_duplicate;

    Kind kind = EventKind::none;
    State state = State::none;  // of the peer after this event; none once it is gone
    Reason reason = Reason::none;
    Generation generation{};
    Slot slot = no_slot;
    std::uint32_t epoch = 0;    // which engine since the segment was created
    Sequence sequence{};        // of a gap: its `to`
    std::uint64_t stream = 0;   // id of the unbroken sequence this belongs to
    std::uint64_t view = 0;     // number of the membership after this event
    Incarnation incarnation{};
    Instant at{};               // when it was judged, monotonic: compute with this one
    std::int64_t wall_us = 0;   // the same for show: microseconds since 1970, UTC
    Duration length{};          // paused: how long the detector did not look
    Sequence from{}, to{};      // gap: first and last sequence that this reader will never see
    Evidence evidence;
    std::uint32_t blob = 0xFFFF'FFFF;  // where endpoint and tags lie; for View
    std::array<char, 64> name{};       // length, then the node id; of an event of a host, the host's
    std::array<char, 64> host_name{};  // length, then the host it is on; empty: this one

    std::string_view node() const noexcept { return {name.data() + 1, static_cast<unsigned char>(name[0])}; }
    std::string_view host() const noexcept { return {host_name.data() + 1, static_cast<unsigned char>(host_name[0])}; }
};

// Since the segment was created; a successor goes on counting.
struct Counters {
    std::uint64_t heartbeats_sent = 0;      // messages emitted to other hosts
    std::uint64_t heartbeats_received = 0;  // on_heartbeat and messages; not the beats of words
    std::uint64_t peers_joined = 0;
    std::uint64_t peers_suspected = 0;
    std::uint64_t peers_dead = 0;
    std::uint64_t peers_evicted = 0;
    std::uint64_t peers_recovered = 0;
    std::uint64_t peers_left = 0;
    std::uint64_t pauses = 0;         // gaps of the detector itself, however short
    std::uint64_t words_repaired = 0; // damaged heartbeat words that were put right
    std::uint64_t unwatched = 0;      // processes that could not be watched and are judged by silence alone
};

}  // namespace rollcall
