// HTTP for a few readers: answers to GET, and streams of server-sent events. Knows nothing of membership; Boost.Beast, a heavy header, is in http_server.cpp alone.
//
// Everything is bounded: bytes of a request, connections, streams, how long a reader may take. A reader that is slow keeps nobody waiting: its stream is asked for
// more when what it was given has been taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "shm/error.hpp"
#include "shm/units.hpp"

namespace rollcall::cli::http {

struct Request {
    std::string path;                                          // decoded, without the query
    std::vector<std::pair<std::string, std::string>> query;    // decoded, in order
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

    // Empty: there is none.
    std::string_view header(std::string_view name) const noexcept;
    std::string_view parameter(std::string_view name) const noexcept;
};

struct Response {
    unsigned status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers{};
};

// What a reader of events is sent, piece by piece. Called by the server's thread alone.
class Stream {
public:
    virtual ~Stream() = default;
    // What has come since; empty: nothing yet, ask again after wake().
    virtual std::string next() = 0;
};

using Answer = std::variant<Response, std::unique_ptr<Stream>>;
using Handler = std::function<Answer(const Request&)>;

struct Limits {
    std::size_t header_bytes = 8 << 10, body_bytes = 0;
    std::size_t connections = 256, streams = 64;
    Duration patience = std::chrono::seconds(10);  // for a request, and for each piece to be taken
    Duration idle = std::chrono::seconds(60);      // of a connection that asks nothing
    Duration pulse = std::chrono::seconds(15);     // a stream with nothing to say says so: whoever is gone is found out
};

class Server {
public:
    // Fails with system (the address is taken, or is not this machine's) or invalid. Listens when it returns.
    static Result<std::unique_ptr<Server>> listen(const std::string& address, std::uint16_t port, Handler handler, Limits limits = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const noexcept;
    // On the calling thread, until stop().
    void run();
    // Any thread.
    void stop() noexcept;
    // Any thread: streams may have something to say.
    void wake() noexcept;

private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace rollcall::cli::http
