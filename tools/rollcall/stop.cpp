// `rollcall stop`: ends a running engine.
#include "engine/client/operator.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool leave = false, remove = false;
};

void declare(OptionSet& set, Options& options) {
    set.flag("--leave", "announce every member as left first (default: they stay, and the next engine goes on with them)", options.leave);
    set.flag("--remove", "then delete the cluster's shared memory; also of a cluster that is stopped already", options.remove);
}

int run(const Common& common, const Options& options) {
    const Address where{common.cluster_name(), common.folder()};
    const std::string cluster = "cluster '" + where.cluster + "'";
    const auto stopped = stop(where, options.leave);
    // Nothing to stop is no obstacle to removing.
    if (!stopped && !(options.remove && stopped.error().kind == ErrorKind::no_engine)) return report(stopped.error());
    if (stopped) print("stopped the engine of " + cluster + "\n");
    if (options.remove) {
        if (auto removed = remove(where); !removed) return finish_output(report(removed.error()));
        print("removed " + cluster + "\n");
    }
    return finish_output(exit_done);
}

}  // namespace

const Command& stop_command() {
    static const Command command = make_command("stop", "stop a running engine",
                                                {{"rollcall stop", "members stay"},
                                                 {"rollcall stop --leave", "members are announced as left"},
                                                 {"rollcall stop --cluster orders --remove", "and its memory is deleted"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
