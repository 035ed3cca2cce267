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
    const bool is_blind = last_ < blind_until_;
    const Stamp seen_until = is_blind ? last_ : Stamp{last_.value + credit};
    last_ = now;
    if (now <= seen_until) return std::nullopt;
    if (count_ > 0 && pauses_[count_ - 1].end == seen_until) {  // not a moment was observed in between
        pauses_[count_ - 1].end = now;
        return pauses_[count_ - 1];
    }
    if (count_ == pauses_.size()) merge_closest();
    pauses_[count_++] = {seen_until, now};
    return pauses_[count_ - 1];
}

// Two neighbours become one pause of their common length that ends where the later one ended. For stamps before both nothing changes, for
// those in between more counts as lost than was: judgement comes later, never earlier. Taking the two that lie closest together spreads the
// error: however often the detector is stopped, every timeout is still reached. (Swallowing what was observed between the two oldest was tried:
// a detector that is always interrupted then never judged a timeout of more than 32 heartbeats.)
void ObservedTime::merge_closest() noexcept {
    std::size_t at = 0;
    const auto span = [&](std::size_t i) { return pauses_[i + 1].end.value - pauses_[i].begin.value; };
    for (std::size_t i = 1; i + 1 < count_; ++i)
        if (span(i) < span(at)) at = i;
    const std::uint64_t length = (pauses_[at].end.value - pauses_[at].begin.value) + (pauses_[at + 1].end.value - pauses_[at + 1].begin.value);
    pauses_[at] = {Stamp{pauses_[at + 1].end.value - length}, pauses_[at + 1].end};
    const auto gap = pauses_.begin() + static_cast<std::ptrdiff_t>(at);
    std::move(gap + 2, pauses_.begin() + static_cast<std::ptrdiff_t>(count_), gap + 1);
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

void ObservedTime::lose(Stamp from, Stamp until) noexcept {
    ++forgiven_;
    blind_until_ = std::max(blind_until_, until);
    while (count_ > 0 && pauses_[count_ - 1].begin >= from) --count_;
    if (count_ > 0 && pauses_[count_ - 1].end >= from) pauses_[count_ - 1].end = last_;
    else if (from < last_) {
        if (count_ == pauses_.size()) merge_closest();
        pauses_[count_++] = {from, last_};
    }
}

void ObservedTime::forget_beyond(std::uint64_t longest) noexcept {
    const Stamp reach = threshold(longest);
    std::size_t gone = 0;
    while (gone < count_ && pauses_[gone].end < reach) ++gone;
    std::move(pauses_.begin() + static_cast<std::ptrdiff_t>(gone), pauses_.begin() + static_cast<std::ptrdiff_t>(count_), pauses_.begin());
    count_ -= gone;
}

}  // namespace rollcall::engine
