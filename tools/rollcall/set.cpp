// `rollcall set`: changes the settings of a running engine.
#include "engine/client/operator.hpp"
#include "shm/settings.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/profile.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    SettingsChange change;
    std::optional<std::string> profile;
    bool json = false;
};

void declare(OptionSet& set, Options& options) {
    declare_profile(set, options.profile);
    declare_settings(set, options.change, false);
    set.flag("--json", "the settings now in force as JSON", options.json);
}

int run(const Common& common, const Options& options) {
    if (is_empty(options.change) && !options.profile) return usage_error("set", "nothing to change: name at least one setting");
    SettingsChange change = options.change;
    if (options.profile) {
        const auto named = settings_of_profile(*options.profile);
        if (!named) return usage_error("set", "option --profile: " + named.error().message);
        change = layered(*named, options.change);
    }
    const Result<Settings> now = change_settings({common.cluster_name(), common.folder()}, change);
    if (!now) return report(now.error());
    if (const auto unwise = warning(*now)) log(LogLevel::warning, *unwise);
    print((options.json ? json::settings(common.cluster_name(), *now) : describe(*now)) + "\n");
    return finish_output(exit_done);
}

}  // namespace

const Command& set_command() {
    static const Command command = make_command("set", "change settings of a running engine, until SIGHUP or restart",
                                                {{"rollcall set --suspect 10s --dead 30s --evict 1min", "more patience, for example during an upgrade"},
                                                 {"rollcall set --profile wan", "all five at once"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
