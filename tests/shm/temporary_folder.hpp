// A folder of the test's own on tmpfs, which goes away with the test; and the same user without its rights, to be refused.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace rollcall::test {

class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::string& below = "/dev/shm") : path_(below + "/rollcall-test-XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
        ::chmod(path_.c_str(), 0755);
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::string& path() const noexcept { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

// Root ignores file modes. While one of these lives, the process is nobody if it was root, else itself: take the mode away as well.
class WithoutRights {
public:
    WithoutRights() : before_(::geteuid()) {
        if (before_ == 0 && ::seteuid(65534) != 0) throw std::runtime_error("cannot become nobody");
    }
    ~WithoutRights() {
        if (before_ == 0 && ::seteuid(0) != 0) std::abort();
    }
    WithoutRights(const WithoutRights&) = delete;
    WithoutRights& operator=(const WithoutRights&) = delete;

private:
    uid_t before_;
};

}  // namespace rollcall::test
