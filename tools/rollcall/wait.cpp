// `rollcall wait`: returns once a node is in a state.
#include "engine/client/observer.hpp"
#include "shm/name.hpp"
#include "shm/settings.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/state_names.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::string node, state;
    std::optional<Duration> timeout;
};

void declare(OptionSet& set, Options& options) {
    set.positional("NODE", "the node to wait for", options.node);
    set.required_text("--state", "S", "alive, suspect, dead, or gone (not a member, or no longer)", options.state);
    set.duration("--timeout", "give up after this long, with exit 1 (default: never)", options.timeout);
}

constexpr std::string_view gone = "gone";

std::string_view state_of(const View& view, std::string_view node) {
    const Peer* peer = view.find(node);
    return peer != nullptr ? to_string(peer->state) : gone;
}

int run(const Common& common, const Options& options) {
    if (auto valid = shm::validate_node_id(options.node); !valid) return report(valid.error());
    if (options.state != gone && !parse_state(options.state))
        return usage_error("wait", "option --state: '" + options.state + "' is none of " + std::string(state_names) + ", gone");

    Result<Reading> reading = attach(common);
    if (!reading) return report(reading.error());
    // What a dead engine left says how things were. To wait for how they are takes a living one, at least at the start.
    if (reading->copy || !reading->observer.info().running)
        return report({ErrorKind::no_engine, "no engine runs in cluster '" + common.cluster_name() + "', so nothing there can come true; start one with 'rollcall run'"});

    std::string last;
    const auto step = [&](const View& view, const Event&) {
        last = state_of(view, options.node);
        return last != options.state;
    };
    Result<bool> followed = reading->observer.follow(step, options.timeout);
    if (!followed) return report(followed.error());
    if (last == options.state) return exit_done;
    return report({ErrorKind::timeout, "'" + options.node + "' is " + last + ", not " + options.state + ", after " + to_text(options.timeout.value_or(Duration{}))});
}

}  // namespace

const Command& wait_command() {
    static const Command command = make_command("wait", "return once a node is in a state",
                                                {{"rollcall wait db-1 --state alive", "however long it takes"},
                                                 {"rollcall wait db-1 --state dead --timeout 30s", "exit 1 if it is not within 30 s"},
                                                 {"rollcall wait db-1 --state gone", "until it has left or was evicted"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
