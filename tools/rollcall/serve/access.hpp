// Who may look. On loopback anybody of this machine, but no page of somebody else's that a browser was led to; elsewhere whoever has the token.
#pragma once

#include <optional>
#include <string>

#include "shm/error.hpp"
#include "tools/rollcall/serve/http_server.hpp"

namespace rollcall::cli {

class Access {
public:
    // Empty: there is no token, and only requests to this machine's own names are answered.
    explicit Access(std::string token = {}) : token_(std::move(token)) {}

    // Nothing: it may. `Authorization: Bearer TOKEN`, as programs say it, a cookie, as browsers do, or once `?token=TOKEN`, which is answered with that cookie.
    std::optional<http::Response> refuse(const http::Request& request) const;

private:
    bool is_token(std::string_view offered) const noexcept;

    std::string token_;
};

// The first line of a file that only its owner may read. Fails with refused (others can read it), invalid (it is empty or no token), system.
Result<std::string> read_token(const std::string& path);

// Is this what only this machine reaches?
bool is_loopback(std::string_view address) noexcept;

}  // namespace rollcall::cli
