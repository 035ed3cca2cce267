#include "tools/rollcall/demo/temporary_folder.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace rollcall::cli::demo {

namespace {

std::vector<std::string> candidates(const std::string& parent) {
    if (!parent.empty()) return {parent};
    std::vector<std::string> found{"/dev/shm"};
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0') found.emplace_back(runtime);
    found.push_back("/run/user/" + std::to_string(getuid()));
    found.emplace_back("/run");
    found.emplace_back("/tmp");
    return found;
}

// Anything else writes its pages back to a disk, which stalls heartbeats; an engine would refuse it.
// Returns what is wrong with it, or nothing.
std::string unsuitable(const std::string& path) {
    struct statfs system {};
    if (statfs(path.c_str(), &system) != 0) return std::strerror(errno);
    return system.f_type == TMPFS_MAGIC ? "" : "not on a tmpfs";
}

}  // namespace

Result<TemporaryFolder> TemporaryFolder::make(const std::string& parent) {
    std::string tried;
    for (const std::string& candidate : candidates(parent)) {
        std::string path = candidate + "/rollcall-demo.XXXXXX";
        const std::string why_not = unsuitable(candidate);
        if (why_not.empty() && mkdtemp(path.data()) != nullptr) return TemporaryFolder(path);
        tried += (tried.empty() ? "" : ", ") + candidate + " (" + (why_not.empty() ? std::strerror(errno) : why_not) + ")";
    }
    return fail(ErrorKind::system, "cannot make a folder in memory in " + tried + "; name another parent with --dir");
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;  // what cannot be removed any more cannot be helped either
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace rollcall::cli::demo
