#include "tools/rollcall/serve/access.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/descriptor.hpp"

namespace rollcall::cli {

namespace {

// Of this server alone: cookies do not tell ports apart, and two clusters of a machine have a server each.
std::string cookie_name(const std::string& token) {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (const char c : token) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
    return "rollcall_" + std::to_string(hash % 1'000'000) + "=";
}
constexpr std::size_t shortest_token = 16, longest_token = 512;

// Of "a=1; NAME=…; b=2".
std::string_view cookie_of(std::string_view header, std::string_view name) noexcept {
    while (!header.empty()) {
        std::string_view one = header.substr(0, header.find(';'));
        header.remove_prefix(std::min(one.size() + 1, header.size()));
        while (one.starts_with(' ')) one.remove_prefix(1);
        if (one.starts_with(name)) return one.substr(name.size());
    }
    return {};
}

// "127.0.0.1:7947", "[::1]:7947", "localhost": without the port.
std::string_view name_in(std::string_view host) noexcept {
    if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
    return host.substr(0, host.find(':'));
}

bool is_token_character(char c) noexcept { return c > ' ' && c < 127 && c != ';' && c != ',' && c != '"' && c != '\\'; }

}  // namespace

// Numbers only: a name that begins like one may be anybody's.
bool is_loopback(std::string_view address) noexcept {
    if (address == "localhost") return true;
    const std::string text(address);
    in_addr four{};
    in6_addr six{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

// Takes as long for a wrong one as for the right one.
bool Access::is_token(std::string_view offered) const noexcept {
    unsigned difference = offered.size() == token_.size() ? 0 : 1;
    for (std::size_t i = 0; i < token_.size(); ++i) difference |= static_cast<unsigned char>(token_[i] ^ (i < offered.size() ? offered[i] : '\0'));
    return difference == 0;
}

std::optional<http::Response> Access::refuse(const http::Request& request) const {
    if (token_.empty()) {
        if (is_loopback(name_in(request.header("host")))) return std::nullopt;
        return http::Response{403, "text/plain; charset=utf-8", "this server answers to 127.0.0.1, ::1 and localhost only\n", {}};
    }
    constexpr std::string_view bearer = "Bearer ";
    const std::string_view authorization = request.header("authorization");
    if (authorization.starts_with(bearer) && is_token(authorization.substr(bearer.size()))) return std::nullopt;
    if (is_token(cookie_of(request.header("cookie"), cookie_name(token_)))) return std::nullopt;
    if (const std::string_view offered = request.parameter("token"); is_token(offered))
        return http::Response{303, "text/plain; charset=utf-8", "", {{"Location", "/"}, {"Set-Cookie", cookie_name(token_) + token_ + "; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000"}}};
    return http::Response{401, "text/plain; charset=utf-8", "a token is needed: 'Authorization: Bearer TOKEN', or open /?token=TOKEN once\n", {{"WWW-Authenticate", "Bearer"}}};
}

Result<std::string> read_token(const std::string& path) {
    const auto refuse = [&](const std::string& why) { return fail(ErrorKind::system, "cannot read the token '" + path + "': " + why); };
    const shm::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return refuse(std::strerror(errno));
    struct stat kind{};
    if (::fstat(file.get(), &kind) != 0 || !S_ISREG(kind.st_mode)) return refuse("it is not a regular file");
    if ((kind.st_mode & 077) != 0) return fail(ErrorKind::refused, "the token '" + path + "' can be read by others than its owner: chmod 600 " + path);
    std::string text(longest_token + 2, '\0');
    const ssize_t n = ::read(file.get(), text.data(), text.size());
    if (n < 0) return refuse(std::strerror(errno));
    text.resize(static_cast<std::size_t>(n));
    text.resize(std::min(text.find('\n'), text.size()));
    if (text.size() < shortest_token || text.size() > longest_token || !std::all_of(text.begin(), text.end(), is_token_character))
        return fail(ErrorKind::invalid, "the token in '" + path + "' is not 16 to 512 printable characters without blanks: openssl rand -hex 32 > " + path);
    return text;
}

}  // namespace rollcall::cli
