// From observed time to the stamps that a pass compares with.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/judgement.hpp"
#include "engine/observed_time.hpp"
#include "shm/settings.hpp"

namespace rollcall::engine {

// Observed time never runs backwards, and so neither does a threshold, though merged pauses may count more as lost than was: else who was
// announced silent would recover without a beat. Other settings and forgiven time are another matter. One thread.
class MonotoneThresholds {
public:
    const Thresholds& update(const ObservedTime& time, const Settings& s) noexcept {
        const Thresholds next{time.threshold(to_stamp_units_up(s.suspect)), time.threshold(to_stamp_units_up(s.dead)), time.threshold(to_stamp_units_up(s.evict))};
        const bool same_rules = s == judged_by_ && time.forgiven() == forgiven_;
        present_ = same_rules ? Thresholds{std::max(next.suspect, present_.suspect), std::max(next.dead, present_.dead), std::max(next.evict, present_.evict)} : next;
        judged_by_ = s;
        forgiven_ = time.forgiven();
        return present_;
    }
    const Thresholds& operator*() const noexcept { return present_; }
    const Thresholds* operator->() const noexcept { return &present_; }

private:
    Thresholds present_{};
    Settings judged_by_{};         // what it was made from
    std::uint64_t forgiven_ = 0;
};

}  // namespace rollcall::engine
