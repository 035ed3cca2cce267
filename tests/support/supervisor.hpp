// A service manager's side of $NOTIFY_SOCKET.
#pragma once

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "shm/descriptor.hpp"
#include "tests/support/process.hpp"

namespace rollcall::test {

class Supervisor {
public:
    explicit Supervisor(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, path.data(), std::min(path.size(), sizeof name.sun_path - 1));
        if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) throw std::runtime_error("cannot bind " + path);
    }
    // "(nothing)" when time is over.
    std::string next(Duration within = patience) const {
        pollfd p{fd_.get(), POLLIN, 0};
        if (::poll(&p, 1, static_cast<int>(to_ms(within))) <= 0) return "(nothing)";
        char text[1024];
        const ssize_t size = ::recv(fd_.get(), text, sizeof text, 0);
        return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
    }
    // The next one that begins so; what comes before it is passed over.
    std::string until(const std::string& beginning) const {
        for (;;)
            if (std::string said = next(); said.starts_with(beginning) || said == "(nothing)") return said;
    }

private:
    shm::Descriptor fd_;
};

}  // namespace rollcall::test
