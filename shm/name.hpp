// Names as they lie in memory: a length byte and up to 63 bytes, zero padded, so that equality is eight compares. The length's highest bit says that it is
// a host's: a host and a node of one name are two.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "shm/error.hpp"
#include "shm/layout.hpp"

namespace rollcall::shm {

struct Name {
    static constexpr std::uint64_t host_bit = 0x80;
    std::array<std::uint64_t, name_words> words{};

    static Name of(std::string_view text) noexcept {
        std::array<char, name_words * 8> bytes{};
        const std::size_t length = std::min(text.size(), max_node_id);
        bytes[0] = static_cast<char>(length);
        std::memcpy(bytes.data() + 1, text.data(), length);
        return std::bit_cast<Name>(bytes);
    }

    static Name of_host(std::string_view text) noexcept {
        Name name = of(text);
        name.words[0] |= host_bit;
        return name;
    }

    std::size_t size() const noexcept { return std::min<std::size_t>(words[0] & 0x7F, max_node_id); }
    bool is_host() const noexcept { return (words[0] & host_bit) != 0; }
    std::string_view view() const noexcept { return {reinterpret_cast<const char*>(words.data()) + 1, size()}; }
    friend bool operator==(const Name&, const Name&) = default;
};
static_assert(sizeof(Name) == 64);

// 64 to 32 bits by multiplication and folding (as in wyhash's final mix); the index needs spread, not secrecy.
inline std::uint32_t hash_of(const Name& name) noexcept {
    std::uint64_t h = 0x9E37'79B9'7F4A'7C15;
    for (std::size_t i = 0; i <= name.size() / 8; ++i) {
        const auto product = static_cast<unsigned __int128>(h ^ name.words[i]) * 0xD6E8'FEB8'6659'FD93;
        h = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    return static_cast<std::uint32_t>(h >> 32) ^ static_cast<std::uint32_t>(h);
}

// 1 to 63 bytes of valid UTF-8 without control characters or white space. The message names what is wrong.
Result<void> validate_node_id(std::string_view id);
// 1 to 63 of A-Za-z0-9_-.
Result<void> validate_cluster_name(std::string_view name);
// Valid UTF-8 without control characters (C0, DEL, C1)?
bool is_clean_utf8(std::string_view text) noexcept;

}  // namespace rollcall::shm
