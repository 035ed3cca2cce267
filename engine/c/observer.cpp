// Observers for C, and the names of what they tell.
#include "engine/client/observer.hpp"

#include "engine/c/edge.hpp"
#include "engine/c/observing.hpp"
#include "engine/c/peers.hpp"

using namespace rollcall;

static_assert(ROLLCALL_STATE_DEAD == static_cast<int>(State::dead) && ROLLCALL_REASON_UNOBSERVED == static_cast<int>(Reason::unobserved) &&
              ROLLCALL_REASON_OPERATOR == static_cast<int>(Reason::by_operator) && ROLLCALL_EVENT_GAP == static_cast<int>(EventKind::gap) &&
              ROLLCALL_EVENT_HOST_DUPLICATE == static_cast<int>(EventKind::host_duplicate));

struct rollcall_observer {
    Observer observer;
};

namespace rollcall::c {

ObserverOptions options_of(const rollcall_observer_options& from) {
    ObserverOptions o;
    if (from.cluster != nullptr) o.cluster = from.cluster;
    o.dir = text(from.dir);
    if (from.resume != 0) o.after = from.after;
    if (from.resume != 0 && from.stream != 0) o.stream = from.stream;
    return o;
}

}  // namespace rollcall::c

ROLLCALL_EXPORT rollcall_observer* rollcall_observe(const rollcall_observer_options* given, rollcall_error* error) try {
    rollcall_observer_options options;
    if (!c::take_options(given, options, error)) return nullptr;
    auto observer = Observer::attach(c::options_of(options));
    if (!observer) return c::failed(error, observer.error()), nullptr;
    return new rollcall_observer{std::move(*observer)};
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return nullptr;
}

ROLLCALL_EXPORT void rollcall_observer_free(rollcall_observer* observer) { delete observer; }

ROLLCALL_EXPORT int rollcall_poll(rollcall_observer* observer, rollcall_event* event, size_t size) {
    const auto next = observer->observer.poll();
    if (next) c::give(c::event_of(*next), event, size);
    return next ? 1 : 0;
}
ROLLCALL_EXPORT int rollcall_wait(rollcall_observer* observer, int64_t timeout_ns) { return observer->observer.wait(Duration{timeout_ns}) ? 1 : 0; }
ROLLCALL_EXPORT int rollcall_fd(rollcall_observer* observer) { return observer->observer.fd(); }
ROLLCALL_EXPORT int rollcall_is_stale(const rollcall_observer* observer) { return observer->observer.is_stale() ? 1 : 0; }

ROLLCALL_EXPORT rollcall_peers* rollcall_snapshot(rollcall_observer* observer, rollcall_error* error) try {
    Sequence at;
    auto peers = observer->observer.snapshot(&at);
    if (!peers) return c::failed(error, peers.error()), nullptr;
    return rollcall_peers::make(std::move(*peers), at);
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return nullptr;
}

ROLLCALL_EXPORT rollcall_peers* rollcall_find(const rollcall_observer* observer, const char* node, rollcall_error* error) try {
    auto peer = observer->observer.find(node == nullptr ? "" : node);
    if (!peer) return c::failed(error, peer.error()), nullptr;
    const Sequence at = peer->last_event;
    return rollcall_peers::make({std::move(*peer)}, at);
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return nullptr;
}

ROLLCALL_EXPORT void rollcall_get_info(const rollcall_observer* observer, rollcall_info* info, size_t size) {
    const ClusterInfo i = observer->observer.info();
    rollcall_info to{};
    c::put_text(to.cluster, i.cluster);
    c::put_text(to.node, i.node);
    c::put_text(to.host, i.host);
    c::put_text(to.engine_version, i.engine_version);
    to.stream = i.stream;
    to.view = i.view;
    to.head = i.head.value;
    to.epoch = i.epoch;
    to.engine_pid = i.engine_pid;
    to.capacity = i.capacity;
    to.ring = i.ring;
    to.running = i.running;
    to.heartbeat_ns = i.settings.heartbeat.count();
    to.suspect_ns = i.settings.suspect.count();
    to.dead_ns = i.settings.dead.count();
    to.evict_ns = i.settings.evict.count();
    to.scan_ns = i.settings.scan.count();
    to.last_step_ns = to_ns(i.last_step);
    to.peers_joined = i.counters.peers_joined;
    to.peers_suspected = i.counters.peers_suspected;
    to.peers_dead = i.counters.peers_dead;
    to.peers_evicted = i.counters.peers_evicted;
    to.peers_recovered = i.counters.peers_recovered;
    to.peers_left = i.counters.peers_left;
    c::give(to, info, size);
}

// The texts are literals, which end in NUL.
ROLLCALL_EXPORT const char* rollcall_event_name(int kind) {
    return kind < 0 || kind > ROLLCALL_EVENT_HOST_DUPLICATE ? "unknown" : to_string(static_cast<EventKind>(kind)).data();
}
ROLLCALL_EXPORT const char* rollcall_state_name(int state) {
    return state < 0 || state > ROLLCALL_STATE_DEAD ? "unknown" : to_string(static_cast<State>(state)).data();
}
ROLLCALL_EXPORT const char* rollcall_reason_name(int reason) {
    return reason < 0 || reason > ROLLCALL_REASON_UNOBSERVED ? "unknown" : to_string(static_cast<Reason>(reason)).data();
}
ROLLCALL_EXPORT const char* rollcall_error_name(int kind) {
    static constexpr const char* names[]{"ok",      "invalid",  "no_cluster",   "no_engine",    "held",    "full",    "refused",
                                         "replaced", "unknown_node", "incompatible", "damaged", "timeout", "busy", "system"};
    return kind < 0 || kind > ROLLCALL_SYSTEM ? "unknown" : names[kind];
}
