#include "tools/rollcall/live_reading.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace rollcall::cli {

LiveReading::LiveReading(const Common& common, const Position& position, Reading reading) : common_(common), position_(position), reading_(std::move(reading)) {
    const ClusterInfo info = reading_.observer.info();
    cluster_ = info.cluster;
    if (!position_.after) position_ = {info.head.value, info.stream};
}

Result<LiveReading> LiveReading::attach(const Common& common, const Position& position) {
    Result<Reading> reading = cli::attach(common, {.cluster = {}, .dir = {}, .after = position.after, .stream = position.stream, .copy = false});
    if (!reading) return fail(reading.error());
    return LiveReading(common, position, std::move(*reading));
}

std::optional<Event> LiveReading::next() {
    std::optional<Event> event = reading_.observer.poll();
    if (!event && !reading_.copy && reading_.observer.is_stale()) {
        event = reading_.observer.poll();  // nothing more will be written there; what it still holds comes first
        if (!event) {
            attach_again();
            if (!is_gone_) event = reading_.observer.poll();
        }
    }
    if (event) position_ = {event->sequence.value, event->stream};
    return event;
}

// What is between the last event seen and the new memory's first is a gap of the new observer.
void LiveReading::attach_again() {
    Result<Reading> again = cli::attach(common_, {.cluster = {}, .dir = {}, .after = position_.after, .stream = position_.stream, .copy = false});
    is_gone_ = !again || again->copy;
    why_gone_ = again ? "" : again.error().message;
    if (!is_gone_) reading_ = std::move(*again);
}

void LiveReading::wait(Duration timeout) {
    timeout = std::min<Duration>(timeout, std::chrono::seconds(1));
    if (is_gone_) std::this_thread::sleep_for(timeout);
    else if (timeout > Duration{}) reading_.observer.wait(timeout);
}

}  // namespace rollcall::cli
