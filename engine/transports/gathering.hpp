// How long to let datagrams gather before they are taken.
#pragma once

#include <chrono>
#include <cstddef>

#include "shm/units.hpp"

namespace rollcall {

// Woken for each of ten thousand a second, a receiver takes a tenth of a core; for those of five milliseconds at once, a tenth of
// that. Where few come, each is taken at once.
class Gathering {
public:
    // After so many were received at `now`.
    void note(std::size_t count, Instant now) {
        received_ += count;
        if (now - since_ < window) return;
        is_busy_ = received_ > busy_from * window / std::chrono::seconds(1);
        received_ = 0;
        since_ = now;
    }
    std::chrono::milliseconds pause() const noexcept { return std::chrono::milliseconds(is_busy_ ? 5 : 0); }

private:
    static constexpr Duration window = std::chrono::milliseconds(100);
    static constexpr std::size_t busy_from = 500;  // a second
    Instant since_{};
    std::size_t received_ = 0;
    bool is_busy_ = false;
};

}  // namespace rollcall
