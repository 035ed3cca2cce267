#include "engine/hosts/datagram.hpp"

#include <array>

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
constexpr std::uint64_t has_destination = 2, has_mac = 4;  // of the flags

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

Result<std::string> encode_datagram(const Message& m, const KeyRing* keys) {
    if (m.cluster.size() > 0xFF || m.origin.size() > 0xFF || m.destination.size() > 0xFF || m.path.size() > 0xFFFF || m.content_type.size() > 0xFF) return fail(ErrorKind::invalid, "a name in the message is too long");
    const Kind kind = kind_of(m);
    const std::uint8_t signer = keys == nullptr ? 0 : keys->signer();
    if (keys != nullptr && signer == 0) return fail(ErrorKind::invalid, "there is no key to sign it with");
    ByteWriter out;
    out.text(magic).number(version, 1).number(static_cast<std::uint64_t>(kind), 1);
    out.number((m.destination.empty() ? 0 : has_destination) | (signer == 0 ? 0 : has_mac), 1).number(signer, 1);  // flags, key id
    out.number(m.hop_limit, 1).number(m.cluster.size(), 1).number(m.origin.size(), 1).number(0, 1);
    out.number(0, 4);  // its own word, and of now
    out.text(m.cluster).text(m.origin);
    if (!m.destination.empty()) out.sized(m.destination, 1);
    if (kind == Kind::spelled) out.number(m.id, 8).number(m.path.size(), 2).number(m.content_type.size(), 1).text(m.path).text(m.content_type);
    out.text(m.payload);
    const std::size_t whole = out.size() + (signer == 0 ? 0 : KeyRing::mac_bytes);
    if (whole > max_datagram) return fail(ErrorKind::invalid, "a message of " + std::to_string(whole) + " bytes: a datagram carries " + std::to_string(max_datagram));
    std::string bytes = out.take();
    std::array<unsigned char, KeyRing::mac_bytes> mac;
    if (signer == 0) return bytes;
    if (!keys->sign(signer, bytes, mac)) return fail(ErrorKind::busy, "the key that signs was taken away just now");
    return bytes.append(reinterpret_cast<const char*>(mac.data()), mac.size());
}

namespace {

// With keys nobody is believed who has none; without them nobody who has one. Takes the MAC off.
DatagramFault check_signature(std::string_view& bytes, const KeyRing* keys) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const bool has_keys = keys != nullptr, is_heartbeat = at(3) == static_cast<std::uint8_t>(Kind::node_heartbeat);
    if ((at(4) & has_mac) == 0) return has_keys && !(is_heartbeat && keys->accepts_plain()) ? DatagramFault::unsigned_message : DatagramFault::none;
    if (!has_keys) return DatagramFault::unknown_key;
    if (bytes.size() < header_bytes + KeyRing::mac_bytes) return DatagramFault::truncated;
    const std::string_view mac = bytes.substr(bytes.size() - KeyRing::mac_bytes);
    bytes.remove_suffix(mac.size());
    switch (keys->verify(at(5), bytes, mac)) {
        case KeyRing::Verdict::good: break;
        case KeyRing::Verdict::unknown_key: return DatagramFault::unknown_key;
        case KeyRing::Verdict::forged: return DatagramFault::forged;
    }
    return DatagramFault::none;
}

}  // namespace

DatagramFault decode_datagram(std::string_view bytes, Message& out, const KeyRing* keys) {
    if (bytes.size() > max_datagram) return DatagramFault::oversized;
    if (bytes.size() < header_bytes) return DatagramFault::truncated;
    ByteReader reader(bytes);
    if (reader.text(magic.size()) != magic) return DatagramFault::magic;
    if (reader.number(1) != version) return DatagramFault::version;
    const std::uint64_t kind = reader.number(1), flags = reader.number(1);
    reader.number(1);  // key id
    if (kind > static_cast<std::uint64_t>(Kind::host)) return DatagramFault::kind;
    if ((flags & ~(has_destination | has_mac)) != 0) return DatagramFault::flags;
    const std::size_t before = bytes.size();
    if (const DatagramFault fault = check_signature(bytes, keys); fault != DatagramFault::none) return fault;
    reader.drop_last(before - bytes.size());
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
        case DatagramFault::oversized: return "longer than a datagram may be";
        case DatagramFault::unsigned_message: return "not signed, and this host has keys";
        case DatagramFault::unknown_key: return "signed by a key that this host does not have";
        case DatagramFault::forged: return "not signed by the key that it names";
    }
    return "unknown";
}

}  // namespace rollcall
