#include "tools/rollcall/serve/event_feed.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace rollcall::cli {

namespace {

void count(Histogram& in, std::uint64_t& sum, Duration what) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(what.count(), 0));
    ++in.buckets[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(ns)), in.buckets.size() - 1)];
    sum += ns;
}

}  // namespace

EventFeed::EventFeed(LiveReading live, std::function<void()> wake) : live_(std::move(live)), wake_(std::move(wake)), thread_([this] { run(); }) {}

EventFeed::~EventFeed() {
    ending_.store(true, std::memory_order_relaxed);  // relaxed: it looks again within a moment
    thread_.join();
}

void EventFeed::run() {
    constexpr Duration slice = std::chrono::milliseconds(200);  // how soon the end is noticed; events wake it earlier
    Instant woken{};
    while (!ending_.load(std::memory_order_relaxed)) {
        bool has_come = false;
        while (const std::optional<Event> event = live_.next()) {
            note(*event, std::chrono::steady_clock::now());
            has_come = true;
            if (ending_.load(std::memory_order_relaxed)) return;
        }
        const Instant now = std::chrono::steady_clock::now();
        if (has_come || now - woken >= std::chrono::seconds(1)) {
            woken = now;
            wake_();
        }
        live_.wait(slice);
    }
}

void EventFeed::note(const Event& event, Instant now) {
    const std::lock_guard lock(mutex_);
    if (event.kind == EventKind::gap) {
        times_.lost += event.to.value - event.from.value + 1;
        return;
    }
    count(times_.lag, times_.ns[0], now - event.at);
    if (plain_kind(event.kind) == EventKind::dead && (event.reason == Reason::silence || event.reason == Reason::host_silence)) count(times_.detection_delay, times_.ns[1], event.evidence.age - event.evidence.lost);
}

EventTimes EventFeed::times() const {
    const std::lock_guard lock(mutex_);
    return times_;
}

}  // namespace rollcall::cli
