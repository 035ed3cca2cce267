#include "tests/engine/memory_image.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "shm/paths.hpp"

namespace rollcall::test {

namespace {

constexpr std::size_t extents_kept = 4;

// Relaxed throughout: these bytes belong to this thread alone.
template <class Atomic>
void take(Atomic& to, const Atomic& from) {
    to.store(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace

MemoryImage::Bytes MemoryImage::allocate(std::size_t bytes) {
    const std::size_t whole_pages = (bytes + shm::page - 1) / shm::page * shm::page;
    Bytes memory(static_cast<std::byte*>(std::aligned_alloc(shm::page, whole_pages)));
    if (!memory) throw std::bad_alloc();
    return memory;
}

void MemoryImage::read(const std::string& path, std::byte* to, std::size_t bytes) {
    std::ifstream file(path, std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(bytes))) throw std::runtime_error("cannot read " + path);
}

MemoryImage::MemoryImage(const std::string& dir, std::uint32_t capacity, std::uint32_t ring) {
    const auto geometry = shm::Geometry::of(capacity, ring);
    const auto paths = shm::Paths::of(dir, "test");
    roster_bytes_ = geometry.blobs + extents_kept * shm::blob_extent_bytes;
    pulse_bytes_ = geometry.cards;
    roster_file_ = allocate(roster_bytes_);
    pulse_file_ = allocate(pulse_bytes_);
    roster_ = shm::Roster(roster_file_.get(), pulse_file_.get(), geometry);
    read(paths.roster(), roster_file_.get(), roster_bytes_);
    if (roster_.header().blob_extents_used.load(std::memory_order_relaxed) > extents_kept) throw std::runtime_error("the image keeps too few extents");
    read(paths.pulse(roster_.preamble().instance.load(std::memory_order_relaxed)), pulse_file_.get(), pulse_bytes_);
}

MemoryImage::MemoryImage(const MemoryImage& other)
    : roster_bytes_(other.roster_bytes_), pulse_bytes_(other.pulse_bytes_), roster_file_(allocate(roster_bytes_)), pulse_file_(allocate(pulse_bytes_)),
      roster_(roster_file_.get(), pulse_file_.get(), other.roster_.geometry()) {
    std::memcpy(roster_file_.get(), other.roster_file_.get(), roster_bytes_);
    std::memcpy(pulse_file_.get(), other.pulse_file_.get(), pulse_bytes_);
}

void MemoryImage::write(const std::string& dir) const {
    const auto paths = shm::Paths::of(dir, "test");
    std::filesystem::remove_all(paths.folder);
    std::filesystem::create_directory(paths.folder);
    const auto write_file = [](const std::string& path, const std::byte* from, std::size_t bytes, std::size_t whole) {
        std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(from), static_cast<std::streamsize>(bytes));
        std::filesystem::resize_file(path, whole);
    };
    write_file(paths.roster(), roster_file_.get(), roster_bytes_, roster_.geometry().roster_bytes);
    write_file(paths.pulse(roster_.preamble().instance.load(std::memory_order_relaxed)), pulse_file_.get(), pulse_bytes_, roster_.geometry().pulse_bytes);
}

void MemoryImage::take_cursors(const MemoryImage& other) {
    shm::RosterHeader& to = roster_.header();
    const shm::RosterHeader& from = other.roster_.header();
    take(to.selector, from.selector);
    take(to.step_ns, from.step_ns);
    std::memcpy(static_cast<void*>(to.checkpoints), static_cast<const void*>(from.checkpoints), sizeof to.checkpoints);
}

void MemoryImage::take_prepared(const MemoryImage& other) { take(roster_.header().prepared, other.roster_.header().prepared); }

void MemoryImage::take_records(const MemoryImage& other) {
    const auto& g = roster_.geometry();
    std::memcpy(roster_file_.get() + g.records, other.roster_file_.get() + g.records, std::size_t{g.capacity} * sizeof(shm::Record));
    for (std::uint32_t i = 0; i < g.bucket_count; ++i) take_bucket(i, other);
}

void MemoryImage::take_words(const MemoryImage& other) {
    for (std::uint32_t i = 0; i < roster_.capacity(); ++i) take_word(Slot{i}, other);
}

void MemoryImage::take_name(Slot slot, const MemoryImage& other) {
    take(roster_.record(slot).hash, other.roster_.record(slot).hash);
    for (std::size_t i = 0; i < shm::name_words; ++i) take(roster_.record(slot).name[i], other.roster_.record(slot).name[i]);
}

void MemoryImage::take_copy(Slot slot, std::uint64_t version, const MemoryImage& other) {
    for (std::size_t i = 0; i < shm::hot_words; ++i) take(roster_.record(slot).copies[version & 1][i], other.roster_.record(slot).copies[version & 1][i]);
}

void MemoryImage::set_version(Slot slot, std::uint64_t version) { roster_.record(slot).version.store(version, std::memory_order_relaxed); }
void MemoryImage::take_next(Slot slot, const MemoryImage& other) { take(roster_.record(slot).next, other.roster_.record(slot).next); }
void MemoryImage::take_bucket(std::uint32_t bucket, const MemoryImage& other) { take(roster_.bucket(bucket), other.roster_.bucket(bucket)); }
void MemoryImage::take_word(Slot slot, const MemoryImage& other) { take(roster_.word(slot), other.roster_.word(slot)); }

}  // namespace rollcall::test
