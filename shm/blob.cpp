#include "shm/blob.hpp"

#include <cstring>

namespace rollcall::shm {

namespace {

std::size_t bytes_of(const Blob& blob) noexcept { return blob_fixed_words * 8 + blob.endpoint.size() + blob.host.size() + blob.tags.size(); }

}  // namespace

std::size_t blob_class_for(const Blob& blob) noexcept {
    std::size_t c = 0;
    while (c + 1 < blob_class_count && blob_class_bytes[c] < bytes_of(blob)) ++c;
    return c;
}

bool is_blob_number(const Roster& roster, std::uint32_t number) noexcept {
    constexpr std::uint32_t units = blob_extent_bytes / blob_unit;
    const std::uint32_t extent = number / units;
    if (extent >= roster.geometry().blob_extents || extent >= roster.header().blob_extents_used.load(std::memory_order_acquire)) return false;  // [extent]
    const std::uint32_t size_class = roster.extent_class(extent).load(std::memory_order_acquire);  // [extent] set before the extent counts
    if (size_class >= blob_class_count) return false;
    const std::uint32_t offset = number % units * static_cast<std::uint32_t>(blob_unit);
    return offset % blob_class_bytes[size_class] == 0 && offset + blob_class_bytes[size_class] <= blob_extent_bytes;
}

Sequence load_blob_sequence(const Roster& roster, std::uint32_t number) noexcept {
    if (!is_blob_number(roster, number)) return Sequence{};
    return Sequence{roster.blob(number)[0].load(std::memory_order_acquire)};  // [blob] pairs with store_blob
}

std::uint64_t load_blob_token(const Roster& roster, std::uint32_t number) noexcept {
    return is_blob_number(roster, number) ? roster.blob(number)[5].load(std::memory_order_acquire) : 0;  // [blob]
}

bool load_blob(const Roster& roster, std::uint32_t number, Blob& out) {
    if (!is_blob_number(roster, number)) return false;
    const AtomicWord64* from = roster.blob(number);
    constexpr auto acquire = std::memory_order_acquire;  // [blob] a word of a later blob also shows the version that freed this one
    std::array<std::uint64_t, blob_fixed_words> fixed;
    for (std::size_t i = 0; i < blob_fixed_words; ++i) fixed[i] = from[i].load(acquire);
    const std::size_t endpoint = fixed[1] >> 56, host = fixed[1] >> 48 & 0xFF, tags = fixed[1] >> 32 & 0xFFFF;
    const std::size_t bytes = endpoint + host + tags;
    const std::uint32_t size_class = roster.extent_class(number / (blob_extent_bytes / blob_unit)).load(acquire);
    if (size_class >= blob_class_count || blob_fixed_words * 8 + bytes > blob_class_bytes[size_class]) return false;

    std::array<char, blob_class_bytes.back()> text;
    for (std::size_t i = 0; i * 8 < bytes; ++i) {
        const std::uint64_t word = from[blob_fixed_words + i].load(acquire);
        std::memcpy(text.data() + i * 8, &word, 8);
    }
    out.sequence = Sequence{fixed[0]};
    out.endpoint.assign(text.data(), endpoint);
    out.host.assign(text.data() + endpoint, host);
    out.tags.assign(text.data() + endpoint + host, tags);
    out.card = static_cast<std::uint32_t>(fixed[1]);
    out.start_ticks = fixed[2] >> 16;
    out.flags = static_cast<std::uint8_t>(fixed[2] >> 8);
    out.pid = static_cast<std::uint32_t>(fixed[3] >> 32);
    out.uid = static_cast<std::uint32_t>(fixed[3]);
    out.gid = static_cast<std::uint32_t>(fixed[4] >> 32);
    out.token = fixed[5];
    return true;
}

void store_blob(Roster& roster, std::uint32_t number, const Blob& blob) noexcept {
    AtomicWord64* to = roster.blob(number);
    constexpr auto release = std::memory_order_release;  // [blob]
    to[0].store(0, release);                             // [blob] a fold that holds the old number now refuses it
    to[1].store(std::uint64_t{blob.endpoint.size()} << 56 | std::uint64_t{blob.host.size()} << 48 | std::uint64_t{blob.tags.size()} << 32 | blob.card, release);
    to[2].store(blob.start_ticks << 16 | std::uint64_t{blob.flags} << 8 | blob_class_for(blob), release);
    to[3].store(std::uint64_t{blob.pid} << 32 | blob.uid, release);
    to[4].store(std::uint64_t{blob.gid} << 32, release);
    to[5].store(blob.token, release);
    const std::string text = blob.endpoint + blob.host + blob.tags;
    for (std::size_t i = 0; i * 8 < text.size(); ++i) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + i * 8, std::min<std::size_t>(8, text.size() - i * 8));
        to[blob_fixed_words + i].store(word, release);
    }
    to[0].store(blob.sequence.value, release);  // [blob] pairs with load_blob_sequence
}

}  // namespace rollcall::shm
