#include "engine/hosts/replica.hpp"

#include <algorithm>

namespace rollcall {

namespace {
bool is_alive(State state) noexcept { return state == State::alive || state == State::suspect; }
}  // namespace

void Replica::mark_alive(std::string_view node) {
    const std::lock_guard lock(mutex_);
    if (!source_) alive_.insert_or_assign(std::string(node), true);
}

void Replica::mark_dead(std::string_view node) {
    const std::lock_guard lock(mutex_);
    if (source_) return;
    if (const auto known = alive_.find(node); known != alive_.end()) known->second = false;
}

std::optional<ReplicaPeer> Replica::find_locked(std::string_view node) const {
    ReplicaPeer found;
    Incarnation incarnation{};
    if (source_) {
        const auto peer = source_->find(node);
        if (!peer) return std::nullopt;
        found.alive = is_alive(peer->state);
        incarnation = peer->incarnation;
    } else {
        const auto known = alive_.find(node);
        if (known == alive_.end()) return std::nullopt;
        found.alive = known->second;
    }
    if (const Progress* progress = progress_.find(node, incarnation)) {
        found.last_applied = progress->last_applied;
        found.clock = progress->clock;
    }
    return found;
}

std::optional<ReplicaPeer> Replica::find(std::string_view node) const {
    const std::lock_guard lock(mutex_);
    return find_locked(node);
}

bool Replica::has_peer(std::string_view node) const { return find(node).has_value(); }

bool Replica::note_applied(std::string_view node, std::uint64_t sequence, std::uint64_t clock) {
    const std::lock_guard lock(mutex_);
    const auto peer = source_ ? source_->find(node) : std::nullopt;
    if (source_ ? !peer : !alive_.contains(node)) return false;
    if (source_) progress_.sweep([this](const std::string& noted) { return source_->find(noted).has_value(); });
    Progress& progress = progress_.of(node, peer ? peer->incarnation : Incarnation{});
    progress.last_applied = std::max(progress.last_applied, sequence);
    progress.clock = std::max(progress.clock, clock);
    return true;
}

void Replica::attach(std::shared_ptr<PeerSource> source) {
    const std::lock_guard lock(mutex_);
    source_ = std::move(source);
    alive_.clear();
}

void Replica::detach() {
    const std::lock_guard lock(mutex_);
    if (!source_) return;
    for (const Peer& peer : source_->peers()) alive_.insert_or_assign(peer.node, is_alive(peer.state));
    source_.reset();
}

}  // namespace rollcall
