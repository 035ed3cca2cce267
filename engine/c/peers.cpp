#include "engine/c/peers.hpp"

#include "engine/c/edge.hpp"

using namespace rollcall;

namespace rollcall::c {

rollcall_evidence evidence_of(const Evidence& e) noexcept {
    const bool exited = e.status && !e.status->signalled;
    return {e.age.count(),
            e.lost.count(),
            e.late.count(),
            e.suspect_timeout.count(),
            e.dead_timeout.count(),
            exited ? e.status->value : -1,
            e.status && e.status->signalled ? e.status->value : 0};
}

rollcall_event event_of(const Event& e) noexcept {
    rollcall_event to{};
    to.kind = static_cast<int>(e.kind);
    to.state = static_cast<int>(e.state);
    to.reason = static_cast<int>(e.reason);
    to.slot = e.slot.value;
    to.generation = e.generation.value;
    to.epoch = e.epoch;
    to.sequence = e.sequence.value;
    to.from_sequence = e.from.value;
    to.stream = e.stream;
    to.view = e.view;
    to.incarnation = e.incarnation.value;
    to.at_ns = to_ns(e.at);
    to.wall_us = e.wall_us;
    to.length_ns = e.length.count();
    to.evidence = evidence_of(e.evidence);
    put_text(to.node, e.node());
    put_text(to.host, e.host());
    return to;
}

}  // namespace rollcall::c

namespace {

rollcall_peer for_c(const Peer& p, const rollcall_tag* tags) noexcept {
    rollcall_peer to{};
    to.node = p.node.c_str();
    to.endpoint = p.endpoint.c_str();
    to.host = p.host.c_str();
    to.tags = tags;
    to.tag_count = p.tags.size();
    to.state = static_cast<int>(p.state);
    to.reason = static_cast<int>(p.reason);
    to.incarnation = p.incarnation.value;
    to.last_event = p.last_event.value;
    to.slot = p.slot.value;
    to.generation = p.generation.value;
    to.since_ns = to_ns(p.since);
    to.last_heartbeat_ns = p.last_heartbeat ? to_ns(*p.last_heartbeat) : -1;
    to.pid = p.pid;
    to.uid = p.uid;
    to.gid = p.gid;
    to.is_local = p.local;
    to.evidence = c::evidence_of(p.evidence);
    if (p.stall) {
        to.stall_guard = p.stall->guard.c_str();
        to.stall_since_ns = to_ns(p.stall->since);
        to.stall_budget_ns = p.stall->budget.count();
    }
    return to;
}

}  // namespace

rollcall_peers* rollcall_peers::make(std::vector<Peer> from, Sequence at) {
    auto list = std::make_unique<rollcall_peers>();
    list->peers = std::move(from);
    list->sequence = at.value;
    std::size_t tags = 0;
    for (const Peer& p : list->peers) tags += p.tags.size();
    list->tags.reserve(tags);  // they are pointed at: it must not grow
    list->shown.reserve(list->peers.size());
    for (const Peer& p : list->peers) {
        const rollcall_tag* first = list->tags.data() + list->tags.size();
        for (const auto& [key, value] : p.tags) list->tags.push_back({key.c_str(), value.c_str()});
        list->shown.push_back(for_c(p, first));
    }
    return list.release();
}

ROLLCALL_EXPORT size_t rollcall_peers_count(const rollcall_peers* peers) { return peers->shown.size(); }
ROLLCALL_EXPORT const rollcall_peer* rollcall_peers_get(const rollcall_peers* peers, size_t index) {
    return index < peers->shown.size() ? &peers->shown[index] : nullptr;
}
ROLLCALL_EXPORT uint64_t rollcall_peers_sequence(const rollcall_peers* peers) { return peers->sequence; }
ROLLCALL_EXPORT void rollcall_peers_free(rollcall_peers* peers) { delete peers; }
