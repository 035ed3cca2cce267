// What members and operators say to the engine over its control socket: one packet a request, one a reply (SOCK_SEQPACKET keeps them
// apart). The kernel vouches for who speaks; everything else in a packet is hostile until it is decoded.
//
//   request   version 1 | kind 1 | id 4 | fields of that kind
//   reply     version 1 | kind 1 | id 4 | outcome 1 | fields
//
// Numbers are little-endian; a text is its length in two bytes and its bytes. A pidfd travels beside a `join` (SCM_RIGHTS).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shm/error.hpp"
#include "shm/settings.hpp"
#include "shm/terms.hpp"
#include "shm/units.hpp"

namespace rollcall::control {

inline constexpr std::uint8_t protocol_version = 1;
inline constexpr std::size_t max_packet = 2048;

enum class Kind : std::uint8_t { join = 1, leave, update, exited, watchdog, configure, evict, stop };

struct Message {
    Kind kind{};
    std::uint32_t id = 0;  // chosen by the asker, repeated in the reply
    // Which fields travel depends on the kind; see fields_of in protocol.cpp.
    std::string node;
    std::string endpoint, tags;  // tags encoded as in a blob
    bool has_endpoint = false, has_tags = false;
    std::uint64_t token = 0;
    bool replace = false;
    bool wrapped = false;          // join: the pidfd is a child's, and the asker beats for it
    std::uint64_t incarnation = 0;
    std::optional<ExitStatus> status;
    bool goodbye = false;          // exited: as it was meant to; stop: everybody leaves
    std::uint64_t settings_ns[5] = {};  // configure: 0 keeps
};

struct Reply {
    Kind kind{};
    std::uint32_t id = 0;
    std::optional<Error> error;
    std::uint32_t slot = 0;
    std::uint16_t generation = 0;
    std::uint64_t incarnation = 0;
    std::uint32_t card = 0xFFFF'FFFF;
    std::uint64_t settings_ns[5] = {};
};

std::string encode(const Message& message);
std::string encode(const Reply& reply);
// Nothing: not a packet of this protocol. An unknown version says so in `why`.
std::optional<Message> decode_message(std::string_view packet, std::string& why);
std::optional<Reply> decode_reply(std::string_view packet);

void pack(const Settings& settings, std::uint64_t (&out)[5]) noexcept;
// Zeros keep what `base` has.
Settings unpack(const std::uint64_t (&in)[5], const Settings& base) noexcept;

}  // namespace rollcall::control
