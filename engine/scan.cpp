#include "engine/scan.hpp"

#include "engine/scan_plain.hpp"

#if defined(__SANITIZE_THREAD__)
#define ROLLCALL_PLAIN_SCAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ROLLCALL_PLAIN_SCAN 1
#endif
#endif

#ifdef ROLLCALL_PLAIN_SCAN

namespace rollcall::engine {

std::size_t look(const shm::Word* words, std::size_t blocks, const BlockMask* expected, std::int64_t threshold, std::int64_t* lowest, std::uint32_t* differing) noexcept {
    return plain::look(words, blocks, expected, threshold, lowest, differing);
}
Selection select(const shm::Word* block, const BlockMask& among, std::int64_t threshold) noexcept { return plain::select(block, among, threshold); }
bool find_damaged(const shm::Word* block, const std::uint16_t* generations, std::int64_t latest, BlockMask& out) noexcept { return plain::find_damaged(block, generations, latest, out); }
std::size_t collect_below(const std::int64_t* values, std::size_t count, std::int64_t threshold, std::uint32_t* out) noexcept { return plain::collect_below(values, count, threshold, out); }
const char* scan_target() noexcept { return "plain"; }

}  // namespace rollcall::engine

#else

// Everything below is compiled once for each instruction set: AVX-512, AVX2, SSE4 and plain for the rest. Vectors whose length is known at
// run time only are left out.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/scan.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rollcall::engine {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<std::int64_t, 8>;
static_assert(!HWY_HAVE_SCALABLE);
constexpr std::size_t lanes = hn::MaxLanes(Tag());  // 8, 4, 2 or 1: a byte of a mask is one vector or a few
constexpr std::size_t vectors_a_byte = 8 / lanes;

HWY_INLINE const std::int64_t* raw(const shm::Word* words) noexcept { return reinterpret_cast<const std::int64_t*>(words); }

// Of byte `at` of a mask, the lanes of its vector `part`. (Of eight lanes Highway reads that one byte, though it asks for eight to be there.)
HWY_INLINE hn::Mask<Tag> load_mask(const std::uint8_t* bytes, std::size_t at, std::size_t part) noexcept {
    if constexpr (vectors_a_byte == 1) return hn::LoadMaskBits(Tag(), bytes + at);
    const std::uint8_t padded[8] = {static_cast<std::uint8_t>(bytes[at] >> part * lanes & ((1u << lanes) - 1))};  // it may read eight bytes
    return hn::LoadMaskBits(Tag(), padded);
}

HWY_INLINE void store_mask(hn::Mask<Tag> mask, std::uint8_t* bytes, std::size_t at, std::size_t part) noexcept {
    std::uint8_t padded[8] = {};
    hn::StoreMaskBits(Tag(), mask, padded);
    bytes[at] = static_cast<std::uint8_t>(bytes[at] | padded[0] << part * lanes);
}

HWY_INLINE std::int64_t lowest_of(hn::Vec<Tag> v) noexcept { return hn::GetLane(hn::MinOfLanes(Tag(), v)); }
HWY_INLINE std::int64_t highest_of(hn::Vec<Tag> v) noexcept { return hn::GetLane(hn::MaxOfLanes(Tag(), v)); }

// `extreme` of all words, in four chains, so that no vector waits for the one before.
template <class Extreme>
HWY_INLINE hn::Vec<Tag> extreme_of(const std::int64_t* block, Extreme extreme) noexcept {
    const Tag d;
    auto a = hn::LoadU(d, block), b = hn::LoadU(d, block + lanes), c = hn::LoadU(d, block + 2 * lanes), e = hn::LoadU(d, block + 3 * lanes);
    for (std::size_t i = 4 * lanes; i < shm::block_words; i += 4 * lanes) {
        a = extreme(a, hn::LoadU(d, block + i));
        b = extreme(b, hn::LoadU(d, block + i + lanes));
        c = extreme(c, hn::LoadU(d, block + i + 2 * lanes));
        e = extreme(e, hn::LoadU(d, block + i + 3 * lanes));
    }
    return extreme(extreme(a, b), extreme(c, e));
}

// Nearly always all there is to do: nobody is silent, and nobody was.
HWY_INLINE std::int64_t lowest_word(const std::int64_t* block) noexcept {
    return lowest_of(extreme_of(block, [](auto a, auto b) HWY_ATTR { return hn::Min(a, b); }));
}
// And where everybody is.
HWY_INLINE std::int64_t highest_word(const std::int64_t* block) noexcept {
    return highest_of(extreme_of(block, [](auto a, auto b) HWY_ATTR { return hn::Max(a, b); }));
}

// True: it differs. Of the silent the latest word tells, of the others the earliest: two blended extremes cost less than comparing masks.
HWY_INLINE bool look_at_silent(const std::int64_t* block, const BlockMask& expected, std::int64_t threshold, std::int64_t& lowest) noexcept {
    const Tag d;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(expected.data());
    const auto none = hn::Set(d, INT64_MAX), never = hn::Set(d, INT64_MIN);
    auto low0 = none, low1 = none, high0 = never, high1 = never;
    const auto see = [&](std::size_t vector, hn::Vec<Tag>& low, hn::Vec<Tag>& high) HWY_ATTR {
        const auto words = hn::LoadU(d, block + vector * lanes);
        const auto silent = load_mask(bytes, vector / vectors_a_byte, vector % vectors_a_byte);
        low = hn::IfThenElse(silent, low, hn::Min(low, words));
        high = hn::IfThenElse(silent, hn::Max(high, words), high);
    };
    for (std::size_t vector = 0; vector < shm::block_words / lanes; vector += 2) {
        see(vector, low0, high0);
        see(vector + 1, low1, high1);
    }
    lowest = lowest_of(hn::Min(low0, low1));
    return lowest < threshold || highest_of(hn::Max(high0, high1)) >= threshold;
}

std::size_t Look(const shm::Word* words, std::size_t blocks, const BlockMask* expected, std::int64_t threshold, std::int64_t* lowest, std::uint32_t* differing) {
    std::size_t found = 0;
    for (std::size_t b = 0; b < blocks; ++b) {
        const std::int64_t* block = raw(words) + b * shm::block_words;
        if (b + 1 < blocks)
            for (std::size_t ahead = 0; ahead < 8; ++ahead) __builtin_prefetch(block + shm::block_words + ahead * 8);  // hardware's own begins anew at every page
        std::uint64_t some = 0, all = ~std::uint64_t{0};
        for (const std::uint64_t bits : expected[b]) some |= bits, all &= bits;
        bool differs;
        if (some == 0) {
            differs = (lowest[b] = lowest_word(block)) < threshold;
        } else if (all == ~std::uint64_t{0}) {
            differs = highest_word(block) >= threshold;
            lowest[b] = INT64_MAX;
        } else {
            differs = look_at_silent(block, expected[b], threshold, lowest[b]);
        }
        differing[found] = static_cast<std::uint32_t>(b);
        found += differs;
    }
    return found;
}

Selection Select(const shm::Word* words, const BlockMask& among, std::int64_t threshold) {
    const Tag d;
    const auto limit = hn::Set(d, threshold), none = hn::Set(d, INT64_MAX);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(among.data());
    Selection s;
    auto* below_bytes = reinterpret_cast<std::uint8_t*>(s.below.data());
    auto low = none;
    for (std::size_t byte = 0; byte < sizeof(BlockMask); ++byte) {
        if (bytes[byte] == 0) continue;
        for (std::size_t part = 0; part < vectors_a_byte; ++part) {
            const auto asked = load_mask(bytes, byte, part);
            const auto found = hn::IfThenElse(asked, hn::LoadU(d, raw(words) + byte * 8 + part * lanes), none);
            const auto below = hn::Lt(found, limit);
            store_mask(below, below_bytes, byte, part);
            low = hn::Min(low, hn::IfThenElse(below, none, found));
        }
    }
    s.lowest = lowest_of(low);
    return s;
}

bool FindDamaged(const shm::Word* words, const std::uint16_t* generations, std::int64_t latest, BlockMask& out) {
    const Tag d;
    const hn::RebindToUnsigned<Tag> du;
    const hn::Rebind<std::uint32_t, Tag> du32;
    const hn::Rebind<std::uint16_t, Tag> du16;
    const auto low_bits = hn::Set(du, 0xFFFF);
    const auto free = hn::Set(d, shm::free_word), zero = hn::Zero(d), newest = hn::Set(d, latest);
    const auto damaged = [&](std::size_t i) HWY_ATTR {
        const auto word = hn::LoadU(d, raw(words) + i);
        const auto generation = hn::PromoteTo(du, hn::PromoteTo(du32, hn::LoadU(du16, generations + i)));
        const auto is_foreign = hn::MaskFromVec(hn::BitCast(d, hn::VecFromMask(du, hn::Ne(hn::And(hn::BitCast(du, word), low_bits), generation))));
        const auto is_nobodys = hn::MaskFromVec(hn::BitCast(d, hn::VecFromMask(du, hn::Eq(generation, low_bits))));
        const auto is_out_of_time = hn::AndNot(is_nobodys, hn::Or(hn::Lt(word, zero), hn::Gt(word, newest)));
        return hn::Or(hn::Or(is_foreign, is_out_of_time), hn::And(is_nobodys, hn::Ne(word, free)));
    };
    auto any = hn::Lt(zero, zero);
    for (std::size_t i = 0; i < shm::block_words; i += lanes) any = hn::Or(any, damaged(i));
    if (hn::AllFalse(d, any)) return false;
    out = {};
    for (std::size_t byte = 0; byte < sizeof(BlockMask); ++byte)
        for (std::size_t part = 0; part < vectors_a_byte; ++part) store_mask(damaged(byte * 8 + part * lanes), reinterpret_cast<std::uint8_t*>(out.data()), byte, part);
    return true;
}

std::size_t CollectBelow(const std::int64_t* values, std::size_t count, std::int64_t threshold, std::uint32_t* out) {
    const Tag d;
    const auto limit = hn::Set(d, threshold);
    std::size_t found = 0, i = 0;
    const auto look_one_by_one = [&](std::size_t end) {
        for (; i < end; ++i)
            if (values[i] < threshold) out[found++] = static_cast<std::uint32_t>(i);
    };
    while (i + 2 * lanes <= count) {
        const auto low = hn::Min(hn::LoadU(d, values + i), hn::LoadU(d, values + i + lanes));
        if (HWY_LIKELY(hn::AllFalse(d, hn::Lt(low, limit)))) i += 2 * lanes;
        else look_one_by_one(i + 2 * lanes);
    }
    look_one_by_one(count);
    return found;
}

const char* TargetName() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace rollcall::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rollcall::engine {

HWY_EXPORT(Look);
HWY_EXPORT(Select);
HWY_EXPORT(FindDamaged);
HWY_EXPORT(CollectBelow);
HWY_EXPORT(TargetName);

std::size_t look(const shm::Word* words, std::size_t blocks, const BlockMask* expected, std::int64_t threshold, std::int64_t* lowest, std::uint32_t* differing) noexcept {
    return HWY_DYNAMIC_DISPATCH(Look)(words, blocks, expected, threshold, lowest, differing);
}
Selection select(const shm::Word* block, const BlockMask& among, std::int64_t threshold) noexcept { return HWY_DYNAMIC_DISPATCH(Select)(block, among, threshold); }
bool find_damaged(const shm::Word* block, const std::uint16_t* generations, std::int64_t latest, BlockMask& out) noexcept {
    return HWY_DYNAMIC_DISPATCH(FindDamaged)(block, generations, latest, out);
}
std::size_t collect_below(const std::int64_t* values, std::size_t count, std::int64_t threshold, std::uint32_t* out) noexcept {
    return HWY_DYNAMIC_DISPATCH(CollectBelow)(values, count, threshold, out);
}
const char* scan_target() noexcept { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

}  // namespace rollcall::engine
#endif  // HWY_ONCE

#endif  // ROLLCALL_PLAIN_SCAN
