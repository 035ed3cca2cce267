// `rollcall why`: the evidence behind a node's state. Works on a dead engine's memory too.
#include <utility>

#include "shm/name.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/explanation.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::string node;
    bool json = false;
};

void declare(OptionSet& set, Options& options) {
    set.positional("NODE", "the node in question; also one that is gone, as long as events tell of it", options.node);
    set.flag("--json", "one JSON document", options.json);
}

std::string for_people(const Options& options, const ClusterInfo& info, const Peer* peer, const std::vector<Event>& history, Instant now, bool copy) {
    std::string text;
    if (peer != nullptr) text = explain(*peer, info.settings, now);
    else text = printable(options.node + " is not a member of cluster '" + info.cluster + "'; events still tell of it.") + "\n";
    if (!info.running || copy) text += "  " + printable(engine_text(info, now, copy)) + ".\n";
    if (!history.empty()) text += "\n";
    EventLines lines{Palette(colour_wanted())};
    for (const Event& event : history) text += lines.line(event) + "\n";
    return text;
}

int run(const Common& common, const Options& options) {
    if (auto valid = shm::validate_node_id(options.node); !valid) return report(valid.error());
    Result<Reading> reading = attach(common, from_the_first);
    if (!reading) return report(reading.error());
    // The peer before its history: what happens in between is then told twice rather than never.
    const Result<Peer> peer = reading->observer.find(options.node);
    const ClusterInfo info = reading->observer.info();
    const Instant now = reading->now(info);
    const std::vector<Event> history = history_of(reading->observer, options.node);
    if (!peer && (peer.error().kind != ErrorKind::unknown_node || history.empty())) return report(peer.error());

    const Peer* known = peer ? &*peer : nullptr;
    if (options.json) print(json::why(info, options.node, known, history, now, known != nullptr ? explain(*known, info.settings, now) : "") + "\n");
    else print(for_people(options, info, known, history, now, reading->copy));
    return finish_output(exit_done);
}

}  // namespace

const Command& why_command() {
    static const Command command = make_command("why", "tell the evidence behind a node's state",
                                                {{"rollcall why worker-7", "in sentences, and its last events"}, {"rollcall why worker-7 --json", "for programs"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
