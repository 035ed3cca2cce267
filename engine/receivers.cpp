#include "engine/receivers.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rollcall::engine {

void Receivers::attach(Listening listening) {
    listening_ = std::move(listening);
    listening_.ways = std::min(listening_.ways, most_ways);
    groups_.clear();
}

void Receivers::look(const Now& now, std::int64_t base_ns, const Settings& settings, std::uint64_t credit, const ObservedTime& all) {
    if (groups_.empty()) return;  // nobody to judge by it
    std::array<Stamp, most_ways> heard{};
    for (std::size_t i = 0; i < listening_.ways; ++i) heard[i] = to_stamp(listening_.heard_until(i, instant_from_ns(now.mono_ns)), base_ns);
    for (auto& [ways, group] : groups_) {
        Stamp latest = group.heard;
        for (std::size_t i = 0; i < listening_.ways; ++i)
            if ((ways & WayMask{1} << i) != 0) latest = std::max(latest, heard[i]);
        if (!std::exchange(group.has_begun, true)) {
            group.time = all;
            latest = now.stamp;
            hold(group, now.stamp, to_stamp_units_up(settings.suspect), to_stamp_units_up(settings.heartbeat));
        }
        look(group, std::min(latest, now.stamp), now.stamp, settings, credit);
    }
}

// An engine before this one did not call them silent: nobody had listened. Nor does this one, before they could be asked.
void Receivers::hold(Group& group, Stamp now, std::uint64_t suspect, std::uint64_t heartbeat) {
    const Stamp threshold = group.time.threshold(suspect);
    if (!group.oldest_alive || *group.oldest_alive >= threshold) return;
    group.time.lose(std::min(now, Stamp{group.oldest_alive->value + suspect}), Stamp{now.value + 2 * heartbeat});
}

void Receivers::look(Group& group, Stamp heard, Stamp now, const Settings& settings, std::uint64_t credit) {
    // A broker brings a host's own message back once a heartbeat: one of them may be on its way.
    const std::uint64_t patience = to_stamp_units_up(std::min<Duration>(settings.heartbeat * 3 / 2, settings.suspect / 2));
    group.heard = heard;
    const std::uint64_t deaf = now.value - heard.value;
    const bool is_given_up = deaf > to_stamp_units_up(settings.evict);
    if (group.time.pause_count() == shm::max_pauses) group.time.forget_beyond(to_stamp_units_up(settings.evict));
    // What was held back has to be taken, and the silent have to be asked, before anything can be said of them.
    if (group.was_gone && deaf <= patience) group.time.lose(now, Stamp{now.value + to_stamp_units_up(settings.heartbeat)});
    group.time.look(is_given_up ? now : std::min(now, Stamp{heard.value + patience}), credit);
    group.thresholds.update(group.time, settings);
    changes_ += std::exchange(group.is_gone, deaf > patience) != group.is_gone;
    group.was_gone = group.is_gone;
}

Thresholds Receivers::thresholds(WayMask ways, const Thresholds& all) const noexcept {
    const Group* group = find(ways);
    if (group == nullptr) return all;
    const Thresholds& its = *group->thresholds;
    return {std::min(its.suspect, all.suspect), std::min(its.dead, all.dead), std::min(its.evict, all.evict)};
}

std::uint64_t Receivers::lost_since(WayMask ways, Stamp since, std::uint64_t all) const noexcept {
    const Group* group = find(ways);
    return group == nullptr ? all : std::max(group->time.lost_since(since), all);
}

}  // namespace rollcall::engine
