// `rollcall dump`: everything an observer can know of a cluster, also of a dead engine's and of a copied folder.
#include "shm/settings.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
};

void declare(OptionSet& set, Options& options) { set.flag("--json", "one JSON document", options.json); }

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

int run(const Common& common, const Options& options) {
    Result<Reading> reading = attach(common);
    if (!reading) return report(reading.error());
    const Result<Roster> roster = read_roster(*reading);
    if (!roster) return report(roster.error());
    if (options.json) {
        json::write_members(print, roster->info, roster->peers, roster->now, json::Detail::all);
    } else {
        print(cluster_text(*roster, reading->copy));
        for (const Peer& peer : roster->peers) print(peer_text(peer, roster->now));
    }
    return finish_output(exit_done);
}

}  // namespace

const Command& dump_command() {
    static const Command command = make_command("dump", "show all that is known of a cluster",
                                                {{"rollcall dump", "the cluster, then each peer"},
                                                 {"rollcall dump --json", "what members --json says, and more of each peer"},
                                                 {"rollcall dump --dir /tmp/copy --cluster orders", "of a folder that was copied"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
