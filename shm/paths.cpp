#include "shm/paths.hpp"

#include <cstdlib>

#include <unistd.h>

namespace rollcall::shm {

namespace {

constexpr const char* root_folder = "/dev/shm/rollcall";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

std::string Paths::hex(std::uint64_t number) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; number >>= 4) text[i] = digits[number & 15];
    return text;
}

std::string engine_folder(const std::string& dir) {
    if (!dir.empty()) return dir;
    if (auto named = environment("ROLLCALL_DIR"); !named.empty()) return named;
    if (::geteuid() == 0) return root_folder;
    if (auto runtime = environment("XDG_RUNTIME_DIR"); !runtime.empty()) return runtime + "/rollcall";
    return std::string(root_folder) + "-" + std::to_string(::geteuid());
}

std::vector<std::string> client_folders(const std::string& dir) {
    std::vector<std::string> all{engine_folder(dir)};
    if (dir.empty() && environment("ROLLCALL_DIR").empty() && all.front() != root_folder) all.emplace_back(root_folder);
    return all;
}

}  // namespace rollcall::shm
