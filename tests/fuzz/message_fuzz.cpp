// Everything that comes from other hosts: datagrams, and the payloads in them. The first byte chooses; what is accepted must read the same when it is
// written out again, and be sayable to a shard.
#include <string>

#include "engine/hosts/datagram.hpp"
#include "engine/hosts/shard.hpp"
#include "engine/hosts/switchboard.hpp"
#include "engine/transports/address.hpp"
#include "shm/name.hpp"
#include "tests/fuzz/input.hpp"

namespace rollcall::fuzz {
namespace {

void heartbeat(const Message& message) {
    const auto read = read_heartbeat(message);
    if (!read) {
        must(!read.error().message.empty(), "a refusal says why");
        return;
    }
    const Message again = make_heartbeat(message.cluster, message.origin, *read);
    must(again.payload == message.payload, "a heartbeat reads as it is written");
    must(read->endpoint.size() <= 255, "an endpoint fits into a blob");
}

void datagram(std::string_view bytes) {
    Message message;
    if (decode_datagram(bytes, message) != DatagramFault::none) return;
    must(shm::validate_cluster_name(message.cluster).has_value() && shm::validate_node_id(message.origin).has_value(), "names are checked first");
    heartbeat(message);
    const auto encoded = encode_datagram(message);
    if (!encoded) return;  // bytes beyond what a datagram carries
    Message again;
    must(decode_datagram(*encoded, again) == DatagramFault::none && again == message, "a message reads as it is written");

    Switchboard switchboard;
    const auto shard = std::make_shared<Shard>("orders", "me");
    switchboard.add(shard);
    std::size_t heard = 0;
    shard->bus().attach(membership_prefix("orders"), [&](const Message& m, Instant) {
        ++heard;
        must(m.cluster == "orders" && m.origin != "me", "another cluster's and one's own messages are nobody's");
    });
    must(switchboard.deliver(message, Instant{}) == heard, "who took it is counted");
}

// Nobody foretells a key: what reads was signed, and nothing here was.
void signed_datagram(std::string_view bytes) {
    static const KeyRing keys({make_key(1), make_key(255)});
    Message message;
    must(decode_datagram(bytes, message, &keys) != DatagramFault::none, "a forged message is not believed");
}

void payload(std::string_view bytes) {
    Message message = make_heartbeat("orders", "gw-1", {});
    message.payload = bytes;
    heartbeat(message);
}

void address(std::string_view text) {
    const auto where = parse_host_port(text);
    must(where || !where.error().message.empty(), "a refusal says why");
}

}  // namespace
}  // namespace rollcall::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rollcall::fuzz;
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 5) {
        case 0: case 1: datagram(text); break;
        case 4: signed_datagram(text); break;
        case 2: payload(text); break;
        default: address(text); break;
    }
    return 0;
}
