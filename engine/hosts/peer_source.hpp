// What registry and replica look through: the membership of an engine.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/peer.hpp"
#include "shm/error.hpp"

namespace rollcall {

// Thread-safe.
class PeerSource {
public:
    virtual ~PeerSource() = default;

    virtual std::optional<Peer> find(std::string_view node) const = 0;
    virtual std::vector<Peer> peers() const = 0;
    virtual Result<void> add(std::string_view node, std::string_view endpoint) = 0;
    virtual Result<void> remove(std::string_view node) = 0;
    // A sign of life. An unknown node becomes a peer.
    virtual Result<void> note_seen(std::string_view node, Instant at) = 0;
};

}  // namespace rollcall
