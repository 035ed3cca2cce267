#include "shm/host.hpp"

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/descriptor.hpp"

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

// Read by hand: a stream's buffer throws where a process ends between open and read.
std::string stat_of(std::uint32_t pid) {
    const Descriptor file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> buffer;
    const ssize_t size = file ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
    const std::string_view line(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    const std::size_t name_end = line.rfind(')');
    return name_end == std::string_view::npos ? "" : std::string(line.substr(name_end + 1));
}

std::optional<std::uint64_t> start_ticks_of(std::uint32_t pid) {
    const std::string fields = stat_of(pid);
    std::size_t at = 0;  // in front of field 3
    for (int field = 3; field < 22 && at != std::string::npos; ++field) at = fields.find(' ', at + 1);
    if (fields.empty() || at == std::string::npos) return std::nullopt;
    return std::strtoull(fields.c_str() + at, nullptr, 10);
}

std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    if (::getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) std::abort();  // without entropy there is no identity
    return bits;
}

}  // namespace rollcall::shm
