#include "tools/rollcall/stillness.hpp"

#include <array>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace rollcall::cli {

namespace {

shm::Descriptor open_to_read(const std::string& path) { return shm::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)); }

// The present content of a file that the kernel makes up: reading from the start again makes it anew.
std::string read_anew(const shm::Descriptor& file) {
    std::array<char, 8192> buffer;
    const ssize_t size = file ? ::pread(file.get(), buffer.data(), buffer.size(), 0) : 0;
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

// "0::/user.slice/x" is the line of cgroup v2; version 1 may have others before it.
std::string path_in(const std::string& membership) {
    const std::string text = "\n" + membership;
    const std::size_t line = text.find("\n0::/");
    if (line == std::string::npos) return {};
    const std::size_t start = line + 4;
    return text.substr(start, text.find('\n', start) - start);
}

}  // namespace

Stillness::Stillness(pid_t pid)
    : stat_(open_to_read("/proc/" + std::to_string(pid) + "/stat")), membership_(open_to_read("/proc/" + std::to_string(pid) + "/cgroup")) {}

Stillness::Look Stillness::look() const {
    // "PID (name) STATE …", and the name may hold anything, also ") T".
    const std::string text = read_anew(stat_);
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= text.size()) return Look::unknown;
    switch (text[name_end + 2]) {
        case 'T':
        case 't': return Look::stopped;
        case 'Z':
        case 'X': return Look::unknown;
        default: return Look::moving;
    }
}

void Stillness::follow_cgroup() {
    std::string now_in = path_in(read_anew(membership_));
    if (now_in == cgroup_) return;
    cgroup_ = std::move(now_in);
    events_.reset();
    for (const char* mounted : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {  // the second one beside version 1
        if (!cgroup_.empty()) events_ = open_to_read(mounted + cgroup_ + "/cgroup.events");
        if (events_) return;
    }
}

bool Stillness::is_frozen() {
    follow_cgroup();
    const std::string events = "\n" + read_anew(events_);
    return events.find("\nfrozen 1\n") != std::string::npos;
}

}  // namespace rollcall::cli
