#include "tests/crash/memory.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>

namespace rollcall::test {

Spans what_changes(const shm::Geometry& g, std::uint32_t first, std::uint32_t extents) {
    const std::uint64_t slots = g.capacity - first;
    Spans spans{{false, 0, sizeof(shm::Preamble) + sizeof(shm::RosterHeader)},
                {false, g.ring, std::uint64_t{g.ring_entries} * sizeof(shm::Entry)},
                {false, g.buckets, std::uint64_t{g.bucket_count} * 4},
                {false, g.extent_classes, std::uint64_t{g.blob_extents} * 4},
                {false, g.records + first * sizeof(shm::Record), slots * sizeof(shm::Record)},
                {true, 0, sizeof(shm::Preamble)},
                {true, g.words + first * sizeof(shm::Word), slots * sizeof(shm::Word)},
                {true, g.cards + first * sizeof(shm::Card), slots * sizeof(shm::Card)}};
    for (std::uint32_t i = 0; i < extents; ++i) {
        constexpr std::uint64_t end = shm::page;
        const std::uint64_t begin = g.blobs + i * shm::blob_extent_bytes;
        spans.push_back({false, begin, end});
        spans.push_back({false, begin + shm::blob_extent_bytes - end, end});
    }
    return spans;
}

namespace {

std::byte* map_file(const std::string& path, std::uint64_t bytes) {
    const shm::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    void* at = file ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0) : MAP_FAILED;
    if (at == MAP_FAILED) throw std::runtime_error("cannot map " + path);
    return static_cast<std::byte*>(at);
}

struct Header {
    shm::Geometry geometry;
    std::uint64_t instance;
};

Header header_in(const std::string& path) {
    std::vector<std::byte> bytes(shm::roster_header_bytes + shm::cache_line);
    std::ifstream file(path, std::ios::binary);
    void* at = bytes.data();
    std::size_t room = bytes.size();
    at = std::align(shm::cache_line, shm::roster_header_bytes, at, room);
    if (!file.read(static_cast<char*>(at), shm::roster_header_bytes)) throw std::runtime_error("cannot read " + path);
    const shm::Roster roster(static_cast<std::byte*>(at), nullptr, {});
    const shm::RosterHeader& h = roster.header();
    return {shm::Geometry::of(h.capacity.load(), h.ring_entries.load()), roster.preamble().instance.load()};
}

}  // namespace

ClusterFiles::ClusterFiles(const std::string& dir) {
    const auto paths = shm::Paths::of(dir, "test");
    const auto [geometry, instance] = header_in(paths.roster());
    roster_bytes_ = map_file(paths.roster(), geometry.roster_bytes);
    pulse_ = map_file(paths.pulse(instance), geometry.pulse_bytes);
    roster_ = shm::Roster(roster_bytes_, pulse_, geometry);
}

ClusterFiles::~ClusterFiles() {
    ::munmap(roster_bytes_, roster_.geometry().roster_bytes);
    ::munmap(pulse_, roster_.geometry().pulse_bytes);
}

std::string ClusterFiles::difference(const ClusterFiles& other) const {
    const auto compare = [](const char* what, const std::byte* a, const std::byte* b, std::uint64_t bytes) -> std::string {
        for (std::uint64_t at = 0; at < bytes; at += shm::cache_line)
            if (std::memcmp(a + at, b + at, shm::cache_line) != 0) return std::string(what) + " from byte " + std::to_string(at) + " on; ";
        return "";
    };
    const shm::Geometry& g = roster_.geometry();
    return compare("the roster", roster_bytes_, other.roster_bytes_, g.roster_bytes) + compare("the pulse", pulse_, other.pulse_, g.pulse_bytes);
}

void copy_cluster(const std::string& from, const std::string& to) {
    const auto source = shm::Paths::of(from, "test"), target = shm::Paths::of(to, "test");
    const std::uint64_t instance = header_in(source.roster()).instance;
    std::filesystem::create_directory(target.folder);
    std::filesystem::copy_file(source.roster(), target.roster());
    std::filesystem::copy_file(source.pulse(instance), target.pulse(instance));
}

Image::Image(const ClusterFiles& files, const Spans& spans) {
    for (const Span& span : spans) bytes_.insert(bytes_.end(), files.at(span), files.at(span) + span.bytes);
}

bool Image::is_still_in(const ClusterFiles& files, const Spans& spans) const noexcept {
    const std::byte* mine = bytes_.data();
    for (const Span& span : spans) {
        if (std::memcmp(mine, files.at(span), span.bytes) != 0) return false;
        mine += span.bytes;
    }
    return true;
}

void Image::put_into(ClusterFiles& files, const Spans& spans) const noexcept {
    const std::byte* mine = bytes_.data();
    for (const Span& span : spans) {
        std::memcpy(files.at(span), mine, span.bytes);
        mine += span.bytes;
    }
}

std::size_t Image::hash() const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
}

}  // namespace rollcall::test
