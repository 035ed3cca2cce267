// `rollcall watch`: events as they happen, a line each.
#include <algorithm>
#include <csignal>
#include <utility>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/position.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    bool json = false;
    std::optional<std::string> from;
    std::optional<std::uint64_t> count;
    std::optional<Duration> timeout;
};

void declare(OptionSet& set, Options& options) {
    set.flag("--json", "one JSON object a line", options.json);
    set.text("--from", "SEQ[@STREAM]", "go on behind this event; 0: all that is still kept (default: only what comes)", options.from);
    set.number("--count", "N", "end after this many events", 1, std::uint64_t{1} << 48, options.count);
    set.duration("--timeout", "end after this long; exit 1 if --count was not reached", options.timeout);
}

enum class Ending { none, counted, timeout, stopped, unread, nothing_more };

class Watch {
public:
    Watch(const Common& common, const Options& options, Position position, const Signals& signals, Reading reading)
        : common_(common), options_(options), position_(position), signals_(signals), reading_(std::move(reading)), lines_(Palette(colour_wanted())) {
        const ClusterInfo info = reading_.observer.info();
        cluster_ = info.cluster;
        if (!position_.after) position_ = {info.head.value, info.stream};
        if (reading_.copy) log(LogLevel::info, "this is a copy, nothing will happen here; '--from 0' shows what it holds");
        else if (!info.running) log(LogLevel::info, "no engine runs in cluster '" + cluster_ + "' now: waiting for one");
        if (options_.timeout) deadline_ = later(*options_.timeout);
    }

    Ending run() {
        for (;;) {
            if (const Ending ending = print_what_is_there(); ending != Ending::none) return ending;
            if (reading_.copy) return Ending::nothing_more;
            if (nobody_reads()) return Ending::unread;
            if (signals_.wait(gone_ ? slice : Duration{})) return Ending::stopped;
            if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) return Ending::timeout;
            wait_for_more();
            if (!reading_.observer.is_stale()) continue;
            // Nothing more will be written there; what it still holds comes first.
            if (const Ending ending = print_what_is_there(); ending != Ending::none) return ending;
            if (has_printed_all_) attach_again();
        }
    }

private:
    // Short enough for signals, a closed pipe and a replaced memory to be noticed at once by a person's measure; events wake it earlier.
    static constexpr Duration slice = std::chrono::milliseconds(100);

    static Instant later(Duration d) {
        const Instant now = std::chrono::steady_clock::now();
        return d > Instant::max() - now ? Instant::max() : now + d;
    }

    // Everything published until now, even if time is over; what comes meanwhile is the next round's, so that a flood cannot hold us here.
    Ending print_what_is_there() {
        const Sequence head = reading_.observer.info().head;
        has_printed_all_ = false;
        while (const std::optional<Event> event = reading_.observer.poll()) {
            position_ = {event->sequence.value, event->stream};
            if (!print_line_now(options_.json ? json::event_line(*event, cluster_) : lines_.line(*event))) return Ending::unread;
            if (options_.count && ++seen_ == *options_.count) return Ending::counted;
            if (signals_.wait({})) return Ending::stopped;
            if (event->sequence >= head) return Ending::none;
        }
        has_printed_all_ = true;
        return Ending::none;
    }

    void wait_for_more() {
        Duration timeout = slice;
        if (deadline_) timeout = std::min<Duration>(timeout, *deadline_ - std::chrono::steady_clock::now());
        if (timeout > Duration{}) reading_.observer.wait(timeout);
    }

    // The memory was replaced or removed. What cannot be known any more becomes a gap of the new observer.
    void attach_again() {
        Result<Reading> again = attach(common_, {.cluster = {}, .dir = {}, .after = position_.after, .stream = position_.stream, .copy = false});
        if (again && !again->copy) {
            reading_ = std::move(*again);
            gone_ = false;
            return;
        }
        if (!gone_) log(LogLevel::info, "waiting for cluster '" + cluster_ + "' to come back" + (again ? "" : ": " + again.error().message));
        gone_ = true;
    }

    const Common& common_;
    const Options& options_;
    Position position_;
    const Signals& signals_;
    Reading reading_;
    EventLines lines_;
    std::string cluster_;
    std::optional<Instant> deadline_;
    std::uint64_t seen_ = 0;
    bool has_printed_all_ = false;
    bool gone_ = false;  // there is no memory to look at just now
};

int run(const Common& common, const Options& options) {
    std::optional<Position> position = Position{};
    if (options.from) position = parse_position(*options.from);
    if (!position) return usage_error("watch", "option --from: '" + *options.from + "' is not SEQ or SEQ@STREAM, for example 120 or 120@00c0ffee00c0ffee");

    const Signals signals{SIGINT, SIGTERM, SIGHUP};  // each ends the watch, and well
    std::signal(SIGPIPE, SIG_IGN);                   // a reader that has seen enough ends the watch by its answer to the next write
    Result<Reading> reading = attach(common, {.cluster = {}, .dir = {}, .after = position->after, .stream = position->stream, .copy = false});
    if (!reading) return report(reading.error());
    Watch watch(common, options, *position, signals, std::move(*reading));
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
                                                 {"rollcall watch --json --from 120@00c0ffee00c0ffee", "go on behind event 120 of that stream"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
