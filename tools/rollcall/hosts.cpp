// `rollcall hosts`: the other hosts, as this one hears them. Works on a dead engine's memory too.
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/disputes.hpp"
#include "tools/rollcall/hosts_table.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
};

void declare(OptionSet& set, Options& options) { set.flag("--json", "one JSON document", options.json); }

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
        const std::string table = hosts_table(*hosts, now, palette);
        print(table + (table.empty() ? "" : "\n") + palette.paint(Colour::faint, hosts_summary(info, *hosts, now, reading->copy)) + "\n" + dispute_lines(disputes, palette));
    }
    return finish_output(exit_done);
}

}  // namespace

const Command& hosts_command() {
    static const Command command = make_command("hosts", "show the other hosts, and how this one hears them", {{"rollcall hosts", "the table"}, {"rollcall hosts --json", "for programs"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
