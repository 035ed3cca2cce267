// A message as one datagram. What is known by its kind is not spelled out; everything else is. Little-endian.
//
//    0  magic 'R' 'c'         2  version              3  kind
//    4  flags                 5  key id               6  hop limit
//    7  length of cluster     8  length of origin     9  0
//   10  age of what is said, ms, 32 bits
//   14  cluster, origin; then what the flags say, in their order; then by kind
//
// Flags: 2 a destination (length 8, its name), 4 a MAC of 16 bytes at the end, of all that is before it. Of later versions, refused by this one: 1 another speaks for the
// origin (its name); its place is kept so that hosts that relay need no new format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/hosts/key_ring.hpp"
#include "engine/hosts/message.hpp"
#include "shm/error.hpp"

namespace rollcall {

inline constexpr std::size_t max_datagram = 1200;  // fits every path on earth unfragmented

// Signed by the ring's first key, if there is any. Fails with invalid if it does not fit.
Result<std::string> encode_datagram(const Message& message, const KeyRing* keys = nullptr);

enum class DatagramFault : std::uint8_t { none, oversized, truncated, magic, version, kind, flags, names, unsigned_message, unknown_key, forged };
std::string_view to_string(DatagramFault fault) noexcept;

// Any bytes are a message or refused with what is wrong. Its payload is not looked at. With keys only what is signed by one of them is a message.
DatagramFault decode_datagram(std::string_view bytes, Message& out, const KeyRing* keys = nullptr);

}  // namespace rollcall
