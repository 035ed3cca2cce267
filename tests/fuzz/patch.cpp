#include "tests/fuzz/patch.hpp"

#include <array>
#include <bit>

namespace rollcall::fuzz {

namespace {

// Where something lies: `count` things of `stride` bytes each.
struct Region {
    bool in_pulse;
    std::uint64_t offset, stride, count;
};

constexpr std::uint64_t header = sizeof(shm::Preamble);
constexpr std::uint64_t cursors = header + offsetof(shm::RosterHeader, selector);
constexpr std::uint64_t checkpoints = header + offsetof(shm::RosterHeader, checkpoints);

constexpr std::array<Region, 17> regions{{
    {false, 0, sizeof(shm::Preamble), 1},
    {false, header, cursors - header, 1},                     // identity, engine, step
    {false, cursors, checkpoints - cursors, 1},               // selector, prepared, high-water mark, extents and cards used
    {false, checkpoints, sizeof(shm::Checkpoint), 2},
    {false, geometry.ring, sizeof(shm::Entry), ring_entries},
    {false, geometry.buckets, 4, geometry.bucket_count},
    {false, geometry.extent_classes, 4, geometry.blob_extents},
    {false, geometry.records, sizeof(shm::Record), 16},       // most of them are in use
    {false, geometry.records, sizeof(shm::Record), capacity},
    {false, geometry.blobs, 16, 256},
    {false, geometry.blobs + shm::blob_extent_bytes, 16, 256},
    {false, geometry.blobs + 2 * shm::blob_extent_bytes, 16, 256},
    {false, geometry.blobs + 3 * shm::blob_extent_bytes, 16, 256},
    {true, 0, sizeof(shm::Preamble), 1},
    {true, geometry.words, 8, geometry.word_count},
    {true, geometry.cards, sizeof(shm::Card), 16},
    {false, geometry.records, 8, 16 * sizeof(shm::Record) / 8},
}};

struct Patch {
    std::uint8_t region, index, field, how;
    std::uint64_t value;
};

// How many bytes `how` stores, and from where.
void apply(const Patch& patch, const Region& region, Image& image) {
    std::vector<std::byte>& file = region.in_pulse ? image.pulse : image.roster;
    const std::uint64_t width = std::uint64_t{1} << (patch.how & 3);  // 1, 2, 4, 8
    const std::uint64_t item = region.offset + patch.index % region.count * region.stride;
    const std::uint64_t field = std::uint64_t{patch.field} * width % region.stride / width * width;
    const std::uint64_t at = item + field;
    if (at + width > file.size()) return;
    image.touched.push_back({region.in_pulse, item, std::min<std::size_t>(region.stride, file.size() - item)});
    std::uint64_t now = 0;
    std::memcpy(&now, file.data() + at, width);
    switch (patch.how >> 2 & 7) {
        case 0: now = patch.value; break;
        case 1: now ^= std::uint64_t{1} << (patch.value & 63); break;
        case 2: now += static_cast<std::uint64_t>(static_cast<std::int8_t>(patch.value)); break;
        case 3: now = ~std::uint64_t{0} >> (patch.value & 63); break;
        case 4: now = std::uint64_t{1} << (patch.value & 63); break;
        case 5: {  // the same field of another one
            const std::uint64_t other = region.offset + patch.value % region.count * region.stride + field;
            if (other + width <= file.size()) std::memcpy(&now, file.data() + other, width);
            break;
        }
        case 6: {  // all of another one
            const std::uint64_t other = region.offset + patch.value % region.count * region.stride;
            if (std::max(other, item) + region.stride <= file.size()) std::memmove(file.data() + item, file.data() + other, region.stride);
            return;
        }
        default: now = std::rotl(now, static_cast<int>(patch.value & 63)); break;
    }
    std::memcpy(file.data() + at, &now, width);
}

// Sizes around what is right, and impossible ones.
std::uint64_t resized(std::uint64_t right, const Patch& patch) {
    switch (patch.how & 3) {
        case 0: return patch.value % (2 * right);
        case 1: return right + static_cast<std::uint64_t>(static_cast<std::int8_t>(patch.value)) * 8;
        case 2: return patch.index % 16 * shm::page;
        default: return (std::uint64_t{1} << (patch.value % 62));
    }
}

}  // namespace

void wound(Image& image, Input& input, int most) {
    for (int i = 0; i < most && !input.is_empty(); ++i) {
        const Patch patch{input.take<std::uint8_t>(), input.take<std::uint8_t>(), input.take<std::uint8_t>(), input.take<std::uint8_t>(), input.take<std::uint64_t>()};
        if (patch.region % 32 == 31) {
            image.roster_bytes = resized(geometry.roster_bytes, patch);
        } else if (patch.region % 32 == 30) {
            image.pulse_bytes = resized(geometry.pulse_bytes, patch);
        } else {
            apply(patch, regions[patch.region % 32 % regions.size()], image);
        }
    }
}

void heal(Image& image, const Image& original) {
    for (const Image::Range& range : image.touched) {
        const auto& from = range.in_pulse ? original.pulse : original.roster;
        auto& to = range.in_pulse ? image.pulse : image.roster;
        std::memcpy(to.data() + range.at, from.data() + range.at, range.bytes);
    }
    image.touched.clear();
    image.roster_bytes = original.roster_bytes;
    image.pulse_bytes = original.pulse_bytes;
}

}  // namespace rollcall::fuzz
