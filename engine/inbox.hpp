// The one way into the detector for everything that is not a heartbeat. Many threads put, the detector takes.
//
// moodycamel's queue keeps the order of each thread and never blocks; it is unbounded, so a count of what is in flight is the bound.
// Its implicit producers are used: in Debian's 1.0.3, try_enqueue with several explicit tokens starved all but one of them. It is taken from by a token, which goes round
// the producers: without one the fullest is served first, and whoever puts one request waits for as long as others flood.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include <concurrentqueue/concurrentqueue.h>

#include "engine/request.hpp"

namespace rollcall::engine {

class Inbox {
public:
    static constexpr std::size_t bound = 1u << 16;

    // Called after each put, from the putting thread: wakes the detector. Set before any thread puts.
    void on_put(std::function<void()> wake) { wake_ = std::move(wake); }

    // False: the bound is reached, or memory is short; `request` is unharmed.
    bool put(Request&& request) {
        if (in_flight_.fetch_add(1, std::memory_order_relaxed) >= bound || !queue_.enqueue(std::move(request))) {  // relaxed: a bound, not a lock
            in_flight_.fetch_sub(1, std::memory_order_relaxed);
            return false;
        }
        if (wake_) wake_();
        return true;
    }

    // The detector's thread only.
    bool take(Request& request) {
        if (!queue_.try_dequeue(turns_, request)) return false;
        in_flight_.fetch_sub(1, std::memory_order_relaxed);
        return true;
    }
    bool is_empty() const noexcept { return in_flight_.load(std::memory_order_relaxed) == 0; }

private:
    moodycamel::ConcurrentQueue<Request> queue_;
    moodycamel::ConsumerToken turns_{queue_};
    std::atomic<std::size_t> in_flight_{0};
    std::function<void()> wake_;
};

}  // namespace rollcall::engine
