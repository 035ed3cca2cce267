#include "tools/rollcall/dump_text.hpp"

#include <string>

#include "shm/settings.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/memory_dump.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli {

namespace {

std::string field(std::string_view name, std::string_view value) {
    return value.empty() ? "" : "  " + padded(name, 16) + printable(value) + "\n";
}

std::string numbers(const ClusterInfo& info) {
    return field("stream", json::stream_text(info.stream)) + field("instance", json::stream_text(info.instance)) + field("epoch", std::to_string(info.epoch)) +
           field("view", std::to_string(info.view)) + field("head sequence", std::to_string(info.head.value)) +
           field("capacity", std::to_string(info.capacity)) + field("high water", std::to_string(info.high_water)) +
           field("ring", std::to_string(info.ring));
}

std::string cluster_text(const Roster& roster, bool copy) {
    const ClusterInfo& info = roster.info;
    return printable("cluster " + info.cluster) + "\n" + field("engine", engine_text(info, roster.now, copy)) + field("engine pid", std::to_string(info.engine_pid)) +
           field("engine node", info.node) + field("host", info.host) + field("last step", rounded(roster.now - info.last_step) + " ago") + numbers(info) +
           field("settings", describe(info.settings));
}

std::string evidence_text(const Evidence& e) {
    std::string text;
    if (e.age != Duration{}) text += "last beat " + to_text(e.age) + " old, " + to_text(e.lost) + " of it unobserved, judged " + to_text(e.late) + " late";
    if (e.suspect_timeout != Duration{}) text += (text.empty() ? "" : "; ") + std::string("timeouts ") + to_text(as_set(e.suspect_timeout)) + " and " + to_text(as_set(e.dead_timeout));
    if (e.status) text += (text.empty() ? "" : "; ") + std::string("its process ") + ending(e);
    return text;
}

std::string owner(const Peer& p) { return p.pid == 0 ? "" : "uid " + std::to_string(p.uid) + ", gid " + std::to_string(p.gid); }

std::string peer_text(const Peer& p, Instant now, TagsOf tags) {
    return "\n" + printable("peer " + p.node) + "\n" + field("state", std::string(to_string(p.state)) + " (" + std::string(to_string(p.reason)) + ") since " + rounded(now - p.since)) +
           field("last heartbeat", p.last_heartbeat ? rounded(now - *p.last_heartbeat) + " ago" : "") + field("evidence", evidence_text(p.evidence)) +
           field("incarnation", std::to_string(p.incarnation.value)) +
           field("slot", std::to_string(p.slot.value) + ", generation " + std::to_string(p.generation.value)) +
           field("last event", std::to_string(p.last_event.value)) + field("pid", p.pid != 0 ? std::to_string(p.pid) : "") + field("owner", owner(p)) +
           field("host", p.host) + field("judged", p.local ? "by its own word on this host" : "by its host's word") + field("endpoint", p.endpoint) +
           field("tags", tags == TagsOf::shown ? tags_text(p.tags) : p.tags.empty() ? "" : std::to_string(p.tags.size()) + ", not shown");
}

std::string host_text(const Host& h, Instant now) {
    return "\n" + printable("host " + h.name) + "\n" + field("state", std::string(to_string(h.state)) + " (" + std::string(to_string(h.reason)) + ") since " + rounded(now - h.since)) +
           field("last heard", rounded(now - h.last_heard) + " ago") + field("evidence", evidence_text(h.evidence)) + field("incarnation", std::to_string(h.incarnation.value)) +
           field("slot", std::to_string(h.slot.value)) + field("transport", h.transport) + field("address", h.address) +
           field("members", std::to_string(h.members) + ", " + std::to_string(h.alive) + " of them alive");
}

}  // namespace

void write_dump(const std::function<void(std::string_view)>& out, const Roster& roster, const std::vector<Host>& hosts, const shm::Roster& memory, bool copy, TagsOf tags) {
    out(cluster_text(roster, copy));
    for (const Host& host : hosts) out(host_text(host, roster.now));
    for (const Peer& peer : roster.peers) out(peer_text(peer, roster.now, tags));
    print_memory(out, memory);
}

}  // namespace rollcall::cli
