// `rollcall demo`: everything a membership goes through, played by real processes, and checked.
#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/demo/hosts_show.hpp"
#include "tools/rollcall/demo/show.hpp"
#include "tools/rollcall/demo/stage.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/setting_names.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli {

namespace {

using demo::Show;
using demo::Stage;
using demo::timing;

struct Options {
    std::optional<std::uint64_t> hosts;
};

void declare(OptionSet& set, Options& options) { set.number("--hosts", "N", "instead: so many hosts that tell each other of their members", 2, 9, options.hosts); }

constexpr Duration breath = std::chrono::milliseconds(250);  // between two acts, for the audience
constexpr Duration stall = timing.dead + std::chrono::milliseconds(300);

bool five_join(Stage& stage, Show& show) {
    show.heading("Five workers join, each a process of its own.");
    for (const char* node : {"worker-1", "worker-2", "worker-3", "worker-4", "worker-5"}) {
        if (auto started = stage.start_worker(node); !started) return report(started.error()), false;
        if (!show.until({{EventKind::joined, node, Reason::join}})) return false;
    }
    show.roll_call();
    return show.quiet(breath);
}

bool one_is_killed(Stage& stage, Show& show) {
    show.heading("worker-2 is killed (SIGKILL, pid " + std::to_string(stage.worker("worker-2").pid()) + "). A process that is gone is proof: no timeout is waited for.");
    show.start_clock();
    stage.worker("worker-2").signal(SIGKILL);
    if (!show.until({{EventKind::dead, "worker-2", Reason::process_exit}})) return false;
    show.roll_call();
    show.remark(rounded(timing.evict) + " later it is forgotten.");
    return show.until({{EventKind::evicted, "worker-2"}}) && show.quiet(breath);
}

bool one_falls_silent(Stage& stage, Show& show) {
    show.heading("worker-3 is stopped (SIGSTOP). It lives but says nothing, which after " + rounded(timing.suspect) + " is a suspicion, no more.");
    show.start_clock();
    stage.worker("worker-3").signal(SIGSTOP);
    if (!show.until({{EventKind::suspect, "worker-3", Reason::silence}})) return false;
    show.roll_call();
    show.remark("Now it goes on (SIGCONT).");
    show.start_clock();
    stage.worker("worker-3").signal(SIGCONT);
    return show.until({{EventKind::recovered, "worker-3", Reason::heartbeat}}) && show.quiet(breath);
}

bool one_leaves(Stage& stage, Show& show) {
    show.heading("worker-4 is asked to end (SIGTERM). It says goodbye, and nobody calls that a death.");
    show.start_clock();
    stage.worker("worker-4").signal(SIGTERM);
    if (!show.until({{EventKind::left, "worker-4", Reason::goodbye}})) return false;
    show.roll_call();
    return show.quiet(breath);
}

void tell_of_a_heartbeat(Stage& stage, Show& show) {
    const Result<Peer> peer = stage.roster().find("worker-1");
    if (!peer || !peer->last_heartbeat) return;
    show.remark("Meanwhile anybody can see worker-1's last heartbeat in the memory: it is " +
                rounded(std::chrono::steady_clock::now() - *peer->last_heartbeat) + " old.");
}

bool the_engine_stalls(Stage& stage, Show& show) {
    show.heading("The engine itself is stopped (SIGSTOP) for " + rounded(stall) + ", longer than the dead timeout of " + rounded(timing.dead) +
                 ". The workers know nothing of it.");
    stage.engine().signal(SIGSTOP);
    const bool silent = show.quiet(stall / 2);
    if (silent) tell_of_a_heartbeat(stage, show);
    const bool still_silent = silent && show.quiet(stall - stall / 2);
    stage.engine().signal(SIGCONT);
    if (!still_silent || !show.until({{EventKind::paused, ""}})) return false;
    show.remark("It heard nobody, but it knows that it did not listen. Nobody is judged for that.");
    return show.quiet(2 * breath);
}

// Pauses are told in full: at least what we know to have been slept.
bool pause_was_told(const Show& show) {
    const auto& seen = show.script().seen();
    Duration longest{};
    for (const Event& e : seen)
        if (e.kind == EventKind::paused) longest = std::max(longest, e.length);
    if (longest >= timing.dead) return true;
    return report({ErrorKind::system, "demo: the engine was stopped for " + rounded(stall) + ", but told of " + rounded(longest)}), false;
}

bool roster_is_right(Stage& stage) {
    const Result<std::vector<Peer>> peers = stage.roster().snapshot();
    if (!peers) return report(peers.error()), false;
    std::string alive;
    for (const Peer& peer : *peers) alive += (alive.empty() ? "" : " ") + peer.node + (peer.state == State::alive ? "" : "(" + std::string(to_string(peer.state)) + ")");
    print_line_now("\n" + members_table(*peers, std::chrono::steady_clock::now(), Palette(colour_wanted())));
    if (alive == "worker-1 worker-3 worker-5") return true;
    return report({ErrorKind::system, "demo: expected worker-1 worker-3 worker-5 to be there and alive, but found: " + alive}), false;
}

// A second process watched all the time: line for line it must have seen the same.
bool second_observer_agrees(Stage& stage, const Show& show) {
    const std::vector<Event>& seen = show.script().seen();
    const Result<std::vector<std::string>> lines = stage.end_watch(seen.size());
    if (!lines) return report(lines.error()), false;
    bool same = lines->size() == seen.size();
    for (std::size_t i = 0; same && i < seen.size(); ++i) same = (*lines)[i] == json::event_line(seen[i], "default");
    if (same) return true;
    return report({ErrorKind::system, "demo: a second process saw " + std::to_string(lines->size()) + " events that are not the same as these " + std::to_string(seen.size())}),
           false;
}

bool play(Stage& stage, Show& show) {
    return five_join(stage, show) && one_is_killed(stage, show) && one_falls_silent(stage, show) && one_leaves(stage, show) && the_engine_stalls(stage, show);
}

void tell_of_failure(const Stage& stage, const Show& show) {
    if (show.why().empty()) return;  // told already, where it happened
    if (show.was_interrupted()) {
        report({ErrorKind::system, "demo: interrupted"});
        return;
    }
    print("\n" + show.script().comparison() + "\n");
    for (const std::string& words : stage.last_words()) print("      " + printable(words) + "\n");
    report({ErrorKind::system, "demo: " + show.why()});
}

int run(const Common& common, const Options& options) {
    if (options.hosts) return demo::play_hosts(common, static_cast<std::size_t>(*options.hosts));
    const Signals signals{SIGINT, SIGTERM, SIGHUP};  // so that whatever ends the show, everything is cleaned up
    std::signal(SIGPIPE, SIG_IGN);
    const Instant begin = std::chrono::steady_clock::now();
    Result<Stage> stage = Stage::set_up(common.folder(), signals);
    if (!stage) return report(stage.error());
    print_line_now("An engine runs in " + stage->folder() + " (" + describe(timing) + ").");

    Show show(*stage, signals, Palette(colour_wanted()));
    if (!play(*stage, show)) {
        tell_of_failure(*stage, show);
        return finish_output(exit_failed);
    }
    if (!pause_was_told(show) || !roster_is_right(*stage) || !second_observer_agrees(*stage, show)) return finish_output(exit_failed);
    print_line_now(std::to_string(show.script().seen().size()) + " events, each as expected, and a second process saw the same. It took " +
                   rounded(std::chrono::steady_clock::now() - begin) + ".");
    return finish_output(exit_done);
}

}  // namespace

const Command& demo_command() {
    static const Command command = make_command("demo", "see it at work: real processes die, fall silent, leave",
                                                {{"rollcall demo", "ten seconds at most, in a temporary folder; exit 1 if anything is not as it must be"},
                                                 {"rollcall demo --hosts 3", "three engines over UDP on loopback, one cut off and back"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
