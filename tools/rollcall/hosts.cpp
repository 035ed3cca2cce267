// `rollcall hosts`: the other hosts, as this one hears them. Works on a dead engine's memory too.
#include <cstdio>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/disputes.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/table.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
};

void declare(OptionSet& set, Options& options) { set.flag("--json", "one JSON document", options.json); }

std::string percent(double share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.0f%%", share * 100);
    return text;
}

std::string table_of(const std::vector<Host>& hosts, Instant now, const Palette& palette) {
    if (hosts.empty()) return "";
    Table table({"HOST", "STATE", "SINCE", "LAST-HEARD", "MEMBERS", "ALIVE", "LOSS", "ROUND-TRIP", "TRANSPORT", "ADDRESS"});
    for (const Host& h : hosts)
        table.add({{h.name},
                   {std::string(to_string(h.state)), colour_of(h.state)},
                   {one_word(now - h.since)},
                   {one_word(now - h.last_heard)},
                   {std::to_string(h.members)},
                   {std::to_string(h.alive)},
                   {percent(h.loss)},
                   {h.round_trip ? one_word(*h.round_trip) : ""},
                   {h.transport},
                   {h.address}});
    return table.render(palette);
}

std::string summary_of(const ClusterInfo& info, const std::vector<Host>& hosts, Instant now, bool copy) {
    const std::string count = hosts.empty() ? "No other hosts" : std::to_string(hosts.size()) + (hosts.size() == 1 ? " other host" : " other hosts");
    return printable(count + "; this is host '" + info.host + "'. " + engine_text(info, now, copy) + ".");
}

int run(const Common& common, const Options& options) {
    Result<Reading> reading = attach(common, from_the_first);
    if (!reading) return report(reading.error());
    const std::vector<Event> disputes = read_disputes(reading->observer, Disputed::hosts);
    const Result<std::vector<Host>> hosts = reading->observer.hosts();
    if (!hosts) return report(hosts.error());
    const ClusterInfo info = reading->observer.info();
    const Instant now = reading->now(info);
    if (options.json) {
        print(json::hosts(info, *hosts, disputes, now) + "\n");
    } else {
        const Palette palette(colour_wanted());
        const std::string table = table_of(*hosts, now, palette);
        print(table + (table.empty() ? "" : "\n") + palette.paint(Colour::faint, summary_of(info, *hosts, now, reading->copy)) + "\n" + dispute_lines(disputes, palette));
    }
    return finish_output(exit_done);
}

}  // namespace

const Command& hosts_command() {
    static const Command command = make_command("hosts", "show the other hosts, and how this one hears them", {{"rollcall hosts", "the table"}, {"rollcall hosts --json", "for programs"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
