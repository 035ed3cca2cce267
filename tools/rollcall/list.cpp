// `rollcall list`: the clusters of this host.
#include <utility>

#include "engine/client/operator.hpp"
#include "shm/name.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/json.hpp"
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

// A cluster that cannot be read is listed with the reason: one broken folder must not hide the others.
json::ListedCluster look_at(const ClusterFolder& where) {
    json::ListedCluster cluster{where, {}, 0, {}};
    Common common;
    common.cluster = where.cluster;
    common.dir = where.dir;
    Result<Reading> reading = attach(common);
    if (!reading) {
        cluster.error = reading.error().message;
        return cluster;
    }
    Result<Roster> roster = read_roster(*reading);
    if (!roster) {
        cluster.error = roster.error().message;
        return cluster;
    }
    cluster.peers = roster->peers.size();
    cluster.info = std::move(roster->info);
    return cluster;
}

std::string table_of(const std::vector<json::ListedCluster>& found) {
    Table table({"CLUSTER", "ENGINE", "PID", "PEERS", "VIEW", "FOLDER"});
    for (const json::ListedCluster& c : found) {
        if (!c.info) {
            table.add({{c.where.cluster}, {"unreadable", Colour::bad}, {}, {}, {}, {c.where.dir + ": " + c.error}});
            continue;
        }
        table.add({{c.where.cluster},
                   {c.info->running ? c.info->node : "stopped", c.info->running ? Colour::good : Colour::doubtful},
                   {c.info->running ? std::to_string(c.info->engine_pid) : ""},
                   {std::to_string(c.peers)},
                   {std::to_string(c.info->view)},
                   {c.where.dir}});
    }
    return table.render(Palette(colour_wanted()));
}

std::string nothing_found(const Common& common) {
    std::string where;
    for (const std::string& folder : folders(common.folder())) where += (where.empty() ? "" : " and ") + folder;
    return printable("No clusters in " + where + "; 'rollcall run' makes one.") + "\n";
}

int run(const Common& common, const Options& options) {
    if (common.cluster)
        if (auto valid = shm::validate_cluster_name(*common.cluster); !valid) return report(valid.error());
    std::vector<json::ListedCluster> found;
    for (const ClusterFolder& where : clusters(common.folder()))
        if (!common.cluster || *common.cluster == where.cluster) found.push_back(look_at(where));
    if (options.json) print(json::clusters(found) + "\n");
    else print(found.empty() ? nothing_found(common) : table_of(found));
    return finish_output(exit_done);
}

}  // namespace

const Command& list_command() {
    static const Command command = make_command("list", "list the clusters of this host",
                                                {{"rollcall list", "in the folders of this user, of the service and of root"}, {"rollcall list --dir /tmp/copy --json", "in another folder, for programs"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
