#include "shm/paths.hpp"

#include <cstdlib>
#include <filesystem>

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

namespace {

std::string own_folder() {
    if (::geteuid() == 0) return root_folder;
    if (auto runtime = environment("XDG_RUNTIME_DIR"); !runtime.empty()) return runtime + "/rollcall";
    return std::string(root_folder) + "-" + std::to_string(::geteuid());
}

std::string without_detours(const std::string& path) {
    std::string text = std::filesystem::path(path).lexically_normal().string();
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

}  // namespace

std::string engine_folder(const std::string& dir) {
    if (!dir.empty()) return dir;
    auto named = environment("ROLLCALL_DIR");
    return named.empty() ? own_folder() : named;
}

bool is_service_folder(const std::string& dir) { return without_detours(dir) == service_folder; }

bool is_well_known(const std::string& dir) {
    const std::string path = without_detours(dir);
    return path == root_folder || path == service_folder || path == without_detours(own_folder());
}

std::vector<std::string> client_folders(const std::string& dir) {
    std::vector<std::string> all{engine_folder(dir)};
    if (!dir.empty() || !environment("ROLLCALL_DIR").empty()) return all;
    // The service's first: below /dev/shm anybody may have made a folder of that name.
    for (const char* folder : {service_folder, root_folder})
        if (all.front() != folder) all.emplace_back(folder);
    return all;
}

}  // namespace rollcall::shm
