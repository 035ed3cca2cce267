// `rollcall members`: who is there, and how they are. Works on a dead engine's memory too.
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/disputes.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/state_names.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
    std::optional<std::string> state;
};

void declare(OptionSet& set, Options& options) {
    set.flag("--json", "one JSON document", options.json);
    set.text("--state", "S", "only those: alive, suspect or dead", options.state);
}

int run(const Common& common, const Options& options) {
    const std::optional<State> state = options.state ? parse_state(*options.state) : std::nullopt;
    if (options.state && !state) return usage_error("members", "option --state: '" + *options.state + "' is none of " + std::string(state_names));

    Result<Reading> reading = attach(common, from_the_first);
    if (!reading) return report(reading.error());
    const std::vector<Event> disputes = read_disputes(reading->observer, Disputed::nodes);
    Result<Roster> roster = read_roster(*reading);
    if (!roster) return report(roster.error());
    const std::string summary = members_summary(roster->info, roster->peers, roster->now, reading->copy);
    if (state) std::erase_if(roster->peers, [&](const Peer& p) { return p.state != *state; });

    if (options.json) {
        json::write_members(print, roster->info, roster->peers, roster->now, json::Detail::members, [&](const json::Out& out) { out(",\n\"duplicates\":" + json::events(disputes, roster->info.cluster)); });
    } else {
        const Palette palette(colour_wanted());
        const std::string table = members_table(roster->peers, roster->now, palette);
        print(table + (table.empty() ? "" : "\n") + palette.paint(Colour::faint, summary) + "\n" + dispute_lines(disputes, palette));
    }
    return finish_output(exit_done);
}

}  // namespace

const Command& members_command() {
    static const Command command =
        make_command("members", "show who is there, and how they are",
                     {{"rollcall members", "the table"}, {"rollcall members --state dead", "only the dead"}, {"rollcall members --json", "for programs"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
