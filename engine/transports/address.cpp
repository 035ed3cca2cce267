#include "engine/transports/address.hpp"

#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

namespace rollcall {

namespace {

const sockaddr_in& v4(const Address& a) noexcept { return reinterpret_cast<const sockaddr_in&>(a.storage); }
const sockaddr_in6& v6(const Address& a) noexcept { return reinterpret_cast<const sockaddr_in6&>(a.storage); }

}  // namespace

bool Address::is_loopback() const noexcept {
    if (family() == AF_INET) return ntohl(v4(*this).sin_addr.s_addr) >> 24 == 127;
    return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6(*this).sin6_addr);
}

bool Address::is_multicast() const noexcept {
    if (family() == AF_INET) return IN_MULTICAST(ntohl(v4(*this).sin_addr.s_addr));
    return family() == AF_INET6 && IN6_IS_ADDR_MULTICAST(&v6(*this).sin6_addr);
}

std::string Address::text() const {
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    ::getnameinfo(get(), size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    return family() == AF_INET6 ? "[" + std::string(host) + "]:" + port : std::string(host) + ":" + port;
}

bool operator==(const Address& a, const Address& b) noexcept {
    if (a.family() != b.family()) return false;
    if (a.family() == AF_INET) return v4(a).sin_port == v4(b).sin_port && v4(a).sin_addr.s_addr == v4(b).sin_addr.s_addr;
    return v6(a).sin6_port == v6(b).sin6_port && v6(a).sin6_scope_id == v6(b).sin6_scope_id && std::memcmp(&v6(a).sin6_addr, &v6(b).sin6_addr, sizeof(in6_addr)) == 0;
}

Result<HostPort> parse_host_port(std::string_view text) {
    const auto refused = [&] { return fail(ErrorKind::invalid, "'" + std::string(text) + "' is no HOST:PORT (IPv6 addresses in brackets, ports 0 to 65535)"); };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return refused();
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    if (host.front() == '[' && host.back() == ']' && host.size() > 2) host = host.substr(1, host.size() - 2);
    else if (host.find_first_of(":[]") != std::string_view::npos) return refused();
    HostPort where;
    where.host = host;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), where.port);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return refused();
    return where;
}

namespace {

// Most are: a tenth of what the resolver's function costs.
std::optional<Address> read_number(const HostPort& where, int family) {
    Address address;
    auto& four = reinterpret_cast<sockaddr_in&>(address.storage);
    if (family == AF_INET6 || ::inet_pton(AF_INET, where.host.c_str(), &four.sin_addr) != 1) return std::nullopt;
    four.sin_family = AF_INET;
    four.sin_port = htons(where.port);
    address.size = sizeof four;
    return address;
}

}  // namespace

std::vector<Address> resolve(const HostPort& where, int family, bool only_numeric) {
    if (only_numeric)
        if (auto number = read_number(where, family)) return {*number};
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | (only_numeric ? AI_NUMERICHOST : 0);
    addrinfo* found = nullptr;
    std::vector<Address> addresses;
    if (::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found) != 0) return addresses;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        Address& address = addresses.emplace_back();
        std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
        address.size = at->ai_addrlen;
    }
    ::freeaddrinfo(found);
    return addresses;
}

}  // namespace rollcall
