// `rollcall stat`: what has been counted since the cluster was created. Works on a dead engine's memory too.
#include <vector>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/stat_text.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
};

void declare(OptionSet& set, Options& options) { set.flag("--json", "one JSON document", options.json); }

int run(const Common& common, const Options& options) {
    Result<Reading> reading = attach(common);
    if (!reading) return report(reading.error());
    const ClusterInfo info = reading->observer.info();
    const Result<std::vector<Host>> hosts = reading->observer.hosts();
    if (!hosts) return report(hosts.error());
    print(options.json ? json::statistics(info, hosts->size()) + "\n" : statistics_text(info, hosts->size(), reading->now(info), reading->copy));
    return finish_output(exit_done);
}

}  // namespace

const Command& stat_command() {
    static const Command command = make_command("stat", "show what has been counted",
                                                {{"rollcall stat", "counters, settings, how long looks take and how late judgements are"}, {"rollcall stat --json", "for programs"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
