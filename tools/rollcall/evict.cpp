// `rollcall evict`: an operator removes a node.
#include "engine/client/operator.hpp"
#include "shm/name.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::string node;
};

void declare(OptionSet& set, Options& options) { set.positional("NODE", "the node to remove; if it lives, it learns so at its next beat", options.node); }

int run(const Common& common, const Options& options) {
    if (auto valid = shm::validate_node_id(options.node); !valid) return report(valid.error());
    if (auto evicted = evict({common.cluster_name(), common.folder()}, options.node); !evicted) return report(evicted.error());
    print("evicted " + printable(options.node) + "\n");
    return finish_output(exit_done);
}

}  // namespace

const Command& evict_command() {
    static const Command command = make_command("evict", "remove a node from the membership", {{"rollcall evict worker-7", "a living one may join again"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
