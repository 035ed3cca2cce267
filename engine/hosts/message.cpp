#include "engine/hosts/message.hpp"

#include "engine/client/present.hpp"
#include "engine/hosts/bytes.hpp"
#include "shm/name.hpp"

namespace rollcall {

namespace {
constexpr std::uint64_t heartbeat_version = 1;
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
    message.payload = ByteWriter().number(heartbeat_version, 1).number(static_cast<std::uint64_t>(heartbeat.sent_us), time_bytes).text(heartbeat.endpoint).take();
    return message;
}

Result<NodeHeartbeat> read_heartbeat(const Message& message) {
    if (message.content_type != heartbeat_content_type) return fail(ErrorKind::invalid, "a message of another content type");
    if (auto ok = shm::validate_cluster_name(message.cluster); !ok) return fail(ok.error());
    if (auto ok = shm::validate_node_id(message.origin); !ok) return fail(ok.error());
    ByteReader reader(message.payload);
    const std::uint64_t version = reader.number(1), sent = reader.number(time_bytes);
    if (reader.is_short()) return fail(ErrorKind::invalid, "a heartbeat of " + std::to_string(message.payload.size()) + " bytes");
    if (version != heartbeat_version) return fail(ErrorKind::invalid, "a heartbeat of version " + std::to_string(version));
    NodeHeartbeat heartbeat;
    heartbeat.sent_us = static_cast<std::int64_t>(sent);
    heartbeat.endpoint = reader.rest();
    if (auto ok = validate_endpoint(heartbeat.endpoint); !ok) return fail(ok.error());
    return heartbeat;
}

}  // namespace rollcall
