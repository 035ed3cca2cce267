// Blobs: what of a peer changes rarely and has no fixed length. Written once, never changed: an update writes a new blob and then
// switches the hot record. A freed blob is reused only after the publication that freed it; a reader who copied one checks the
// version of its record again, a fold checks that the blob still carries the sequence of the event that brought it.
//
//   word 0   sequence of the event that brought it; 0 while being written
//   word 1   endpoint length 8 | host length 8 | tags length 16 | producer card 32
//   word 2   start time 48 (ticks since boot) | flags 8 | size class 8
//   word 3   pid 32 | uid 32
//   word 4   gid 32 | spare 32
//   word 5   join token
//   then     endpoint, host, tags (key '=' value NUL, each), zero padded
// Of a host's record: endpoint is its address, host its name, the join token the slot of its members' word, the start time the interval of its beats in ns.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "shm/error.hpp"
#include "shm/roster.hpp"

namespace rollcall::shm {

inline constexpr std::size_t blob_fixed_words = 6;
inline constexpr std::array<std::uint16_t, 10> blob_class_bytes{48, 64, 96, 128, 192, 256, 384, 512, 768, 896};
inline constexpr std::size_t blob_class_count = blob_class_bytes.size();
static_assert(blob_fixed_words * 8 + max_endpoint + (max_node_id + 1) + max_tags <= blob_class_bytes.back());

enum BlobFlag : std::uint8_t {
    blob_has_process = 1,  // somebody's exit proves this peer's death
    blob_wrapped = 2,      // a wrapper beats for the process
    blob_watchdog = 4,     // the process reports its own health: nobody may beat for it
};

struct Blob {
    Sequence sequence{};
    std::uint64_t start_ticks = 0, token = 0;
    std::uint32_t pid = 0, uid = 0, gid = 0;
    std::uint32_t card = no_index;
    std::uint8_t flags = 0, endpoint_size = 0, host_size = 0;
    std::string text;  // endpoint, host and tags: one string, because a snapshot holds a million of these

    std::string_view endpoint() const noexcept { return std::string_view(text).substr(0, endpoint_size); }
    std::string_view host() const noexcept { return std::string_view(text).substr(endpoint_size, host_size); }
    std::string_view tags() const noexcept { return std::string_view(text).substr(std::size_t{endpoint_size} + host_size); }

    // At most max_endpoint, max_node_id and max_tags bytes; they may be this blob's own.
    void set_text(std::string_view endpoint, std::string_view host, std::string_view tags) {
        std::string all;
        all.reserve(endpoint.size() + host.size() + tags.size());
        all.append(endpoint).append(host).append(tags);
        text = std::move(all);
        endpoint_size = static_cast<std::uint8_t>(endpoint.size());
        host_size = static_cast<std::uint8_t>(host.size());
    }
};

inline std::size_t bytes_of(const Blob& blob) noexcept { return blob_fixed_words * 8 + blob.text.size(); }

// The smallest class that holds it; the lengths were validated.
inline std::size_t blob_class_for(const Blob& blob) noexcept {
    std::size_t c = 0;
    while (c + 1 < blob_class_count && blob_class_bytes[c] < bytes_of(blob)) ++c;
    return c;
}

// A number that lies inside the heap, inside one extent, on a boundary of its extent's class. Checks what the extent says, too.
template <class Roster>
bool is_blob_number(const Roster& roster, std::uint32_t number) noexcept {
    constexpr std::uint32_t units = blob_extent_bytes / blob_unit;
    const std::uint32_t extent = number / units;
    if (extent >= roster.geometry().blob_extents || extent >= roster.header().blob_extents_used.load(std::memory_order_acquire)) return false;  // [extent]
    const std::uint32_t size_class = roster.extent_class(extent).load(std::memory_order_acquire);  // [extent] set before the extent counts
    if (size_class >= blob_class_count) return false;
    const std::uint32_t offset = number % units * static_cast<std::uint32_t>(blob_unit);
    return offset % blob_class_bytes[size_class] == 0 && offset + blob_class_bytes[size_class] <= blob_extent_bytes;
}

// The sequence alone: 0 while being written or if there is no such blob.
template <class Roster>
Sequence load_blob_sequence(const Roster& roster, std::uint32_t number) noexcept {
    if (!is_blob_number(roster, number)) return Sequence{};
    return Sequence{roster.blob(number)[0].load(std::memory_order_acquire)};  // [blob] pairs with store_blob
}

// The flags alone: 0 if there is no such blob.
template <class Roster>
std::uint8_t load_blob_flags(const Roster& roster, std::uint32_t number) noexcept {
    return is_blob_number(roster, number) ? static_cast<std::uint8_t>(roster.blob(number)[2].load(std::memory_order_acquire) >> 8) : std::uint8_t{0};  // [blob]
}

// The join token alone: 0 if there is no such blob.
template <class Roster>
std::uint64_t load_blob_token(const Roster& roster, std::uint32_t number) noexcept {
    return is_blob_number(roster, number) ? roster.blob(number)[5].load(std::memory_order_acquire) : 0;  // [blob]
}

// Copies and validates. False: no such blob, or its lengths make no sense (torn, reused, damaged): look at the record again.
template <class Roster>
bool load_blob(const Roster& roster, std::uint32_t number, Blob& out) {
    if (!is_blob_number(roster, number)) return false;
    const auto* from = roster.blob(number);
    constexpr auto acquire = std::memory_order_acquire;  // [blob] a word of a later blob also shows the version that freed this one
    std::array<std::uint64_t, blob_fixed_words> fixed;
    for (std::size_t i = 0; i < blob_fixed_words; ++i) fixed[i] = from[i].load(acquire);
    const std::size_t endpoint = fixed[1] >> 56, host = fixed[1] >> 48 & 0xFF, tags = fixed[1] >> 32 & 0xFFFF;
    const std::size_t bytes = endpoint + host + tags;
    if (host > max_node_id || tags > max_tags) return false;  // each alone: an update puts other parts beside those that it keeps
    const std::uint32_t size_class = roster.extent_class(number / (blob_extent_bytes / blob_unit)).load(acquire);
    if (size_class >= blob_class_count || blob_fixed_words * 8 + bytes > blob_class_bytes[size_class]) return false;

    std::array<char, blob_class_bytes.back()> text;
    for (std::size_t i = 0; i * 8 < bytes; ++i) {
        const std::uint64_t word = from[blob_fixed_words + i].load(acquire);
        std::memcpy(text.data() + i * 8, &word, 8);
    }
    out.sequence = Sequence{fixed[0]};
    out.text.assign(text.data(), bytes);
    out.endpoint_size = static_cast<std::uint8_t>(endpoint);
    out.host_size = static_cast<std::uint8_t>(host);
    out.card = static_cast<std::uint32_t>(fixed[1]);
    out.start_ticks = fixed[2] >> 16;
    out.flags = static_cast<std::uint8_t>(fixed[2] >> 8);
    out.pid = static_cast<std::uint32_t>(fixed[3] >> 32);
    out.uid = static_cast<std::uint32_t>(fixed[3]);
    out.gid = static_cast<std::uint32_t>(fixed[4] >> 32);
    out.token = fixed[5];
    return true;
}

// Engine only; `number` came from the heap and is reachable by nobody.
template <class Roster>
void store_blob(Roster& roster, std::uint32_t number, const Blob& blob) noexcept {
    auto* to = roster.blob(number);
    constexpr auto release = std::memory_order_release;  // [blob]
    to[0].store(0, release);                             // [blob] a fold that holds the old number now refuses it
    to[1].store(std::uint64_t{blob.endpoint_size} << 56 | std::uint64_t{blob.host_size} << 48 | std::uint64_t{blob.tags().size()} << 32 | blob.card, release);
    to[2].store(blob.start_ticks << 16 | std::uint64_t{blob.flags} << 8 | blob_class_for(blob), release);
    to[3].store(std::uint64_t{blob.pid} << 32 | blob.uid, release);
    to[4].store(std::uint64_t{blob.gid} << 32, release);
    to[5].store(blob.token, release);
    for (std::size_t i = 0; i * 8 < blob.text.size(); ++i) {
        std::uint64_t word = 0;
        std::memcpy(&word, blob.text.data() + i * 8, std::min<std::size_t>(8, blob.text.size() - i * 8));
        to[blob_fixed_words + i].store(word, release);
    }
    to[0].store(blob.sequence.value, release);  // [blob] pairs with load_blob_sequence
}

}  // namespace rollcall::shm
