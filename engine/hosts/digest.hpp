// What a list of members comes to, whatever order it was put together in: a sum of hashes, 128 bits, from which an entry is taken as easily as it is added.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rollcall::engine {

// Not a defence against whoever makes entries up to collide (a sum of hashes is none at this length): it finds lists that differ, and who speaks for a host
// is settled before.
struct Digest {
    std::array<std::uint64_t, 2> words{};  // lowest first

    Digest& operator+=(const Digest& other) noexcept;  // modulo 2^128
    Digest& operator-=(const Digest& other) noexcept;
    friend bool operator==(const Digest&, const Digest&) = default;
};

// BLAKE2b of 128 bits. Cost: about 0.2 us for an entry of a list.
Digest digest_of(std::string_view bytes) noexcept;

}  // namespace rollcall::engine
