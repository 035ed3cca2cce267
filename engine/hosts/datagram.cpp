#include "engine/hosts/datagram.hpp"

#include "shm/name.hpp"

namespace rollcall {

namespace {

enum class Kind : std::uint8_t {
    spelled = 0,         // id 64 | length of path 16 | of content type 8 | path, content type | payload
    node_heartbeat = 1,  // payload
};

constexpr std::string_view magic = "Rc";
constexpr char version = 1;
constexpr std::size_t header_bytes = 14;

void put(std::string& to, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) to.push_back(static_cast<char>(value >> 8 * i));
}

// Reads from the front; once too much was asked for, everything is empty and `is_short`.
class Reader {
public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    std::string_view bytes(std::size_t count) {
        is_short_ = is_short_ || count > left_.size();
        if (is_short_) return {};
        const std::string_view taken = left_.substr(0, count);
        left_.remove_prefix(count);
        return taken;
    }
    std::uint64_t number(std::size_t count) {
        std::uint64_t value = 0;
        const std::string_view taken = bytes(count);
        for (std::size_t i = 0; i < taken.size(); ++i) value |= std::uint64_t{static_cast<unsigned char>(taken[i])} << 8 * i;
        return value;
    }
    std::string_view rest() { return bytes(is_short_ ? 0 : left_.size()); }
    bool is_short() const noexcept { return is_short_; }

private:
    std::string_view left_;
    bool is_short_ = false;
};

bool is_node_heartbeat(const Message& m) { return m.content_type == heartbeat_content_type && m.id == 0 && m.path == membership_path_of(m.cluster, m.origin); }

}  // namespace

Result<std::string> encode_datagram(const Message& m) {
    if (m.cluster.size() > 0xFF || m.origin.size() > 0xFF || m.path.size() > 0xFFFF || m.content_type.size() > 0xFF) return fail(ErrorKind::invalid, "a name in the message is too long");
    const Kind kind = is_node_heartbeat(m) ? Kind::node_heartbeat : Kind::spelled;
    std::string out(magic);
    put(out, version, 1);
    put(out, static_cast<std::uint64_t>(kind), 1);
    put(out, 0, 1);  // flags
    put(out, 0, 1);  // key id
    put(out, m.hop_limit, 1);
    put(out, m.cluster.size(), 1);
    put(out, m.origin.size(), 1);
    put(out, 0, 1);
    put(out, 0, 4);  // its own word, and of now
    out.append(m.cluster).append(m.origin);
    if (kind == Kind::spelled) {
        put(out, m.id, 8);
        put(out, m.path.size(), 2);
        put(out, m.content_type.size(), 1);
        out.append(m.path).append(m.content_type);
    }
    out += m.payload;
    if (out.size() > max_datagram) return fail(ErrorKind::invalid, "a message of " + std::to_string(out.size()) + " bytes: a datagram carries " + std::to_string(max_datagram));
    return out;
}

DatagramFault decode_datagram(std::string_view bytes, Message& out) {
    if (bytes.size() < header_bytes) return DatagramFault::truncated;
    Reader reader(bytes);
    if (reader.bytes(magic.size()) != magic) return DatagramFault::magic;
    if (reader.number(1) != version) return DatagramFault::version;
    const std::uint64_t kind = reader.number(1), flags = reader.number(1);
    reader.number(1);  // key id: of no meaning without a MAC
    if (kind > static_cast<std::uint64_t>(Kind::node_heartbeat)) return DatagramFault::kind;
    if (flags != 0) return DatagramFault::flags;
    out.hop_limit = static_cast<std::uint8_t>(reader.number(1));
    const std::size_t cluster = reader.number(1), origin = reader.number(1);
    reader.number(1);
    reader.number(4);  // age: of one's own word it is none
    out.cluster = reader.bytes(cluster);
    out.origin = reader.bytes(origin);
    if (reader.is_short()) return DatagramFault::truncated;
    if (!shm::validate_cluster_name(out.cluster) || !shm::validate_node_id(out.origin)) return DatagramFault::names;
    if (static_cast<Kind>(kind) == Kind::node_heartbeat) {
        out.id = 0;
        out.path = membership_path_of(out.cluster, out.origin);
        out.content_type = heartbeat_content_type;
    } else {
        out.id = reader.number(8);
        const std::size_t path = reader.number(2), type = reader.number(1);
        out.path = reader.bytes(path);
        out.content_type = reader.bytes(type);
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
