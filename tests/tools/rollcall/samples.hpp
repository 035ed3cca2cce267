// Events, peers and a cluster as the tests of what is shown need them: plausible, and each figure different from the others.
#pragma once

#include <cstring>
#include <string_view>

#include "engine/client/observer.hpp"
#include "engine/peer.hpp"

namespace rollcall::cli::samples {

using namespace std::chrono_literals;

inline void set_node(Event& e, std::string_view node) {
    e.name[0] = static_cast<char>(node.size());
    std::memcpy(e.name.data() + 1, node.data(), node.size());
}

// As the memory keeps them: thresholds in stamp units, rounded up.
inline Duration stored(Duration d) { return from_stamp_units(to_stamp_units_up(d)); }

// worker-1 was silent for 5 s of 5.3 s, and is dead.
inline Event death() {
    Event e;
    e.kind = EventKind::dead;
    e.state = State::dead;
    e.reason = Reason::silence;
    e.generation = Generation{3};
    e.slot = Slot{9};
    e.epoch = 2;
    e.sequence = Sequence{41};
    e.stream = 0x00C0'FFEE'0000'0001;
    e.view = 12;
    e.incarnation = Incarnation{1'738'324'800'000'001};
    e.at = instant_from_ns(7'000'123'456);
    e.wall_us = 1'738'324'800'123'456;
    e.evidence = {5300ms, 300ms, 12'250us, stored(3s), stored(5s), std::nullopt};
    set_node(e, "worker-1");
    return e;
}

inline Event exit(std::optional<ExitStatus> status) {
    Event e = death();
    e.reason = Reason::process_exit;
    e.evidence.status = status;
    return e;
}

inline Event pause() {
    Event e = death();
    e.kind = EventKind::paused;
    e.state = State::none;
    e.reason = Reason::none;
    e.length = 10'250ms;
    return e;
}

inline Event gap() {
    Event e;
    e.kind = EventKind::gap;
    e.stream = 0x00C0'FFEE'0000'0001;
    e.from = Sequence{42};
    e.to = e.sequence = Sequence{99};
    return e;
}

inline constexpr Instant now = instant_from_ns(100'000'000'000);

inline Peer peer() {
    Peer p;
    p.node = "worker-1";
    p.endpoint = "10.0.0.1:7000";
    p.tags = {{"role", "main"}, {"zone", "a"}};
    p.state = State::alive;
    p.reason = Reason::join;
    p.since = now - 90s;
    p.last_heartbeat = now - 1500us;
    p.incarnation = Incarnation{1'738'324'800'000'001};
    p.slot = Slot{9};
    p.generation = Generation{3};
    p.last_event = Sequence{41};
    p.pid = 4711;
    p.uid = 1000;
    p.gid = 100;
    p.evidence = {0ns, 0ns, 0ns, stored(3s), stored(5s), std::nullopt};
    return p;
}

inline Peer dead_peer(Reason reason, std::optional<ExitStatus> status = {}) {
    Peer p = peer();
    p.state = State::dead;
    p.reason = reason;
    p.since = now - 4s;
    p.evidence = {5300ms, 0ns, 12'250us, stored(3s), stored(5s), status};
    if (reason != Reason::silence) p.last_heartbeat.reset();
    return p;
}

inline ClusterInfo cluster() {
    ClusterInfo info;
    info.cluster = "orders";
    info.node = "host-1";
    info.host = "host-1.example";
    info.stream = 0x00C0'FFEE'0000'0001;
    info.instance = 0xABCD;
    info.view = 12;
    info.head = Sequence{41};
    info.epoch = 2;
    info.engine_pid = 812;
    info.capacity = 4096;
    info.ring = 65536;
    info.high_water = 10;
    info.running = true;
    info.last_step = now - 7ms;
    info.traffic.transports = {{"udp", {}}};
    info.traffic.transports[0].second.unauthentic = 3;
    info.traffic.hosts.heard = 5;
    info.counters = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    return info;
}

}  // namespace rollcall::cli::samples
