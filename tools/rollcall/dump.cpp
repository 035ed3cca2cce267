// `rollcall dump`: everything in a cluster's memory, also a dead engine's and a copied folder's, and whether it is as it must be.
#include "shm/checkpoint.hpp"
#include "shm/verify.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/dump_text.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/memory_dump.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false, verify = false;
};

void declare(OptionSet& set, Options& options) {
    set.flag("--json", "one JSON document", options.json);
    set.flag("--verify", "check every invariant of the layout instead; exit 1 after naming each that is broken", options.verify);
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
    else write_dump(print, *roster, *hosts, memory->segment.roster(), reading->copy, TagsOf::shown);
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
