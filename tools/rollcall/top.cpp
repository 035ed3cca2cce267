// `rollcall top`: the membership as it changes, on a terminal. Works on a dead engine's memory too, and outlives engines.
#include <algorithm>
#include <csignal>
#include <deque>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/explanation.hpp"
#include "tools/rollcall/live_reading.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/signals.hpp"
#include "tools/rollcall/top/board.hpp"
#include "tools/rollcall/top/screen.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::optional<Duration> delay;
};

void declare(OptionSet& set, Options& options) { set.duration("--delay", "look again after this long (default 250ms)", options.delay); }

class Top {
public:
    Top(LiveReading events, LiveReading live, top::Screen screen, Duration delay, const Signals& signals) : events_(std::move(events)), live_(std::move(live)), screen_(std::move(screen)), delay_(delay), signals_(signals) {}

    // Until the user has seen enough.
    Result<void> run() {
        while (!signals_.wait({})) {
            if (auto looked = look(); !looked) return looked;
            screen_.show(board_.draw(shown_, screen_.columns(), screen_.lines()));
            // In slices: Ctrl-C is looked for between them.
            std::optional<top::Key> key;
            for (Duration left = delay_; !key && left > Duration{}; left -= slice) {
                key = screen_.wait(std::min(left, slice));
                if (signals_.wait({})) return {};
            }
            for (; key; key = screen_.wait({}))
                if (!board_.press(*key)) return {};
        }
        return {};
    }

private:
    static constexpr Duration slice = std::chrono::milliseconds(250);

    Result<void> look() {
        events_.take_all([this](const Event& event) { remember(event); });
        live_.take_all([](const Event&) {});  // so that it is of the memory that there is now
        Reading& reading = live_.reading();
        if (board_.asked()) {
            const auto peer = reading.observer.find(*board_.asked());
            shown_.explanation = peer ? explain(*peer, shown_.info.settings, reading.now(shown_.info)) : peer.error().kind == ErrorKind::unknown_node ? *board_.asked() + " is no member any more." : "…";
        }
        auto roster = read_roster(reading);
        if (!roster) return roster.error().kind == ErrorKind::busy ? Result<void>{} : Result<void>(fail(roster.error()));  // the last picture stays
        if (auto hosts = reading.observer.hosts()) shown_.hosts = std::move(*hosts);
        shown_.info = std::move(roster->info);
        shown_.peers = std::move(roster->peers);
        shown_.now = roster->now;
        shown_.is_copy = reading.copy;
        shown_.is_gone = live_.is_gone();
        return {};
    }
    void remember(const Event& event) {
        constexpr std::size_t most = 64;
        shown_.events.push_back(event);
        if (shown_.events.size() > most) shown_.events.pop_front();
    }

    LiveReading events_, live_;  // a snapshot would pass over the events before it
    top::Screen screen_;
    top::Board board_;
    top::Shown shown_;
    Duration delay_;
    const Signals& signals_;
};

int run(const Common& common, const Options& options) {
    const Duration delay = options.delay.value_or(std::chrono::milliseconds(250));
    if (delay < std::chrono::milliseconds(10) || delay > std::chrono::minutes(1)) return usage_error("top", "option --delay: 10ms to 1min");
    const Signals signals{SIGINT, SIGTERM, SIGHUP};
    auto events = LiveReading::attach(common, {0, {}});  // with those that are still kept
    if (!events) return report(events.error());
    auto live = LiveReading::attach(common);
    if (!live) return report(live.error());
    auto screen = top::Screen::open(colour_wanted());
    if (!screen) return report(screen.error());
    const Result<void> ended = Top(std::move(*events), std::move(*live), std::move(*screen), delay, signals).run();
    return ended ? exit_done : report(ended.error());
}

}  // namespace

const Command& top_command() {
    static const Command command = make_command("top", "show members, hosts and events as they change, on a terminal", {{"rollcall top", "press ? for its keys"}, {"rollcall top --cluster orders --delay 1s", "another cluster, looked at once a second"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
