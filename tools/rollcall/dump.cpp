// `rollcall dump`: everything in a cluster's memory, also a dead engine's and a copied folder's, and whether it is as it must be.
#include "shm/checkpoint.hpp"
#include "shm/settings.hpp"
#include "shm/verify.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/memory_dump.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false, verify = false;
};

void declare(OptionSet& set, Options& options) {
    set.flag("--json", "one JSON document", options.json);
    set.flag("--verify", "check every invariant of the layout instead; exit 1 after naming each that is broken", options.verify);
}

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

std::string peer_text(const Peer& p, Instant now) {
    return "\n" + printable("peer " + p.node) + "\n" + field("state", std::string(to_string(p.state)) + " (" + std::string(to_string(p.reason)) + ") since " + rounded(now - p.since)) +
           field("last heartbeat", p.last_heartbeat ? rounded(now - *p.last_heartbeat) + " ago" : "") + field("evidence", evidence_text(p.evidence)) +
           field("incarnation", std::to_string(p.incarnation.value)) +
           field("slot", std::to_string(p.slot.value) + ", generation " + std::to_string(p.generation.value)) +
           field("last event", std::to_string(p.last_event.value)) + field("pid", p.pid != 0 ? std::to_string(p.pid) : "") + field("owner", owner(p)) +
           field("host", p.host) + field("judged", p.local ? "by its own word on this host" : "by its host's word") + field("endpoint", p.endpoint) +
           field("tags", tags_text(p.tags));
}

std::string host_text(const Host& h, Instant now) {
    return "\n" + printable("host " + h.name) + "\n" + field("state", std::string(to_string(h.state)) + " (" + std::string(to_string(h.reason)) + ") since " + rounded(now - h.since)) +
           field("last heard", rounded(now - h.last_heard) + " ago") + field("evidence", evidence_text(h.evidence)) + field("incarnation", std::to_string(h.incarnation.value)) +
           field("slot", std::to_string(h.slot.value)) + field("transport", h.transport) + field("address", h.address) +
           field("members", std::to_string(h.members) + ", " + std::to_string(h.alive) + " of them alive");
}

void print_all(const Roster& roster, const std::vector<Host>& hosts, const shm::Roster& memory, bool copy) {
    print(cluster_text(roster, copy));
    for (const Host& host : hosts) print(host_text(host, roster.now));
    for (const Peer& peer : roster.peers) print(peer_text(peer, roster.now));
    print_memory(print, memory);
}

void write_all(const Roster& roster, const std::vector<Host>& hosts, const shm::Roster& memory) {
    json::write_members(print, roster.info, roster.peers, roster.now, json::Detail::all, [&](const Out& out) {
        out(",\n\"hosts\":" + json::host_list(roster.info, hosts, roster.now));
        out(",\n\"memory\":");
        write_memory(out, memory);
    });
}

int verify(const shm::Roster& memory, bool copy, const std::string& cluster) {
    const shm::Verification found = shm::verify(memory, latest_stamp(memory, copy));
    if (!found.is_settled) return report({ErrorKind::busy, "the memory of cluster '" + cluster + "' would not hold still long enough to be judged; try again"});
    for (const std::string& line : found.broken) print(printable(line) + "\n");
    if (found.broken_count > found.broken.size()) print("and " + std::to_string(found.broken_count - found.broken.size()) + " more\n");
    if (found.broken_count == 0) print("every invariant holds: " + std::to_string(memory.high_water()) + " slots, event " + std::to_string(shm::load_head(memory.header()).value) + "\n");
    return found.broken_count == 0 ? exit_done : exit_failed;
}

int run(const Common& common, const Options& options) {
    Result<Memory> memory = attach_memory(common);
    if (!memory) return report(memory.error());
    if (options.verify) return finish_output(verify(memory->segment.roster(), memory->copy, common.cluster_name()));
    Result<Reading> reading = attach(common);
    if (!reading) return report(reading.error());
    const Result<Roster> roster = read_roster(*reading);
    if (!roster) return report({roster.error().kind, roster.error().message + "; 'rollcall dump --verify' names what is broken"});
    const Result<std::vector<Host>> hosts = reading->observer.hosts();
    if (!hosts) return report(hosts.error());
    if (options.json) write_all(*roster, *hosts, memory->segment.roster());
    else print_all(*roster, *hosts, memory->segment.roster(), reading->copy);
    return finish_output(exit_done);
}

}  // namespace

const Command& dump_command() {
    static const Command command = make_command("dump", "show everything in a cluster's memory, or check it",
                                                {{"rollcall dump", "the cluster, then each peer"},
                                                 {"rollcall dump --json", "what members --json says, and more of each peer, and the memory"},
                                                 {"rollcall dump --verify", "is the memory as it must be?"},
                                                 {"rollcall dump --dir /tmp/copy --cluster orders", "of a folder that was copied"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
