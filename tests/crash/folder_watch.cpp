#include "tests/crash/folder_watch.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shm/word.hpp"

namespace rollcall::test {

namespace {
// Header, ring, index and records of the smallest cluster lie in less.
constexpr std::uint64_t most_looked_at = 40'960;
}  // namespace

void FolderImage::write(const std::string& folder) const {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    for (const auto& [name, file] : files) {
        const std::string path = folder + "/" + name;
        const auto* bytes = reinterpret_cast<const char*>(file.bytes.data());
        std::ofstream(path, std::ios::binary).write(bytes, static_cast<std::streamsize>(file.bytes.size()));
        std::filesystem::resize_file(path, file.size);
    }
}

FolderWatch::Mapped::Mapped(const std::string& path, std::uint64_t bytes_in_file) : size(bytes_in_file) {
    if (size == 0) return;
    const shm::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    void* at = ::mmap(nullptr, looked_at(), PROT_READ, MAP_SHARED, file.get(), 0);
    if (at == MAP_FAILED) throw std::runtime_error("cannot map " + path);
    bytes = static_cast<std::byte*>(at);
}

FolderWatch::Mapped::~Mapped() {
    if (bytes != nullptr) ::munmap(bytes, looked_at());
}

std::uint64_t FolderWatch::Mapped::looked_at() const noexcept { return std::min(size, most_looked_at); }

FolderWatch::FolderWatch(std::string folder, const ClusterFiles* old)
    : folder_(std::move(folder)), old_(old), inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    constexpr std::uint32_t changes = IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_ATTRIB;
    if (::inotify_add_watch(inotify_.get(), folder_.c_str(), changes) < 0) throw std::runtime_error("cannot watch " + folder_);
    list();
}

// A truncation is told as a modification; stores through a mapping are not told.
bool FolderWatch::has_folder_changed() {
    alignas(inotify_event) char events[4096];
    bool changed = false;
    while (::read(inotify_.get(), events, sizeof events) > 0) changed = true;
    return changed;
}

void FolderWatch::list() {
    files_.clear();
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::string name = entry.path().filename().string();
        if (name != "lock") files_.emplace(name, std::make_unique<Mapped>(entry.path().string(), entry.file_size()));
    }
}

bool FolderWatch::is_old_over() const {
    if (old_ == nullptr) return true;
    const shm::Roster& roster = old_->roster();
    bool over = roster.preamble().lifecycle.load() == static_cast<std::uint32_t>(shm::Lifecycle::superseded);
    for (std::uint32_t i = 0; i < roster.capacity(); ++i) over = over && roster.word(Slot{i}).load() == shm::free_word;
    return over;
}

FolderImage FolderWatch::image() const {
    FolderImage image;
    for (const auto& [name, mapped] : files_) image.files[name] = {mapped->size, {mapped->bytes, mapped->bytes + mapped->looked_at()}};
    image.is_old_over = is_old_over();
    return image;
}

bool FolderWatch::update(FolderImage& last) {
    bool changed = has_folder_changed();
    if (changed) list();
    for (const auto& [name, mapped] : files_)
        if (!changed && mapped->size != 0) changed = std::memcmp(mapped->bytes, last.files.at(name).bytes.data(), mapped->looked_at()) != 0;
    if (!changed) return false;
    FolderImage now = image();
    if (now == last) return false;
    last = std::move(now);
    return true;
}

}  // namespace rollcall::test
