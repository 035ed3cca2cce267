// What one shard says to others, whatever carries it. Out-of-band messages only: how hosts keep up membership.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "shm/error.hpp"

namespace rollcall {

struct Message {
    std::string path;          // a label for subscriptions; what counts are `cluster` and `origin`
    std::string content_type;
    std::string cluster;
    std::string origin;        // node id of who speaks; of a host message its host
    std::string destination{};   // the host that it is for; empty: everybody
    std::uint64_t id = 0;      // for removing duplicates; 0: none, as heartbeats have none
    std::uint8_t hop_limit = 1;
    std::string payload;
    // Not part of what is said: the address that it came from, or to which alone it goes: the transport's name, ':' and what it
    // calls an address, as "udp:10.0.0.1:7946". Empty: to everybody.
    std::string via{};

    friend bool operator==(const Message& a, const Message& b) noexcept {
        const auto said = [](const Message& m) { return std::tie(m.path, m.content_type, m.cluster, m.origin, m.destination, m.id, m.hop_limit, m.payload); };
        return said(a) == said(b);
    }
};

// Below this path membership speaks of itself.
inline constexpr std::string_view membership_path = "__system.membership";
std::string membership_prefix(std::string_view cluster);                       // "__system.membership.<cluster>."
std::string membership_path_of(std::string_view cluster, std::string_view node);  // "__system.membership.<cluster>.<node>"

// A single node's heartbeat: what an engine emits for its own node alone (`--emit node`).
struct NodeHeartbeat {
    std::int64_t sent_us = 0;  // the sender's wall clock, for show only: it decides nothing
    std::string endpoint;      // at most 255 bytes; empty: the known one stays

    friend bool operator==(const NodeHeartbeat&, const NodeHeartbeat&) = default;
};
inline constexpr std::string_view heartbeat_content_type = "application/x-rollcall-heartbeat";

Message make_heartbeat(std::string_view cluster, std::string_view node, const NodeHeartbeat& heartbeat);
// Nothing a stranger sends is believed before this: names, lengths, version. Fails with invalid and says which part is wrong.
Result<NodeHeartbeat> read_heartbeat(const Message& message);

}  // namespace rollcall
