// Up to when sockets were listened to: for whoever must not take for silence what nobody read.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

#include "shm/units.hpp"

namespace rollcall {

// One thread receives; any may ask.
class SocketWatch {
public:
    // Before it receives. The sockets outlive this.
    void watch(std::vector<int> sockets) { sockets_ = std::move(sockets); }

    // The receiver: it begins to take what waits; all of it was taken, at `now` at the latest, and handed over.
    void begin() noexcept { turns_.fetch_add(1, std::memory_order_seq_cst); }  // [turns] before it reads the sockets, as whoever asks sees both
    void end(bool is_all, Instant now) noexcept {
        if (is_all) drained_ns_.store(to_ns(now), std::memory_order_relaxed);
        turns_.fetch_add(1, std::memory_order_seq_cst);  // [turns]
    }

    // At `now`: that, if nothing waits and nothing was dropped lately; else when that was so last, or when what waited was taken. Two system calls a socket.
    Instant heard_until(Instant now) const;
    // What the kernel had no room for, as far as it tells.
    std::uint64_t dropped() const;

private:
    bool is_idle() const;

    std::vector<int> sockets_;
    std::atomic<std::uint64_t> turns_{0};     // odd while it receives
    std::atomic<std::int64_t> drained_ns_{0};
    mutable std::mutex mutex_;                // guards what follows
    static constexpr Duration settles = std::chrono::milliseconds(250);
    mutable std::uint64_t dropped_ = 0;       // when it was asked last
    mutable Instant dropped_at_{}, clean_at_{};
};

}  // namespace rollcall
