// Events as whoever serves them sees them go by: wakes those who wait for them, and measures how late they are.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/client/observer.hpp"
#include "tools/rollcall/live_reading.hpp"

namespace rollcall::cli {

// Since this feed began. In buckets of powers of two of nanoseconds, as everywhere.
struct EventTimes {
    Histogram lag;              // from a judgement to our seeing it
    Histogram detection_delay;  // of deaths of silence: from the last sign of life to the judgement, without what nobody observed
    std::array<std::uint64_t, 2> ns{};  // sums: of lag, of delay
    std::uint64_t lost = 0;     // events that were gone before we saw them
};

class EventFeed {
public:
    // `wake` is called on the feed's thread, after something was published, and once a second.
    EventFeed(LiveReading live, std::function<void()> wake);
    ~EventFeed();
    EventFeed(const EventFeed&) = delete;
    EventFeed& operator=(const EventFeed&) = delete;

    EventTimes times() const;

private:
    void run();
    void note(const Event& event, Instant now);

    LiveReading live_;
    std::function<void()> wake_;
    mutable std::mutex mutex_;  // guards the times
    EventTimes times_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace rollcall::cli
