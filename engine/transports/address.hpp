// Internet addresses as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "shm/error.hpp"

namespace rollcall {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;

    int family() const noexcept { return storage.ss_family; }
    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    bool is_loopback() const noexcept;
    bool is_multicast() const noexcept;
    std::string_view bytes() const noexcept { return {reinterpret_cast<const char*>(&storage), size}; }
    // "127.0.0.1:4711", "[::1]:4711"
    std::string text() const;
    friend bool operator==(const Address& a, const Address& b) noexcept;
};

struct HostPort {
    std::string host;
    std::uint16_t port = 0;
};

// HOST:PORT or [ADDRESS]:PORT. Fails with invalid.
Result<HostPort> parse_host_port(std::string_view text);
// Asks the resolver, which may take seconds, unless `only_numeric`. Empty: none of this family.
std::vector<Address> resolve(const HostPort& where, int family, bool only_numeric);

}  // namespace rollcall
