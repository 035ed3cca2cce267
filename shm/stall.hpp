// A note on a process's card: which of its members does not beat, and what it waits for. For show; whoever reads it believes nothing.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "shm/layout.hpp"
#include "shm/name.hpp"
#include "shm/units.hpp"

namespace rollcall::shm {

// Up to 39 bytes of text in words that two threads may touch at once: length, then the bytes.
struct StallName {
    std::array<std::atomic<std::uint64_t>, stall_name_words> words;

    static constexpr std::size_t longest = stall_name_words * 8 - 1;

    void store(std::string_view text) noexcept { store_words(words, packed(text), std::memory_order_relaxed); }  // relaxed: the note's instant orders
    // Nothing that could be no name: the length too great, or not UTF-8 without controls.
    std::string load() const { return unpacked(load_words<stall_name_words>(words, std::memory_order_relaxed)); }  // relaxed: for show

    using Packed = std::array<std::uint64_t, stall_name_words>;
    // Longer ones are cut, at a whole character.
    static Packed packed(std::string_view text) noexcept {
        std::size_t size = std::min(text.size(), longest);
        while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
        std::array<char, sizeof(Packed)> bytes{};
        bytes[0] = static_cast<char>(size);
        std::memcpy(bytes.data() + 1, text.data(), size);
        Packed out;
        std::memcpy(out.data(), bytes.data(), sizeof out);
        return out;
    }
    static std::string unpacked(const Packed& from) {
        std::array<char, sizeof(Packed)> bytes;
        std::memcpy(bytes.data(), from.data(), sizeof bytes);
        const auto size = static_cast<unsigned char>(bytes[0]);
        const std::string_view text(bytes.data() + 1, std::min<std::size_t>(size, longest));
        return size <= longest && is_clean_utf8(text) ? std::string(text) : std::string();
    }
};

struct StallNote {
    std::int64_t since_ns = 0, budget_ns = 0;
    std::string guard;
};

constexpr std::uint64_t stall_member(Slot slot, Generation generation) noexcept { return std::uint64_t{slot.value} << 16 | generation.value; }

// By the process that has the card, from a beat: no allocation. The instant is written last; 0 says that there is no note.
inline void write_stall(Card& card, std::uint64_t member, std::int64_t since_ns, std::int64_t budget_ns, const StallName& guard) noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    if (card.stall_ns.load(relaxed) == static_cast<std::uint64_t>(since_ns) && card.stall_member.load(relaxed) == member) return;
    card.stall_ns.store(0, relaxed);
    card.stall_member.store(member, relaxed);
    card.stall_budget_ns.store(static_cast<std::uint64_t>(budget_ns), relaxed);
    store_words(card.stall_name, load_words<stall_name_words>(guard.words, relaxed), relaxed);
    card.stall_ns.store(static_cast<std::uint64_t>(since_ns), std::memory_order_release);  // [stall]
}
inline void clear_stall(Card& card, std::uint64_t member) noexcept {
    if (card.stall_ns.load(std::memory_order_relaxed) != 0 && card.stall_member.load(std::memory_order_relaxed) == member) card.stall_ns.store(0, std::memory_order_release);  // [stall]
}

// The note, if it is of this member.
inline std::optional<StallNote> load_stall(const Card& card, std::uint64_t member) {
    constexpr std::uint64_t believable = std::uint64_t{1} << 62;
    const std::uint64_t since = card.stall_ns.load(std::memory_order_acquire);  // [stall]
    const std::uint64_t budget = card.stall_budget_ns.load(std::memory_order_relaxed);
    if (since == 0 || since >= believable || budget >= believable || card.stall_member.load(std::memory_order_relaxed) != member) return std::nullopt;
    return StallNote{static_cast<std::int64_t>(since), static_cast<std::int64_t>(budget), StallName::unpacked(load_words<stall_name_words>(card.stall_name, std::memory_order_relaxed))};
}

}  // namespace rollcall::shm
