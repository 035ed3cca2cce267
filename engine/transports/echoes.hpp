// One's own messages on their way through a broker and back: what it brings back proves that it brings what others said before.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "shm/units.hpp"

namespace rollcall {

// One thread. Knows no clock.
class Echoes {
public:
    // Said to everybody, who are we among.
    void sent(std::size_t hash, Instant at) {
        if (last_sent_ != Instant{}) gap_ = std::max<Duration>(at - last_sent_, gap_ - gap_ / 8);  // between two changes there is less than between two beats
        last_sent_ = at;
        if (waiting_.size() == most_waiting) waiting_.pop_front();
        waiting_.push_back({hash, at});
    }
    // Something under our name came back. False: it is none of what was sent lately.
    bool heard(std::size_t hash, Instant at) {
        for (std::size_t i = 0; i < waiting_.size(); ++i) {
            if (waiting_[i].hash != hash) continue;
            heard_until_ = waiting_[i].at;
            takes_ += (at - waiting_[i].at - takes_) / 4;
            if (changes_ > 0 && ++good_ % many == 0) --changes_;
            waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(i) + 1);  // what was sent earlier and did not come is lost
            return true;
        }
        return false;
    }
    // What was sent up to then has come back, so that whatever others said up to then has come, too.
    Instant heard_until() const noexcept { return heard_until_; }
    // The oldest has been under way for one and a half of the time between two of them, half a second at least, and twice what the way takes as a rule; twice as long when the
    // server was changed for it, and so on, until many have come back: where all is slow, changing makes it slower.
    bool is_overdue(Instant now) const noexcept { return !waiting_.empty() && now - waiting_.front().at > (std::max<Duration>(gap_ * 3 / 2, std::chrono::milliseconds(500)) + 2 * takes_) * (1 << changes_); }
    // The server is changed: what was sent by the old one is waited for no more.
    void change() noexcept {
        waiting_.clear();
        changes_ = std::min(changes_ + 1, most_changes);
    }

private:
    struct Sent {
        std::size_t hash;
        Instant at;
    };
    static constexpr std::size_t most_waiting = 256;
    std::deque<Sent> waiting_;
    Instant last_sent_{}, heard_until_{};
    Duration gap_{};
    static constexpr int most_changes = 5;
    static constexpr std::uint64_t many = 16;
    int changes_ = 0;
    std::uint64_t good_ = 0;
    Duration takes_{};
};

}  // namespace rollcall
