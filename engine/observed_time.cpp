#include "engine/observed_time.hpp"

#include <algorithm>

namespace rollcall::engine {

ObservedTime::ObservedTime(const Pause* pauses, std::size_t count, Stamp last_look) noexcept : last_(last_look), has_looked_(true) {
    for (std::size_t i = 0; i < std::min(count, pauses_.size()); ++i) {
        // What lies in shared memory may be damaged: keep what is in order, drop the rest.
        const bool in_order = pauses[i].begin < pauses[i].end && pauses[i].end <= last_look && (count_ == 0 || pauses_[count_ - 1].end <= pauses[i].begin);
        if (in_order) pauses_[count_++] = pauses[i];
    }
}

std::optional<Pause> ObservedTime::look(Stamp now, std::uint64_t credit) noexcept {
    if (!has_looked_) {
        has_looked_ = true;
        last_ = now;
        return std::nullopt;
    }
    if (now <= last_) return std::nullopt;
    const std::uint64_t gap = now.value - last_.value;
    const Stamp seen_until{last_.value + credit};
    last_ = now;
    if (gap <= credit) return std::nullopt;
    if (count_ == pauses_.size()) merge_oldest();
    pauses_[count_++] = {seen_until, now};
    return pauses_[count_ - 1];
}

// Towards later judgement: the observed stretch between the two oldest becomes lost as well.
void ObservedTime::merge_oldest() noexcept {
    pauses_[0].end = pauses_[1].end;
    std::move(pauses_.begin() + 2, pauses_.begin() + static_cast<std::ptrdiff_t>(count_), pauses_.begin() + 1);
    --count_;
}

Stamp ObservedTime::threshold(std::uint64_t timeout) const noexcept {
    std::uint64_t at = last_.value, rest = timeout;
    for (std::size_t i = count_; i-- > 0;) {
        const std::uint64_t observed = at - pauses_[i].end.value;
        if (observed > rest) break;  // at equality the threshold is where the pause began: who beat in it has not been silent for longer
        rest -= observed;
        at = pauses_[i].begin.value;
    }
    return Stamp{at > rest ? at - rest : 0};
}

std::uint64_t ObservedTime::lost_since(Stamp since) const noexcept {
    std::uint64_t lost = 0;
    for (std::size_t i = count_; i-- > 0 && pauses_[i].end > since;) lost += pauses_[i].end.value - std::max(pauses_[i].begin, since).value;
    return lost;
}

void ObservedTime::forget_beyond(std::uint64_t longest) noexcept {
    const Stamp reach = threshold(longest);
    std::size_t gone = 0;
    while (gone < count_ && pauses_[gone].end < reach) ++gone;
    std::move(pauses_.begin() + static_cast<std::ptrdiff_t>(gone), pauses_.begin() + static_cast<std::ptrdiff_t>(count_), pauses_.begin());
    count_ -= gone;
}

}  // namespace rollcall::engine
