#include "engine/blob_heap.hpp"

#include <algorithm>
#include <unordered_set>

namespace rollcall::engine {

namespace {
constexpr std::uint32_t units_per_extent = shm::blob_extent_bytes / shm::blob_unit;

template <class Visit>
void for_each_blob_of(std::uint32_t extent, std::size_t size_class, Visit visit) {
    const std::uint32_t step = shm::blob_class_bytes[size_class] / shm::blob_unit;
    for (std::uint32_t at = 0; at + step <= units_per_extent; at += step) visit(extent * units_per_extent + at);
}
}  // namespace

std::size_t BlobHeap::class_of(std::uint32_t number) const noexcept {
    return segment_.roster().extent_class(number / units_per_extent).load(std::memory_order_relaxed);  // relaxed: written by this thread
}

// Memory first, then the class, then the count: whoever finds a number in a record also finds its extent.
Result<std::uint32_t> BlobHeap::fresh_extent() {
    const shm::Roster& roster = segment_.roster();
    const std::uint32_t extent = roster.header().blob_extents_used.load(std::memory_order_relaxed);  // relaxed: written by this thread
    if (extent >= roster.geometry().blob_extents) return fail(ErrorKind::full, "the heap of endpoints and tags is full");
    if (auto backed = segment_.back_roster(roster.geometry().blobs + std::uint64_t{extent} * shm::blob_extent_bytes, shm::blob_extent_bytes); !backed)
        return fail(backed.error());
    used_.push_back(0);
    return extent;
}

// Peers whose tags grow leave whole extents of the smaller classes behind. Who still reads a blob there checks its record's version, or
// the blob's sequence, after copying.
std::uint32_t BlobHeap::take_empty_extent() {
    const auto extent = static_cast<std::uint32_t>(std::find(used_.begin(), used_.end(), 0) - used_.begin());
    std::erase_if(free_[class_of(extent * units_per_extent)], [&](std::uint32_t number) { return number / units_per_extent == extent; });
    --empty_;
    return extent;
}

Result<void> BlobHeap::add_extent(std::size_t size_class) {
    auto extent = empty_ != 0 ? Result<std::uint32_t>(take_empty_extent()) : fresh_extent();
    if (!extent) return fail(extent.error());
    ++empty_;
    shm::RosterHeader& header = segment_.writable().header();
    segment_.writable().extent_class(*extent).store(static_cast<std::uint32_t>(size_class), std::memory_order_release);  // [extent]
    if (*extent == header.blob_extents_used.load(std::memory_order_relaxed))
        header.blob_extents_used.store(*extent + 1, std::memory_order_release);  // [extent] pairs with is_blob_number
    std::vector<std::uint32_t>& free = free_[size_class];
    for_each_blob_of(*extent, size_class, [&](std::uint32_t number) { free.push_back(number); });
    std::reverse(free.begin(), free.end());  // the lowest is used first
    return {};
}

Result<std::uint32_t> BlobHeap::allocate(std::size_t size_class) {
    if (free_[size_class].empty())
        if (auto added = add_extent(size_class); !added) return fail(added.error());
    const std::uint32_t number = free_[size_class].back();
    free_[size_class].pop_back();
    if (used_[number / units_per_extent]++ == 0) --empty_;
    return number;
}

void BlobHeap::free_later(std::uint32_t number) {
    if (shm::is_blob_number(segment_.roster(), number)) later_.push_back(number);
}

void BlobHeap::free_now(std::uint32_t number) {
    free_[class_of(number)].push_back(number);
    if (--used_[number / units_per_extent] == 0) ++empty_;
}

void BlobHeap::release_freed() {
    for (const std::uint32_t number : later_) free_now(number);
    later_.clear();
}

void BlobHeap::rebuild(const std::vector<std::uint32_t>& used) {
    const std::unordered_set<std::uint32_t> taken(used.begin(), used.end());
    used_.assign(segment_.roster().header().blob_extents_used.load(std::memory_order_relaxed), 0);
    for (std::uint32_t extent = 0; extent < used_.size(); ++extent) {
        const std::size_t size_class = class_of(extent * units_per_extent);
        if (size_class >= shm::blob_class_count) {
            used_[extent] = 1;  // damaged: lost until a new segment
            continue;
        }
        for_each_blob_of(extent, size_class, [&](std::uint32_t number) {
            if (taken.contains(number)) ++used_[extent];
            else free_[size_class].push_back(number);
        });
        empty_ += used_[extent] == 0;
    }
}

}  // namespace rollcall::engine
