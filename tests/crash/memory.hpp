// The two files of a cluster as bytes: looked at while somebody else changes them, kept, and put back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shm/descriptor.hpp"
#include "shm/paths.hpp"
#include "shm/roster.hpp"

namespace rollcall::test {

// A stretch of one of the two files.
struct Span {
    bool in_pulse = false;
    std::uint64_t offset = 0, bytes = 0;
};
using Spans = std::vector<Span>;

// What an operation of a small cluster can change: all that is in use of header, ring, index, records from `first` on, their words and
// the cards, and both ends of each extent of blobs, because the heap hands out the first blobs of a new extent and the last of an old one.
// ClusterFiles::differs_outside tells at the end of a sweep whether that was enough.
Spans what_changes(const shm::Geometry& geometry, std::uint32_t first = 0, std::uint32_t extents = 3);

// Both files of the cluster "test" in a folder, mapped for reading and writing. Throws if they are not there.
class ClusterFiles {
public:
    explicit ClusterFiles(const std::string& dir);
    ~ClusterFiles();
    ClusterFiles(const ClusterFiles&) = delete;
    ClusterFiles& operator=(const ClusterFiles&) = delete;

    shm::Roster& roster() noexcept { return roster_; }
    const shm::Roster& roster() const noexcept { return roster_; }
    std::byte* at(const Span& span) const noexcept { return (span.in_pulse ? pulse_ : roster_bytes_) + span.offset; }

    // Where, if both files are not the same, byte for byte, as those of `other`; which has the same sizes.
    std::string difference(const ClusterFiles& other) const;

private:
    std::byte* roster_bytes_ = nullptr;
    std::byte* pulse_ = nullptr;
    shm::Roster roster_;
};

// Copies the cluster "test" of one folder to another, in which there is none. No lock and no socket comes along.
void copy_cluster(const std::string& from, const std::string& to);

// The bytes that some spans held at one moment.
class Image {
public:
    Image(const ClusterFiles& files, const Spans& spans);
    bool is_still_in(const ClusterFiles& files, const Spans& spans) const noexcept;
    void put_into(ClusterFiles& files, const Spans& spans) const noexcept;
    std::size_t hash() const noexcept;

private:
    std::vector<std::byte> bytes_;
};

}  // namespace rollcall::test
