#include "engine/hosts/peer_registry.hpp"

#include <algorithm>

#include "engine/client/present.hpp"
#include "shm/name.hpp"

namespace rollcall {

Result<void> PeerRegistry::add_peer(const RegisteredPeer& peer) {
    if (auto ok = shm::validate_node_id(peer.node); !ok) return ok;
    if (auto ok = validate_endpoint(peer.endpoint); !ok) return ok;
    const std::lock_guard lock(mutex_);
    if (!source_) {
        table_.insert_or_assign(peer.node, peer);
        return {};
    }
    const auto known = source_->find(peer.node);
    prefixes_.sweep([this](const std::string& node) { return source_->find(node).has_value(); });
    prefixes_.of(peer.node, known ? known->incarnation : Incarnation{}) = peer.prefixes;
    return source_->add(peer.node, peer.endpoint);
}

Result<void> PeerRegistry::remove_peer(std::string_view node) {
    const std::lock_guard lock(mutex_);
    if (const auto at = table_.find(node); at != table_.end()) table_.erase(at);
    prefixes_.forget(node);
    return source_ ? source_->remove(node) : Result<void>{};
}

RegisteredPeer PeerRegistry::present(const Peer& peer) const {
    const auto* prefixes = prefixes_.find(peer.node, peer.incarnation);
    return {peer.node, cluster_, peer.endpoint, peer.last_heartbeat, prefixes == nullptr ? std::vector<std::string>{} : *prefixes};
}

std::optional<RegisteredPeer> PeerRegistry::find_locked(std::string_view node) const {
    if (source_) {
        const auto peer = source_->find(node);
        return peer ? std::optional(present(*peer)) : std::nullopt;
    }
    const auto at = table_.find(node);
    return at == table_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<RegisteredPeer> PeerRegistry::find(std::string_view node) const {
    const std::lock_guard lock(mutex_);
    return find_locked(node);
}

bool PeerRegistry::has_peer(std::string_view node) const { return find(node).has_value(); }

std::vector<RegisteredPeer> PeerRegistry::peers() const {
    const std::lock_guard lock(mutex_);
    std::vector<RegisteredPeer> all;
    if (source_)
        for (const Peer& peer : source_->peers()) all.push_back(present(peer));
    else
        for (const auto& [node, peer] : table_) all.push_back(peer);
    return all;
}

Result<void> PeerRegistry::note_seen(std::string_view node, Instant at) {
    const std::lock_guard lock(mutex_);
    if (source_) return source_->note_seen(node, at);
    if (const auto known = table_.find(node); known != table_.end()) known->second.last_seen = std::max(known->second.last_seen.value_or(at), at);
    return {};
}

bool PeerRegistry::should_deliver(std::string_view node, std::string_view path) const {
    const auto peer = find(node);
    if (!peer) return false;
    const auto wants = [&](const std::string& prefix) { return path.starts_with(prefix); };
    return peer->prefixes.empty() || std::any_of(peer->prefixes.begin(), peer->prefixes.end(), wants);
}

void PeerRegistry::attach(std::shared_ptr<PeerSource> source, std::string cluster) {
    decltype(table_) before;
    {
        const std::lock_guard lock(mutex_);
        before = std::move(table_);
        table_.clear();
        source_ = std::move(source);
        cluster_ = std::move(cluster);
    }
    for (const auto& [node, peer] : before) (void)add_peer(peer);  // an invalid one never got into the table; over the inbox's bound the rest is lost, as if unheard of
}

void PeerRegistry::detach() {
    auto last = peers();
    const std::lock_guard lock(mutex_);
    if (!source_) return;
    source_.reset();
    prefixes_ = {};
    for (RegisteredPeer& peer : last) table_.insert_or_assign(peer.node, std::move(peer));
}

}  // namespace rollcall
