// A cluster's folder while its files are made, filled, renamed and removed: looked at from outside, kept, and written elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shm/descriptor.hpp"
#include "tests/crash/memory.hpp"

namespace rollcall::test {

// The files of a folder at one moment.
struct FolderImage {
    struct File {
        std::uint64_t size = 0;
        std::vector<std::byte> bytes;  // as much of its beginning as anybody writes to
        friend bool operator==(const File&, const File&) = default;
    };
    std::map<std::string, File> files;
    bool is_old_over = false;  // who still holds the old memory can know that it is over: marked, and every word free

    friend bool operator==(const FolderImage&, const FolderImage&) = default;
    // Replaces whatever lies in `folder`.
    void write(const std::string& folder) const;
};

// Reads a change of the folder itself from inotify, and the contents of its files from mappings of its own. The lock is left out.
class FolderWatch {
public:
    // `old`: the memory that is replaced, if there is one.
    FolderWatch(std::string folder, const ClusterFiles* old);
    // Did anything change since `last`? Then it is brought up to date.
    bool update(FolderImage& last);
    FolderImage image() const;

private:
    struct Mapped {
        std::byte* bytes = nullptr;
        std::uint64_t size = 0;
        Mapped(const std::string& path, std::uint64_t bytes_in_file);
        ~Mapped();
        Mapped(const Mapped&) = delete;
        Mapped& operator=(const Mapped&) = delete;
        std::uint64_t looked_at() const noexcept;
    };
    bool has_folder_changed();
    void list();
    bool is_old_over() const;

    std::string folder_;
    const ClusterFiles* old_;
    shm::Descriptor inotify_;
    std::map<std::string, std::unique_ptr<Mapped>> files_;
};

}  // namespace rollcall::test
