#include "engine/blob_heap.hpp"

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
Result<void> BlobHeap::add_extent(std::size_t size_class) {
    shm::Roster& roster = segment_.writable();
    const std::uint32_t extent = roster.header().blob_extents_used.load(std::memory_order_relaxed);
    if (extent >= roster.geometry().blob_extents) return fail(ErrorKind::full, "the heap of endpoints and tags is full");
    if (auto backed = segment_.back_roster(roster.geometry().blobs + std::uint64_t{extent} * shm::blob_extent_bytes, shm::blob_extent_bytes); !backed)
        return backed;
    roster.extent_class(extent).store(static_cast<std::uint32_t>(size_class), std::memory_order_release);  // [extent]
    roster.header().blob_extents_used.store(extent + 1, std::memory_order_release);                        // [extent] pairs with is_blob_number
    std::vector<std::uint32_t>& free = free_[size_class];
    const std::size_t before = free.size();
    for_each_blob_of(extent, size_class, [&](std::uint32_t number) { free.push_back(number); });
    std::reverse(free.begin() + static_cast<std::ptrdiff_t>(before), free.end());  // the lowest is used first
    return {};
}

Result<std::uint32_t> BlobHeap::allocate(std::size_t size_class) {
    if (free_[size_class].empty())
        if (auto added = add_extent(size_class); !added) return fail(added.error());
    const std::uint32_t number = free_[size_class].back();
    free_[size_class].pop_back();
    return number;
}

void BlobHeap::free_later(std::uint32_t number) {
    if (shm::is_blob_number(segment_.roster(), number)) later_.push_back(number);
}

void BlobHeap::release_freed() {
    for (const std::uint32_t number : later_) free_[class_of(number)].push_back(number);
    later_.clear();
}

void BlobHeap::give_back(std::uint32_t number) { free_[class_of(number)].push_back(number); }

void BlobHeap::rebuild(const std::vector<std::uint32_t>& used) {
    const std::unordered_set<std::uint32_t> taken(used.begin(), used.end());
    const std::uint32_t extents = segment_.roster().header().blob_extents_used.load(std::memory_order_relaxed);
    for (std::uint32_t extent = 0; extent < extents; ++extent) {
        const std::size_t size_class = class_of(extent * units_per_extent);
        if (size_class >= shm::blob_class_count) continue;  // the class was not stored before a death: the extent is lost until a new segment
        for_each_blob_of(extent, size_class, [&](std::uint32_t number) {
            if (!taken.contains(number)) free_[size_class].push_back(number);
        });
    }
}

}  // namespace rollcall::engine
