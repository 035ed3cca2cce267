#include "engine/hosts/message.hpp"

#include "engine/client/present.hpp"
#include "shm/name.hpp"

namespace rollcall {

namespace {
constexpr char heartbeat_version = 1;
constexpr std::size_t time_bytes = 8;
}  // namespace

std::string membership_prefix(std::string_view cluster) {
    std::string prefix(membership_path);
    return prefix.append(".").append(cluster).append(".");
}

std::string membership_path_of(std::string_view cluster, std::string_view node) { return membership_prefix(cluster).append(node); }

// version 1 | time 8, little-endian | endpoint
Message make_heartbeat(std::string_view cluster, std::string_view node, const NodeHeartbeat& heartbeat) {
    Message message;
    message.path = membership_path_of(cluster, node);
    message.content_type = heartbeat_content_type;
    message.cluster = cluster;
    message.origin = node;
    message.payload.push_back(heartbeat_version);
    for (std::size_t i = 0; i < time_bytes; ++i) message.payload.push_back(static_cast<char>(static_cast<std::uint64_t>(heartbeat.sent_us) >> 8 * i));
    message.payload += heartbeat.endpoint;
    return message;
}

Result<NodeHeartbeat> read_heartbeat(const Message& message) {
    if (message.content_type != heartbeat_content_type) return fail(ErrorKind::invalid, "a message of another content type");
    if (auto ok = shm::validate_cluster_name(message.cluster); !ok) return fail(ok.error());
    if (auto ok = shm::validate_node_id(message.origin); !ok) return fail(ok.error());
    const std::string_view payload = message.payload;
    if (payload.size() < 1 + time_bytes) return fail(ErrorKind::invalid, "a heartbeat of " + std::to_string(payload.size()) + " bytes");
    if (payload[0] != heartbeat_version) return fail(ErrorKind::invalid, "a heartbeat of version " + std::to_string(static_cast<unsigned char>(payload[0])));
    NodeHeartbeat heartbeat;
    std::uint64_t sent = 0;
    for (std::size_t i = 0; i < time_bytes; ++i) sent |= std::uint64_t{static_cast<unsigned char>(payload[1 + i])} << 8 * i;
    heartbeat.sent_us = static_cast<std::int64_t>(sent);
    heartbeat.endpoint = payload.substr(1 + time_bytes);
    if (auto ok = validate_endpoint(heartbeat.endpoint); !ok) return fail(ok.error());
    return heartbeat;
}

}  // namespace rollcall
