// The engine's allocator of blobs: free numbers by size class. Its books are private and rebuilt at adoption from what the records
// refer to; in shared memory lies only the size class of each extent.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "shm/blob.hpp"
#include "shm/segment.hpp"

namespace rollcall::engine {

class BlobHeap {
public:
    explicit BlobHeap(shm::Segment& segment) : segment_(segment) {}

    // A number that nobody can reach. Fails with full.
    Result<std::uint32_t> allocate(std::size_t size_class);
    // Returns at the next `release_freed`: readers of what is published until then may still hold it.
    void free_later(std::uint32_t number);
    // After a publication.
    void release_freed();

    // At adoption: `used[number]` of every record. Everything else in the extents that count is free.
    void rebuild(const std::vector<std::uint32_t>& used);

private:
    std::size_t class_of(std::uint32_t number) const noexcept;
    void free_now(std::uint32_t number);
    Result<void> add_extent(std::size_t size_class);
    Result<std::uint32_t> fresh_extent();
    std::uint32_t take_empty_extent();

    shm::Segment& segment_;
    std::array<std::vector<std::uint32_t>, shm::blob_class_count> free_;
    std::vector<std::uint32_t> later_;
    std::vector<std::uint16_t> used_;  // an extent: blobs that are not free; 0 and it may get another class
    std::uint32_t empty_ = 0;          // extents that count and are wholly free
};

}  // namespace rollcall::engine
