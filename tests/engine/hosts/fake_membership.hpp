// A membership that a test fills by hand.
#pragma once

#include <map>

#include "engine/hosts/peer_source.hpp"

namespace rollcall::test {

class FakeMembership : public PeerSource {
public:
    std::optional<Peer> find(std::string_view node) const override {
        const auto at = all.find(node);
        return at == all.end() ? std::nullopt : std::optional(at->second);
    }
    std::vector<Peer> peers() const override {
        std::vector<Peer> list;
        for (const auto& [node, peer] : all) list.push_back(peer);
        return list;
    }
    Result<void> add(std::string_view node, std::string_view endpoint) override {
        if (!is_slow) join(node, 1).endpoint = endpoint;
        return {};
    }
    Result<void> remove(std::string_view node) override {
        if (const auto at = all.find(node); at != all.end()) all.erase(at);
        return {};
    }
    Result<void> note_seen(std::string_view node, Instant at) override {
        join(node, 1).last_heartbeat = at;
        return {};
    }
    Peer& join(std::string_view node, std::uint64_t incarnation) {
        Peer& peer = all[std::string(node)];
        peer.node = node;
        peer.state = State::alive;
        peer.incarnation = Incarnation{incarnation};
        return peer;
    }

    bool is_slow = false;  // like an engine, which takes a peer in with its next step
    std::map<std::string, Peer, std::less<>> all;
};

}  // namespace rollcall::test
