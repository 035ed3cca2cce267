// `rollcall join`: a member, with or without a command behind it.
#include <string>
#include <utility>
#include <vector>

#include "engine/client/member.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/joining.hpp"
#include "tools/rollcall/keep_alive.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/signal_feed.hpp"
#include "tools/rollcall/wrapper.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::string node;
    std::optional<std::string> endpoint;
    std::vector<std::string> tags;
    std::optional<Duration> wait;
    bool replace = false;
    std::vector<std::string> command;
    bool has_mark = false;  // a -- was given
};

void declare(OptionSet& set, Options& options) {
    set.required_text("--node", "ID", "the member's node id: 1 to 63 bytes, no white space", options.node);
    set.text("--endpoint", "E", "where others reach it, up to 255 bytes", options.endpoint);
    set.texts("--tag", "K=V", "a tag", options.tags);
    set.duration("--wait", "go on trying so long while there is no engine or the id is held (default: 0)", options.wait);
    set.flag("--replace", "take the id from a living holder of the same user", options.replace);
    set.rest("COMMAND ARGS...", "run it as the member: its exit is the member's. Without it, join until SIGTERM, SIGINT or SIGHUP", options.command, options.has_mark);
}

// Empty keys, lengths and characters are the library's business.
Result<Tags> parse_tags(const std::vector<std::string>& texts) {
    Tags tags;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos) return fail(ErrorKind::invalid, "option --tag: '" + text + "' has no '=' between key and value");
        if (!tags.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
            return fail(ErrorKind::invalid, "option --tag: key '" + text.substr(0, equals) + "' is given twice");
    }
    return tags;
}

int leave(Member& member) {
    // Nobody is there to hear it; the next engine will find this process gone.
    if (auto left = member.leave(); !left) log(LogLevel::warning, "could not say goodbye: " + left.error().message);
    return exit_done;
}

// A member by itself, until a signal.
int be_a_member(const Member::Options& options, Duration patience) {
    const Result<SignalFeed> signals = SignalFeed::open({SIGTERM, SIGINT, SIGHUP});
    if (!signals) return report(signals.error());
    auto member = join_patiently(options, patience, *signals);
    if (!member) return member.error();
    log(LogLevel::info, "joined cluster '" + options.cluster + "' as '" + options.node + "'");
    for (;;) {
        const Instant now = std::chrono::steady_clock::now();
        if (const Pulse pulse = keep_alive(*member, now); pulse.over) return report(*pulse.over);
        const Duration interval = beat_interval(*member);
        const std::optional<Signal> signal = signals->wait(now + interval - std::chrono::steady_clock::now());
        if (signal && signal->asks_to_end()) return leave(*member);
    }
}

int run(const Common& common, const Options& options) {
    if (options.has_mark && options.command.empty()) return usage_error("join", "nothing stands behind --: name a command, or leave it out");
    const Result<Tags> tags = parse_tags(options.tags);
    if (!tags) return usage_error("join", tags.error().message);
    Member::Options member;
    member.cluster = common.cluster_name();
    member.dir = common.folder();
    member.node = options.node;
    member.endpoint = options.endpoint.value_or("");
    member.tags = *tags;
    member.replace = options.replace;
    const Duration patience = options.wait.value_or(Duration::zero());
    return options.command.empty() ? be_a_member(member, patience) : wrap(std::move(member), patience, options.command);
}

}  // namespace

const Command& join_command() {
    static const Command command = make_command("join", "make this process, or any program, a member",
                                                {{"rollcall join --node worker-1 -- ./worker --port 7000", "exit 0 is a leave, a crash a death"},
                                                 {"rollcall join --node db --endpoint 10.0.0.5:5432 --tag role=main -- postgres", "with more to know of it"},
                                                 {"rollcall join --node worker-1 --wait 10s -- ./worker", "the engine may still be starting"},
                                                 {"rollcall join --node watcher", "a member by itself, until Ctrl-C"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
