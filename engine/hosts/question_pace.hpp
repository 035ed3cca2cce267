// How many questions a second to hosts that may be alive: as many as are answered in time. Where all are slow, because hosts or the network between them have too much to do, questions must not be
// what keeps them so.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "shm/units.hpp"

namespace rollcall::engine {

// One thread. Knows no clock.
class QuestionPace {
public:
    static constexpr double most = 2'560, least = 64, first = 640;  // a second
    static constexpr Duration in_time = std::chrono::milliseconds(500);  // longer than any way there and back

    // May one more be asked?
    bool take(Instant now) {
        renew(now);
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        ++asked_;
        return true;
    }
    void answered(Duration after) noexcept { good_ += after <= in_time; }
    double rate() const noexcept { return rate_; }

private:
    static constexpr Duration window = std::chrono::seconds(1);
    static constexpr std::uint64_t enough = 32;  // to tell anything by

    void renew(Instant now) {
        if (since_ == Instant{}) since_ = refilled_ = now;
        tokens_ = std::min(std::max(1.0, rate_ / 10), tokens_ + rate_ * std::chrono::duration<double>(now - refilled_).count());
        refilled_ = now;
        if (now - since_ < window) return;
        // At 30 % loss each way half of them are answered. Where there is little to ask, what was learned is forgotten.
        if (asked_ < enough) rate_ = rate_ < first ? std::min(first, rate_ * 2) : std::max(first, rate_ / 2);
        else rate_ = good_ * 4 < asked_ ? std::max(least, rate_ / 2) : std::min(most, rate_ * 2);
        asked_ = good_ = 0;
        since_ = now;
    }

    double rate_ = first, tokens_ = first / 10;
    Instant since_{}, refilled_{};
    std::uint64_t asked_ = 0, good_ = 0;
};

}  // namespace rollcall::engine
