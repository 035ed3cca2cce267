#include "tools/rollcall/doctor/memory_limit.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace rollcall::cli::doctor {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

// How a version names its files, and the file cache in `memory.stat`.
struct Names {
    const char *limit, *used, *inactive, *active;
};
constexpr Names version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "total_active_file"}, version_2{"memory.max", "memory.current", "inactive_file", "active_file"};

std::uint64_t number_in(const fs::path& file) {
    std::uint64_t number = 0;
    return std::ifstream(file) >> number ? number : none;  // "max" is none
}

std::uint64_t cache_of(const fs::path& group, const Names& names) {
    std::ifstream file(group / "memory.stat");
    std::uint64_t sum = 0, number = 0;
    for (std::string name; file >> name >> number;)
        if (name == names.inactive || name == names.active) sum += number;
    return sum;
}

std::uint64_t left_in(const fs::path& group, const Names& names) {
    constexpr std::uint64_t unlimited_in_version_1 = std::uint64_t{1} << 62;  // a little less than 2^63
    const std::uint64_t limit = number_in(group / names.limit), used = number_in(group / names.used);
    if (limit >= unlimited_in_version_1 || used == none) return none;
    const std::uint64_t kept = used - std::min(used, cache_of(group, names));
    return limit - std::min(limit, kept);
}

// Of this group and those above it. One that is not there is seen from a namespace of its own: then only the mount's root can be looked at.
std::uint64_t left_below(const fs::path& root, const std::string& path, const Names& names) {
    std::uint64_t least = left_in(root, names);
    fs::path group = root;
    for (const fs::path& part : fs::path(path).relative_path()) {
        if (part == "..") break;
        group /= part;
        least = std::min(least, left_in(group, names));
    }
    return least;
}

bool has_memory(const std::string& controllers) { return ("," + controllers + ",").find(",memory,") != std::string::npos; }

}  // namespace

std::uint64_t memory_left(const std::string& cgroups, const std::string& mount) {
    std::istringstream lines(cgroups);
    std::uint64_t least = none;
    for (std::string line; std::getline(lines, line);) {  // "4:memory:/a/b", "0::/a/b"
        const std::size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
        if (has_memory(controllers)) least = std::min(least, left_below(mount + "/memory", path, version_1));
        if (controllers.empty()) least = std::min(least, left_below(mount, path, version_2));
    }
    return least;
}

}  // namespace rollcall::cli::doctor
