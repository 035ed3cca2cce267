// Lists of peers for C.
#pragma once

#include <memory>
#include <vector>

#include "engine/c/rollcall.h"
#include "engine/peer.hpp"

// Owns what its peers point at. Made at once: a reader of C asks for one after the other.
struct rollcall_peers {
    std::vector<rollcall::Peer> peers;
    std::vector<rollcall_tag> tags;    // of all peers, one after the other
    std::vector<rollcall_peer> shown;  // points into the two above
    std::uint64_t sequence = 0;

    static rollcall_peers* make(std::vector<rollcall::Peer> peers, rollcall::Sequence at);
};
