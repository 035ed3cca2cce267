// The ways by which other hosts are heard: what none of a host's ways listened to counts for nothing in its silence.
//
// The detector may be awake while the thread that receives is not, while the kernel drops what arrives, or while a broker between the hosts is gone. Each way
// says up to when it has listened; its time stands still from a moment after that, as the detector's own does when that sleeps. A way that has not listened for a
// while leaves its hosts orphaned; when the evict timeout is over as well, their ages run again: nothing is held for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "engine/ledger.hpp"
#include "engine/observed_time.hpp"
#include "engine/thresholds.hpp"

namespace rollcall::engine {

// Ways by their numbers; 0: not known yet, so that the detector's own time counts.
using WayMask = std::uint32_t;
inline constexpr std::size_t most_ways = 32;

// How many there are, and up to when each has listened, asked at `now`: not later than that. Called by the detector's thread; must not block.
struct Listening {
    std::size_t ways = 0;
    std::function<Instant(std::size_t way, Instant now)> heard_until;
};

// One thread. Hosts that the same ways bring have a time of their own.
class Receivers {
public:
    // From the next look on. What was lost before is what the detector lost.
    void attach(Listening listening);
    // There are hosts that these ways bring: they listen now.
    void use(WayMask ways) {
        if (ways != 0) groups_.try_emplace(ways);
        ++changes_;  // whose hosts are orphaned may be others now
    }
    // The same, of hosts that an earlier engine left, any of which may be their way; the one of them that was heard longest ago and was not called silent.
    WayMask use_all(std::optional<Stamp> oldest_alive) {
        const WayMask all = listening_.ways == 0 ? 0 : ~WayMask{0} >> (most_ways - listening_.ways);
        use(all);
        if (all != 0) groups_[all].oldest_alive = oldest_alive;
        return all;
    }
    // Asks every way, after the detector's own time has looked at the same `now`.
    void look(const Now& now, std::int64_t base_ns, const Settings& settings, std::uint64_t credit, const ObservedTime& all);
    // As of the detector's own time.
    void lose(Stamp from, Stamp until) noexcept {
        for (auto& [ways, group] : groups_) group.time.lose(from, until);
    }

    // For hosts that these ways bring; never later than `all`, which are the detector's own.
    Thresholds thresholds(WayMask ways, const Thresholds& all) const noexcept;
    // What none of them listened to, of the time since then; at least `all`, what the detector lost.
    std::uint64_t lost_since(WayMask ways, Stamp since, std::uint64_t all) const noexcept;
    // None of them listens.
    bool are_gone(WayMask ways) const noexcept {
        const Group* group = find(ways);
        return group != nullptr && group->is_gone;
    }
    // How often that changed, for any.
    std::uint64_t changes() const noexcept { return changes_; }

private:
    struct Group {
        ObservedTime time;
        MonotoneThresholds thresholds;
        Stamp heard{};  // by the one of them that has listened longest
        bool has_begun = false, is_gone = false, was_gone = false;
        std::optional<Stamp> oldest_alive;  // when it begins
    };
    const Group* find(WayMask ways) const noexcept {
        const auto at = groups_.find(ways);
        return at == groups_.end() || !at->second.has_begun ? nullptr : &at->second;
    }
    static void hold(Group& group, Stamp now, std::uint64_t suspect, std::uint64_t heartbeat);
    void look(Group& group, Stamp heard, Stamp now, const Settings& settings, std::uint64_t credit);

    Listening listening_;
    std::map<WayMask, Group> groups_;
    std::uint64_t changes_ = 0;
};

}  // namespace rollcall::engine
