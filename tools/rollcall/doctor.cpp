// `rollcall doctor`: is this machine, and this cluster on it, as rollcall needs it?
#include "tools/rollcall/doctor/examination.hpp"

#include "shm/name.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
};

void declare(OptionSet& set, Options& options) { set.flag("--json", "one JSON document", options.json); }

int run(const Common& common, const Options& options) {
    const std::string cluster = common.cluster_name();
    if (auto valid = shm::validate_cluster_name(cluster); !valid) return report(valid.error());
    const doctor::Examination all = doctor::examine(cluster, common.folder());
    print(options.json ? doctor::as_json(cluster, all.folder, all.findings) + "\n" : doctor::for_people(all.findings));
    return finish_output(doctor::has_bad(all.findings) ? exit_failed : exit_done);
}

}  // namespace

const Command& doctor_command() {
    static const Command command = make_command("doctor", "examine this machine and a cluster on it: ok, note or bad, and what to do",
                                                {{"rollcall doctor", "before the first engine, or when something looks wrong; exit 1 if anything is bad"},
                                                 {"rollcall doctor --cluster orders --json", "for programs"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
