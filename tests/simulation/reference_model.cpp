#include "tests/simulation/reference_model.hpp"

#include <algorithm>

namespace rollcall::test {

std::string to_string(const Told& t) {
    return std::string(rollcall::to_string(t.kind)) + ' ' + t.node + ' ' + std::string(rollcall::to_string(t.reason)) + ' ' + std::string(rollcall::to_string(t.state)) + " incarnation " +
           std::to_string(t.incarnation) + " view " + std::to_string(t.view) + " last beat " + std::to_string(t.last_beat) + " lost " + std::to_string(t.lost) + " late " + std::to_string(t.late) + " length " +
           std::to_string(t.length);
}

bool ReferenceModel::beat(const std::string& node, std::uint64_t stamp) {
    const auto it = peers_.find(node);
    if (it == peers_.end() || it->second.is_proven()) return false;
    it->second.last_beat = std::max(it->second.last_beat, stamp);
    return true;
}

void ReferenceModel::begin_step(std::uint64_t now, std::int64_t wall_us) {
    now_ = now;
    wall_us_ = wall_us;
}

// Of the time since the last look nobody knows yet whether it will have been lost. Lost time is kept in units of 128 stamps.
void ReferenceModel::tell(EventKind kind, const std::string& node, const Peer& peer, std::uint64_t late, bool raises_view) {
    if (raises_view) ++view_;
    const std::uint64_t looked_at = last_look_ - std::min(last_look_, peer.last_beat);
    told_.push_back({kind, node, peer.reason, peer.state, peer.incarnation, view_, peer.last_beat, (looked_at - silence_since(peer.last_beat)) / 128 * 128, late, 0});
}

void ReferenceModel::admit(const std::string& node, Reason reason) {
    const bool is_plausible = wall_us_ > 0 && wall_us_ <= std::int64_t{1} << 52;
    greatest_incarnation_ = std::max(greatest_incarnation_ + 1, is_plausible ? static_cast<std::uint64_t>(wall_us_) : 1);
    peers_[node] = {State::alive, reason, greatest_incarnation_, now_, 0, reason == Reason::join};
    tell(EventKind::joined, node, peers_[node], 0, true);
}

void ReferenceModel::join(const std::string& node, bool replaces) {
    const auto it = peers_.find(node);
    if (it != peers_.end() && it->second.state != State::dead) {
        if (!replaces) return;
        it->second.state = State::dead;
        it->second.reason = Reason::replaced;
        tell(EventKind::dead, node, it->second, 0, true);
    }
    admit(node, Reason::join);
}

void ReferenceModel::register_peer(const std::string& node) {
    if (!peers_.contains(node)) admit(node, Reason::registered);
}

void ReferenceModel::hear(const std::string& node, std::uint64_t at) {
    const auto it = peers_.find(node);
    if (it == peers_.end()) return admit(node, Reason::heartbeat);
    if (!it->second.has_process) beat(node, at);
}

void ReferenceModel::remove(const std::string& node, EventKind kind, Reason reason) {
    const auto it = peers_.find(node);
    if (it == peers_.end()) return;
    Peer gone = it->second;
    gone.state = State::none;
    gone.reason = reason;
    tell(kind, node, gone, 0, true);
    peers_.erase(it);
}

void ReferenceModel::leave(const std::string& node) { remove(node, EventKind::left, Reason::goodbye); }
void ReferenceModel::evict(const std::string& node) { remove(node, EventKind::evicted, Reason::by_operator); }

void ReferenceModel::exit(const std::string& node) {
    const auto it = peers_.find(node);
    if (it == peers_.end() || it->second.is_proven()) return;
    const bool was_dead = it->second.state == State::dead;
    it->second.state = State::dead;
    it->second.reason = Reason::process_exit;
    it->second.proven_at = now_;
    tell(was_dead ? EventKind::updated : EventKind::dead, node, it->second, 0, !was_dead);
}

// A shorter heartbeat: what was between one old heartbeat before this moment and one after it counts for nobody.
void ReferenceModel::configure(const Settings& settings) {
    const Settings before = std::exchange(settings_, settings);
    if (settings.heartbeat >= before.heartbeat) return;
    const std::uint64_t grace = to_stamp_units_up(before.heartbeat), from = now_ - std::min(now_, grace);
    for (Stretch& s : observed_) s.end = std::max(s.begin, std::min(s.end, from));
    std::erase_if(observed_, [&](const Stretch& s) { return s.begin >= from; });
    blind_until_ = std::max(blind_until_, now_ + grace);
}

// Of each gap between two looks the first half heartbeat was observed.
void ReferenceModel::look() {
    if (now_ <= last_look_) return;
    const Duration credit = std::max(settings_.heartbeat / 2, 2 * settings_.scan), gap = from_stamp_units(now_ - last_look_);
    const bool is_blind = last_look_ < blind_until_;
    const std::uint64_t seen_until = std::min(now_, last_look_ + to_stamp_units_up(credit));
    if (!is_blind && !observed_.empty() && observed_.back().end == last_look_) observed_.back().end = seen_until;
    else if (!is_blind) observed_.push_back({last_look_, seen_until});
    const bool is_pause = is_blind ? gap > credit : now_ - last_look_ > to_stamp_units_up(credit);
    last_look_ = now_;
    if (is_pause && gap >= settings_.suspect / 3) told_.push_back({EventKind::paused, {}, {}, {}, 0, view_, 0, 0, 0, static_cast<std::uint64_t>(gap.count())});
}

std::uint64_t ReferenceModel::silence_since(std::uint64_t stamp) const {
    std::uint64_t silence = 0;
    for (const Stretch& s : observed_)
        if (s.end > stamp) silence += s.end - std::max(s.begin, stamp);
    return silence;
}

void ReferenceModel::pass(const std::map<std::string, std::uint32_t>& slots) {
    look();
    std::vector<std::string> in_order;
    for (const auto& [node, peer] : peers_) in_order.push_back(node);
    std::sort(in_order.begin(), in_order.end(), [&](const std::string& a, const std::string& b) { return slots.at(a) < slots.at(b); });
    for (const std::string& node : in_order) judge(node);
}

void ReferenceModel::judge(const std::string& node) {
    Peer& peer = peers_.at(node);
    const std::uint64_t suspect = to_stamp_units_up(settings_.suspect), dead = to_stamp_units_up(settings_.dead), evict = to_stamp_units_up(settings_.evict);
    const std::uint64_t silence = silence_since(peer.is_proven() ? peer.proven_at : peer.last_beat);
    const State was = peer.state;
    if (was == State::dead) {
        if (silence > evict) {
            Peer gone = peer;
            gone.state = State::none;
            tell(EventKind::evicted, node, gone, silence - evict, true);
            peers_.erase(node);
            return;
        }
        if (peer.is_proven()) return;
    }
    if (was != State::alive && silence <= suspect) {
        peer.state = State::alive;
        peer.reason = Reason::heartbeat;
        return tell(EventKind::recovered, node, peer, 0, was == State::dead);
    }
    if (was == State::alive && silence > suspect) {
        peer.state = State::suspect;
        peer.reason = Reason::silence;
        tell(EventKind::suspect, node, peer, silence - suspect);
    }
    if (was != State::dead && silence > dead) {
        peer.state = State::dead;
        peer.reason = Reason::silence;
        tell(EventKind::dead, node, peer, silence - dead, true);
    }
}

}  // namespace rollcall::test
