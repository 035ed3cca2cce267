#include "engine/hosts/datagram.hpp"

#include "engine/hosts/bytes.hpp"
#include "engine/hosts/host_message.hpp"
#include "shm/name.hpp"

namespace rollcall {

namespace {

enum class Kind : std::uint8_t {
    spelled = 0,         // id 64 | length of path 16 | of content type 8 | path, content type | payload
    node_heartbeat = 1,  // payload
    host = 2,            // payload
};

constexpr std::string_view magic = "Rc";
constexpr char version = 1;
constexpr std::size_t header_bytes = 14;
constexpr std::uint64_t has_destination = 2;  // of the flags

Kind kind_of(const Message& m) {
    if (m.id != 0) return Kind::spelled;
    if (m.content_type == heartbeat_content_type && m.path == membership_path_of(m.cluster, m.origin)) return Kind::node_heartbeat;
    return m.content_type == engine::host_content_type && m.path == engine::host_path_of(m.cluster, m.origin) ? Kind::host : Kind::spelled;
}

void rebuild(Kind kind, Message& m) {
    m.id = 0;
    m.path.assign(membership_path).append(".").append(m.cluster).append(kind == Kind::host ? ".@." : ".").append(m.origin);
    m.content_type = kind == Kind::host ? engine::host_content_type : heartbeat_content_type;
}

}  // namespace

Result<std::string> encode_datagram(const Message& m) {
    if (m.cluster.size() > 0xFF || m.origin.size() > 0xFF || m.destination.size() > 0xFF || m.path.size() > 0xFFFF || m.content_type.size() > 0xFF) return fail(ErrorKind::invalid, "a name in the message is too long");
    const Kind kind = kind_of(m);
    ByteWriter out;
    out.text(magic).number(version, 1).number(static_cast<std::uint64_t>(kind), 1);
    out.number(m.destination.empty() ? 0 : has_destination, 1).number(0, 1);  // flags, key id
    out.number(m.hop_limit, 1).number(m.cluster.size(), 1).number(m.origin.size(), 1).number(0, 1);
    out.number(0, 4);  // its own word, and of now
    out.text(m.cluster).text(m.origin);
    if (!m.destination.empty()) out.sized(m.destination, 1);
    if (kind == Kind::spelled) out.number(m.id, 8).number(m.path.size(), 2).number(m.content_type.size(), 1).text(m.path).text(m.content_type);
    out.text(m.payload);
    if (out.size() > max_datagram) return fail(ErrorKind::invalid, "a message of " + std::to_string(out.size()) + " bytes: a datagram carries " + std::to_string(max_datagram));
    return out.take();
}

DatagramFault decode_datagram(std::string_view bytes, Message& out) {
    if (bytes.size() < header_bytes) return DatagramFault::truncated;
    ByteReader reader(bytes);
    if (reader.text(magic.size()) != magic) return DatagramFault::magic;
    if (reader.number(1) != version) return DatagramFault::version;
    const std::uint64_t kind = reader.number(1), flags = reader.number(1);
    reader.number(1);  // key id: of no meaning without a MAC
    if (kind > static_cast<std::uint64_t>(Kind::host)) return DatagramFault::kind;
    if ((flags & ~has_destination) != 0) return DatagramFault::flags;
    out.hop_limit = static_cast<std::uint8_t>(reader.number(1));
    const std::size_t cluster = reader.number(1), origin = reader.number(1);
    reader.number(1);
    reader.number(4);  // age: of one's own word it is none
    out.cluster = reader.text(cluster);
    out.origin = reader.text(origin);
    out.destination = (flags & has_destination) != 0 ? reader.sized(1) : std::string_view{};
    if (reader.is_short()) return DatagramFault::truncated;
    if (!shm::validate_cluster_name(out.cluster) || !shm::validate_node_id(out.origin)) return DatagramFault::names;
    if ((flags & has_destination) != 0 && !shm::validate_node_id(out.destination)) return DatagramFault::names;
    if (static_cast<Kind>(kind) != Kind::spelled) {
        rebuild(static_cast<Kind>(kind), out);
    } else {
        out.id = reader.number(8);
        const std::size_t path = reader.number(2), type = reader.number(1);
        out.path = reader.text(path);
        out.content_type = reader.text(type);
    }
    out.payload = reader.rest();
    return reader.is_short() ? DatagramFault::truncated : DatagramFault::none;
}

std::string_view to_string(DatagramFault fault) noexcept {
    switch (fault) {
        case DatagramFault::none: return "none";
        case DatagramFault::truncated: return "truncated";
        case DatagramFault::magic: return "not a message of rollcall";
        case DatagramFault::version: return "an unknown version";
        case DatagramFault::kind: return "an unknown kind";
        case DatagramFault::flags: return "flags of a later version";
        case DatagramFault::names: return "names that cannot be";
    }
    return "unknown";
}

}  // namespace rollcall
