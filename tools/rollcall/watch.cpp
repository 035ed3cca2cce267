// `rollcall watch`: events as they happen, a line each, or a command for each.
#include <algorithm>
#include <csignal>
#include <utility>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/event_command.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/live_reading.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
    std::optional<std::string> from, exec;
    std::optional<std::uint64_t> count;
    std::optional<Duration> timeout;
};

void declare(OptionSet& set, Options& options) {
    set.flag("--json", "one JSON object a line", options.json);
    set.text("--from", "SEQ[@STREAM]", "go on behind this event; 0: all that is still kept (default: only what comes)", options.from);
    set.number("--count", "N", "end after this many events", 1, std::uint64_t{1} << 48, options.count);
    set.text("--exec", "COMMAND", "run this for each event instead: JSON on its input, $ROLLCALL_EVENT_NODE and so on in its environment", options.exec);
    set.duration("--timeout", "end after this long; exit 1 if --count was not reached", options.timeout);
}

enum class Ending { none, counted, timeout, stopped, unread, nothing_more };

class Watch {
public:
    Watch(const Options& options, const Signals& signals, LiveReading live) : options_(options), signals_(signals), live_(std::move(live)), lines_(Palette(colour_wanted())) {
        if (options_.exec) command_.emplace(*options_.exec, signals);
        if (live_.reading().copy) log(LogLevel::info, "this is a copy, nothing will happen here; '--from 0' shows what it holds");
        else if (!live_.reading().observer.info().running) log(LogLevel::info, "no engine runs in cluster '" + live_.cluster() + "' now: waiting for one");
        if (options_.timeout) deadline_ = later(*options_.timeout);
    }

    Ending run() {
        for (;;) {
            if (const Ending ending = tell_what_is_there(); ending != Ending::none) return ending;
            if (live_.reading().copy) return Ending::nothing_more;
            if (nobody_reads()) return Ending::unread;
            if (is_told_to_end()) return Ending::stopped;
            if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) return Ending::timeout;
            live_.wait(deadline_ ? std::min<Duration>(slice, *deadline_ - std::chrono::steady_clock::now()) : slice);
        }
    }

private:
    // Short enough for signals, a closed pipe and a replaced memory to be noticed at once by a person's measure; events wake it earlier.
    static constexpr Duration slice = std::chrono::milliseconds(100);

    static Instant later(Duration d) {
        const Instant now = std::chrono::steady_clock::now();
        return d > Instant::max() - now ? Instant::max() : now + d;
    }

    bool is_told_to_end() const {
        while (const auto signal = signals_.wait({}))
            if (*signal != SIGCHLD) return true;
        return false;
    }

    // Everything published until now, even if time is over; what comes meanwhile is the next round's, so that a flood cannot hold us here.
    Ending tell_what_is_there() {
        const Sequence head = live_.head();
        const std::uint64_t stream = live_.reading().observer.info().stream;
        while (const std::optional<Event> event = live_.next()) {
            if (const Ending ending = tell(*event); ending != Ending::none) return ending;
            if (options_.count && ++seen_ == *options_.count) return Ending::counted;
            if (is_told_to_end()) return Ending::stopped;
            if (event->sequence >= head && event->stream == stream) return Ending::none;
        }
        if (live_.is_gone() && !std::exchange(told_gone_, true)) log(LogLevel::info, "waiting for cluster '" + live_.cluster() + "' to come back" + (live_.why_gone().empty() ? "" : ": " + live_.why_gone()));
        told_gone_ = live_.is_gone();
        return Ending::none;
    }

    Ending tell(const Event& event) {
        if (command_) return command_->run(event, live_.cluster()) ? Ending::none : Ending::stopped;
        return print_line_now(options_.json ? json::event_line(event, live_.cluster()) : lines_.line(event)) ? Ending::none : Ending::unread;
    }

    const Options& options_;
    const Signals& signals_;
    LiveReading live_;
    std::optional<EventCommand> command_;
    EventLines lines_;
    std::optional<Instant> deadline_;
    std::uint64_t seen_ = 0;
    bool told_gone_ = false;
};

int run(const Common& common, const Options& options) {
    std::optional<Position> position = Position{};
    if (options.from) position = parse_position(*options.from);
    if (!position) return usage_error("watch", "option --from: '" + *options.from + "' is not SEQ or SEQ@STREAM, for example 120 or 120@00c0ffee00c0ffee");

    if (options.exec && options.json) return usage_error("watch", "options --exec and --json: a command is always told in JSON, and nothing is printed");

    const Signals signals(signals_of_commands);  // each ends the watch, and well, but for those of children
    std::signal(SIGPIPE, SIG_IGN);               // a reader that has seen enough ends the watch by its answer to the next write
    std::signal(SIGCHLD, SIG_DFL);               // whoever started us may have wanted ours to be reaped by themselves
    Result<LiveReading> live = LiveReading::attach(common, *position);
    if (!live) return report(live.error());
    Watch watch(options, signals, std::move(*live));
    const Ending ending = watch.run();
    const bool too_few = options.count && (ending == Ending::timeout || ending == Ending::nothing_more);
    return finish_output(too_few ? exit_failed : exit_done);
}

}  // namespace

const Command& watch_command() {
    static const Command command = make_command("watch", "show events as they happen",
                                                {{"rollcall watch", "until Ctrl-C"},
                                                 {"rollcall watch --from 0", "first what is still kept"},
                                                 {"rollcall watch --json --count 1 --timeout 10s", "one event, or exit 1 after 10 s"},
                                                 {"rollcall watch --exec 'logger \"$ROLLCALL_EVENT $ROLLCALL_EVENT_NODE\"'", "a command for each event"},
                                                 {"rollcall watch --json --from 120@00c0ffee00c0ffee", "go on behind event 120 of that stream"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
