// The two files of a small cluster as a real engine left them, with peers in every state, and the folder into which they are put
// before each run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shm/layout.hpp"
#include "shm/paths.hpp"
#include "shm/units.hpp"

namespace rollcall::fuzz {

inline constexpr std::uint32_t capacity = 40, ring_entries = 64;
inline constexpr shm::Geometry geometry = shm::Geometry::of(capacity, ring_entries);
inline constexpr std::uint32_t blob_extents_kept = 6;
inline constexpr std::uint64_t roster_kept = geometry.blobs + blob_extents_kept * shm::blob_extent_bytes;  // beyond it the file is a hole
inline constexpr const char* cluster_name = "fuzz";
inline constexpr std::int64_t wall_us = 1'700'000'000'000'000;

struct Image {
    struct Range {
        bool in_pulse;
        std::size_t at, bytes;
    };
    std::vector<std::byte> roster, pulse;
    std::uint64_t roster_bytes = geometry.roster_bytes, pulse_bytes = geometry.pulse_bytes;
    std::uint64_t instance = 0;
    Instant at{};                // of the engine's last step
    std::vector<Range> touched;  // what wounds changed
};

// A folder on tmpfs of this process, removed at its end.
class Folder {
public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::string& dir() const noexcept { return dir_; }
    shm::Paths paths() const { return shm::Paths::of(dir_, cluster_name); }
    Image read() const;
    // Removes what is there and writes both files.
    void write(const Image& image) const;

private:
    std::string dir_;
};

// What an engine leaves behind: settled; with a commit prepared and nothing of it applied; half applied; applied and not published.
inline constexpr std::size_t image_count = 4;
std::vector<Image> make_images(const Folder& folder);

}  // namespace rollcall::fuzz
