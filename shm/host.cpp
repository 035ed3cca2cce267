#include "shm/host.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rollcall::shm {

namespace {

std::uint64_t inode_of(const char* path) noexcept {
    struct stat s{};
    return ::stat(path, &s) == 0 ? s.st_ino : 0;
}

std::array<std::uint64_t, 2> read_boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string text, hex;
    std::getline(file, text);
    for (const char c : text)
        if (c != '-') hex += c;
    if (hex.size() != 32) return {};
    return {std::strtoull(hex.substr(0, 16).c_str(), nullptr, 16), std::strtoull(hex.substr(16).c_str(), nullptr, 16)};
}

}  // namespace

HostIdentity HostIdentity::current() {
    return {read_boot_id(), inode_of("/proc/self/ns/time"), inode_of("/proc/self/ns/pid")};
}

std::optional<std::uint64_t> start_ticks_of(std::uint32_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    std::size_t at = line.rfind(')');  // the command's name may contain anything, also ends of lines
    if (at == std::string::npos) return std::nullopt;
    for (int field = 2; field < 22 && at != std::string::npos; ++field) at = line.find(' ', at + 1);
    if (at == std::string::npos) return std::nullopt;
    return std::strtoull(line.c_str() + at, nullptr, 10);
}

std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    if (::getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) std::abort();  // without entropy there is no identity
    return bits;
}

}  // namespace rollcall::shm
