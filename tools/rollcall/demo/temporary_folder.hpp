// A folder of its own in memory, gone when the object is.
#pragma once

#include <string>

#include "shm/error.hpp"

namespace rollcall::cli::demo {

class TemporaryFolder {
public:
    // In `parent`, or, if that is empty, in the first folder on a tmpfs that can be written to.
    static Result<TemporaryFolder> make(const std::string& parent);
    TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder();

    const std::string& path() const { return path_; }

private:
    explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace rollcall::cli::demo
