#include "tools/rollcall/demo/hosts_show.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <set>
#include <string>
#include <utility>

#include "tools/rollcall/demo/hosts_stage.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/setting_names.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli::demo {

namespace {

constexpr Duration patience = std::chrono::seconds(20), glance = std::chrono::milliseconds(20);

// "kind node": what must happen, in whatever order, and nothing else.
using Wanted = std::multiset<std::string>;
std::string text_of(EventKind kind, std::string_view node) { return std::string(to_string(kind)) + " " + std::string(node); }

// As the first host sees it.
class HostsShow {
public:
    HostsShow(HostsStage& stage, const Signals& signals, const Palette& palette) : stage_(stage), signals_(signals), palette_(palette), lines_(palette) {}

    bool play() { return meet() && kill_a_worker() && cut_off() && come_back() && sleeper_blames_nobody(); }
    const std::string& why() const { return why_; }
    std::size_t seen() const { return seen_; }

private:
    void heading(const std::string& text) { print_line_now("\n" + palette_.paint(Colour::strong, text)); }
    bool give_up(std::string why) {
        if (why_.empty()) why_ = std::move(why);
        return false;
    }
    std::string last() const { return HostsStage::host(stage_.count() - 1); }
    // Everybody on a host: its engine's own node and its workers.
    std::vector<std::string> members_of(std::size_t host) const {
        std::vector<std::string> all{"engine-" + std::to_string(host + 1)};
        for (int w = 0; w < HostsStage::workers_a_host; ++w) all.push_back(HostsStage::worker(host, w));
        return all;
    }
    bool take(Wanted& wanted) {
        while (const auto event = stage_.events().poll()) {
            ++seen_;
            std::string line = "    " + lines_.line(*event);
            if (clock_ && event->at >= *clock_) line += palette_.paint(Colour::faint, "  [" + rounded(event->at - *clock_) + " after]");
            print_line_now(line);
            if (event->kind == EventKind::paused) continue;  // a busy machine kept the engine from looking, and it says so
            const auto found = wanted.find(text_of(event->kind, event->node()));
            if (found == wanted.end()) return give_up("'" + text_of(event->kind, event->node()) + "' came, which had not to come now");
            wanted.erase(found);
        }
        return true;
    }
    bool until(Wanted wanted) {
        const Instant end = std::chrono::steady_clock::now() + patience;
        while (take(wanted)) {
            if (wanted.empty()) return clock_.reset(), true;
            if (signals_.wait({})) return give_up("interrupted");
            if (std::chrono::steady_clock::now() >= end) return give_up("'" + *wanted.begin() + "' did not come within " + to_text(patience));
            stage_.events().wait(glance);
        }
        return false;
    }

    bool meet() {
        heading(std::to_string(stage_.count()) + " hosts, each with an engine and " + std::to_string(HostsStage::workers_a_host) + " workers, meet over UDP. This is what " + HostsStage::host(0) + " sees.");
        if (auto started = stage_.start_workers(); !started) return give_up(started.error().message);
        Wanted wanted;
        for (std::size_t i = 0; i < stage_.count(); ++i) {
            if (i != 0) wanted.insert(text_of(EventKind::host_joined, HostsStage::host(i)));
            for (const std::string& node : members_of(i))
                if (i != 0 || node != "engine-1") wanted.insert(text_of(EventKind::joined, node));
        }
        return until(std::move(wanted));
    }
    bool kill_a_worker() {
        const std::string victim = HostsStage::worker(stage_.count() - 1, 0);
        heading("On " + last() + " a worker is killed (SIGKILL). " + last() + " saw its process end, and tells.");
        clock_ = std::chrono::steady_clock::now();
        stage_.process(victim).signal(SIGKILL);
        return until({text_of(EventKind::dead, victim)});
    }
    Wanted of_last(EventKind host, EventKind member) const {
        Wanted wanted{text_of(host, last())};
        for (const std::string& node : members_of(stage_.count() - 1))
            if (node != HostsStage::worker(stage_.count() - 1, 0)) wanted.insert(text_of(member, node));
        return wanted;
    }
    bool cut_off() {
        heading(last() + " is cut off (its engine is stopped, SIGSTOP). Its members can be judged by nothing but its silence.");
        clock_ = std::chrono::steady_clock::now();
        stage_.engine(stage_.count() - 1).signal(SIGSTOP);
        Wanted wanted = of_last(EventKind::host_suspect, EventKind::suspect);
        wanted.merge(of_last(EventKind::host_dead, EventKind::dead));
        return until(std::move(wanted));
    }
    bool come_back() {
        heading(last() + " is back (SIGCONT): it answers a question that it cannot have answered before, and so do its members live again.");
        clock_ = std::chrono::steady_clock::now();
        stage_.engine(stage_.count() - 1).signal(SIGCONT);
        return until(of_last(EventKind::host_recovered, EventKind::recovered));
    }
    // Whoever was asleep cannot say that nobody called.
    bool sleeper_blames_nobody() {
        auto observer = stage_.look(stage_.count() - 1);
        if (!observer) return give_up(observer.error().message);
        std::size_t pauses = 0;
        while (const auto event = observer->poll()) {
            pauses += event->kind == EventKind::paused;
            const bool blames = plain_kind(event->kind) == EventKind::dead && event->reason != Reason::process_exit;
            if (blames) return give_up(last() + " was asleep, and said '" + text_of(event->kind, event->node()) + "'");
        }
        heading(last() + " itself heard nobody meanwhile, but knows that it did not listen: it tells of " + (pauses == 1 ? "one pause" : std::to_string(pauses) + " pauses") + " and of no death.");
        return pauses != 0 || give_up(last() + " was stopped and did not say so");
    }

    HostsStage& stage_;
    const Signals& signals_;
    Palette palette_;
    EventLines lines_;
    std::optional<Instant> clock_;
    std::string why_;
    std::size_t seen_ = 0;
};

}  // namespace

int play_hosts(const Common& common, std::size_t hosts) {
    const Signals signals{SIGINT, SIGTERM, SIGHUP};  // so that whatever ends the show, everything is cleaned up
    std::signal(SIGPIPE, SIG_IGN);
    const Instant begin = std::chrono::steady_clock::now();
    Result<HostsStage> stage = HostsStage::set_up(common.folder(), hosts, signals);
    if (!stage) return report(stage.error());
    print_line_now(std::to_string(hosts) + " engines run in " + stage->folder() + " (" + describe(hosts_timing) + ").");
    HostsShow show(*stage, signals, Palette(colour_wanted()));
    if (!show.play()) {
        report({ErrorKind::system, "demo: " + show.why()});
        return finish_output(exit_failed);
    }
    print_line_now("\n" + std::to_string(show.seen()) + " events, each as expected. It took " + rounded(std::chrono::steady_clock::now() - begin) + ".");
    return finish_output(exit_done);
}

}  // namespace rollcall::cli::demo
