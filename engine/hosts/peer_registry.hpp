// Who is known, where, and what it wants to hear. Attached to an engine it is a view of the engine's membership, not a second copy.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/hosts/notes.hpp"
#include "engine/hosts/peer_source.hpp"
#include "shm/error.hpp"

namespace rollcall {

struct RegisteredPeer {
    std::string node;
    std::string cluster;
    std::string endpoint;
    std::optional<Instant> last_seen;
    std::vector<std::string> prefixes;  // of the paths it wants; empty: all
};

// Thread-safe. By itself a small table. Attached: a peer is in it as long as it is in the engine's membership, from before its `joined` can be seen
// until before its `evicted` or `left` can.
class PeerRegistry {
public:
    // A known one gets the prefixes, and unattached the endpoint, too: attached, that is the peer's own to say. Attached, it is there after the engine's next
    // step. Fails with invalid (names, lengths) or busy.
    Result<void> add_peer(const RegisteredPeer& peer);
    // An unknown one is no error.
    Result<void> remove_peer(std::string_view node);
    bool has_peer(std::string_view node) const;
    std::optional<RegisteredPeer> find(std::string_view node) const;
    std::vector<RegisteredPeer> peers() const;
    // A sign of life at `at`; never moves back. An unknown node is left alone, attached it is registered.
    Result<void> note_seen(std::string_view node, Instant at);
    // Is it known, and does it want what comes below this path?
    bool should_deliver(std::string_view node, std::string_view path) const;

    // The engine's, one at a time: what was in the table is added to its membership; `cluster` is what find() says of its peers.
    void attach(std::shared_ptr<PeerSource> source, std::string cluster);
    // What is in the membership now becomes the table.
    void detach();

private:
    std::optional<RegisteredPeer> find_locked(std::string_view node) const;
    RegisteredPeer present(const Peer& peer) const;

    mutable std::mutex mutex_;
    std::map<std::string, RegisteredPeer, std::less<>> table_;  // while unattached
    std::shared_ptr<PeerSource> source_;
    std::string cluster_;
    mutable Notes<std::vector<std::string>> prefixes_;  // while attached
};

}  // namespace rollcall
