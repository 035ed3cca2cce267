// Silence is observed silence. If you were asleep for a minute you cannot say that nobody called.
//
// The detector may be stopped: by a debugger, a frozen cgroup, a suspended machine, a core that eight other processes want. Each of
// its looks credits at most half a heartbeat (or two scans) of the time since the last one; the rest is a pause, and counts for nobody's silence.
// Observed time never runs backwards, so instead of subtracting pauses from every peer's silence, each timeout is walked back over the
// pauses once to the one stamp that is exactly so old: the scan's plain comparison is then the judgement itself, and no timer is armed.
//
// Rejected: a grace period after a pause (memberlist's awareness, Akka's acceptable pause): it also delays what was silent long
// before, and a detector that is stopped often never judges at all. Here one that is stopped for nine tenths of every second is late
// in proportion to what it missed, and never more.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "shm/checkpoint.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

using shm::Pause;

// Pure: knows neither memory nor clock. One thread.
class ObservedTime {
public:
    ObservedTime() = default;
    // What an earlier engine recorded, and when it last looked.
    ObservedTime(const Pause* pauses, std::size_t count, Stamp last_look) noexcept;

    // The detector looks at `now`; `credit` is half a heartbeat. Returns the pause this look ends, if there was one. Time that does
    // not advance is no look.
    std::optional<Pause> look(Stamp now, std::uint64_t credit) noexcept;

    // The stamp whose observed age at the last look is exactly `timeout`: only a strictly older one has been silent for longer.
    Stamp threshold(std::uint64_t timeout) const noexcept;
    // How much of the time from `since` to the last look nobody observed.
    std::uint64_t lost_since(Stamp since) const noexcept;

    Stamp last_look() const noexcept { return last_; }
    std::size_t pause_count() const noexcept { return count_; }
    const std::array<Pause, shm::max_pauses>& pauses() const noexcept { return pauses_; }

    // What is between these two counts for nobody's silence, whether it was observed or not. `until` may lie ahead.
    void lose(Stamp from, Stamp until) noexcept;
    // How often that was done.
    std::uint64_t forgiven() const noexcept { return forgiven_; }

    // Drops pauses that no timeout up to `longest` can reach.
    void forget_beyond(std::uint64_t longest) noexcept;

private:
    void merge_closest() noexcept;

    Stamp last_{};
    Stamp blind_until_{};
    std::uint64_t forgiven_ = 0;
    bool has_looked_ = false;
    std::size_t count_ = 0;
    std::array<Pause, shm::max_pauses> pauses_{};  // ascending, disjoint
};

// Members beat as they were told until they hear of a shorter heartbeat at their next beat. What is silence by the new timeouts and was
// none by the old rhythm is nobody's fault: one old heartbeat before the change and one after it count for nobody.
template <class Time>
void forgive_old_rhythm(Time& time, Duration old_heartbeat, Stamp now) noexcept {
    const std::uint64_t grace = to_stamp_units_up(old_heartbeat);
    time.lose(Stamp{now.value > grace ? now.value - grace : 0}, Stamp{now.value + grace});
}

}  // namespace rollcall::engine
