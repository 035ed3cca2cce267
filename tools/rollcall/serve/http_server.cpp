// The only file that includes Boost.Beast and Boost.Asio.
#include "tools/rollcall/serve/http_server.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <optional>
#include <string>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>

namespace rollcall::cli::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

int digit_of(char c) noexcept { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

// %41 is A, and where it is a form + is a blank. What is no escape stays.
std::string decoded(std::string_view text, bool is_form) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_escape = text[i] == '%' && i + 2 < text.size() && digit_of(text[i + 1]) >= 0 && digit_of(text[i + 2]) >= 0;
        if (is_escape) {
            plain += static_cast<char>(digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]));
            i += 2;
        } else {
            plain += is_form && text[i] == '+' ? ' ' : text[i];
        }
    }
    return plain;
}

Request request_of(const beast::http::request<beast::http::string_body>& from) {
    Request request;
    const std::string_view target(from.target().data(), from.target().size());
    const std::size_t question = target.find('?');
    request.path = decoded(target.substr(0, question), false);
    for (std::string_view rest = question == std::string_view::npos ? "" : target.substr(question + 1); !rest.empty();) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (!pair.empty()) request.query.emplace_back(decoded(pair.substr(0, equals), true), decoded(pair.substr(std::min(equals + 1, pair.size())), true));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    }
    for (const auto& field : from) {
        std::string name(field.name_string());
        std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        request.headers.emplace_back(std::move(name), std::string(field.value()));
    }
    return request;
}

std::string_view found(const std::vector<std::pair<std::string, std::string>>& in, std::string_view name) noexcept {
    const auto at = std::find_if(in.begin(), in.end(), [&](const auto& pair) { return pair.first == name; });
    return at == in.end() ? std::string_view() : std::string_view(at->second);
}

constexpr std::string_view stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";

class Connection;

// What connections share. One thread.
struct Shared {
    Handler handler;
    Limits limits;
    std::size_t connections = 0;
    std::list<std::weak_ptr<Connection>> streams;
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), pulse_(stream_.get_executor()), shared_(shared) { ++shared_.connections; }
    ~Connection() { --shared_.connections; }

    void read() {
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(shared_.limits.header_bytes));
        parser_->body_limit(shared_.limits.body_bytes);
        stream_.expires_after(has_answered_ ? shared_.limits.idle : shared_.limits.patience);
        beast::http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_request(error); });
    }
    // Has its events something to say?
    void wake() {
        if (events_ && !is_writing_) write_events(false);
    }
    void close() {
        ErrorCode ignored;
        pulse_.cancel();
        stream_.socket().close(ignored);
    }

private:
    void on_request(ErrorCode error) {
        has_answered_ = true;
        if (error == beast::http::error::header_limit) return refuse(431, "the header is too long");
        if (error == beast::http::error::body_limit) return refuse(413, "nothing is to be sent here");
        const bool is_of_http = error.category() == make_error_code(beast::http::error::bad_method).category();
        if (error && (!is_of_http || error == beast::http::error::end_of_stream)) return close();
        if (error) return refuse(400, "this is no HTTP");
        const auto& request = parser_->get();
        is_head_ = request.method() == beast::http::verb::head;
        if (request.method() != beast::http::verb::get && !is_head_) return answer({405, "text/plain; charset=utf-8", "only GET and HEAD\n", {{"Allow", "GET, HEAD"}}}, false);
        Answer found = shared_.handler(request_of(request));
        if (auto* response = std::get_if<Response>(&found)) return answer(std::move(*response), request.keep_alive());
        if (is_head_) return answer({200, "text/event-stream", "", {}}, false);
        if (shared_.streams.size() >= shared_.limits.streams) return refuse(503, "too many readers of events");
        begin_events(std::move(std::get<std::unique_ptr<Stream>>(found)));
    }

    void refuse(unsigned status, const std::string& why) { answer({status, "text/plain; charset=utf-8", why + "\n", {}}, false); }

    void answer(Response response, bool keep_alive) {
        auto message = std::make_shared<beast::http::response<beast::http::string_body>>(beast::http::int_to_status(response.status), 11);
        message->set(beast::http::field::content_type, response.type);
        message->set("X-Content-Type-Options", "nosniff");
        message->set("Cache-Control", "no-store");
        for (const auto& [name, value] : response.headers) message->set(name, value);
        message->keep_alive(keep_alive);
        message->body() = std::move(response.body);
        message->prepare_payload();
        if (is_head_) message->body().clear();  // the length that it would have stays
        stream_.expires_after(shared_.limits.patience);
        const auto done = [self = shared_from_this(), message, keep_alive](ErrorCode error, std::size_t) {
            if (error || !keep_alive) return self->finish();
            self->read();
        };
        const auto serializer = std::make_shared<beast::http::response_serializer<beast::http::string_body>>(*message);
        serializer->limit(64 << 10);
        if (!is_head_) return write_some(serializer, done);
        beast::http::async_write_header(stream_, *serializer, [done, serializer](ErrorCode error, std::size_t n) { done(error, n); });
    }

    // Each piece has its own time to be taken: what is long may take long.
    template <class Serializer, class Done>
    void write_some(const std::shared_ptr<Serializer>& serializer, const Done& done) {
        stream_.expires_after(shared_.limits.patience);
        beast::http::async_write_some(stream_, *serializer, [self = this->shared_from_this(), serializer, done](ErrorCode error, std::size_t n) {
            if (error || serializer->is_done()) return done(error, n);
            self->write_some(serializer, done);
        });
    }

    // What was said last should arrive: first our end is closed, then, when the other one is or time is over, all of it.
    void finish() {
        ErrorCode ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        stream_.expires_after(std::chrono::seconds(1));
        discard();
    }
    void discard() {
        stream_.async_read_some(asio::buffer(junk_), [self = shared_from_this()](ErrorCode error, std::size_t) {
            if (!error) self->discard();
        });
    }

    void begin_events(std::unique_ptr<Stream> events) {
        events_ = std::move(events);
        shared_.streams.push_back(weak_from_this());
        listen_for_end();
        pending_ = stream_head;
        write_events(false);
    }
    // A reader of events says nothing more; that it is gone comes as the end of what it says. What it does say is passed over.
    void listen_for_end() {
        stream_.socket().async_read_some(asio::buffer(junk_), [self = shared_from_this()](ErrorCode error, std::size_t) {
            if (error) return self->end_events();
            self->listen_for_end();
        });
    }
    void end_events() {
        events_.reset();
        shared_.streams.remove_if([this](const auto& other) { return other.expired() || other.lock().get() == this; });
        close();
    }
    void write_events(bool is_pulse) {
        if (!events_) return;
        pending_ += events_->next();
        if (pending_.empty() && is_pulse) pending_ = ":\n\n";
        if (pending_.empty()) return wait_for_pulse();
        is_writing_ = true;
        pulse_.cancel();
        stream_.expires_after(shared_.limits.patience);
        const auto piece = std::make_shared<std::string>(std::exchange(pending_, {}));
        asio::async_write(stream_, asio::buffer(*piece), [self = shared_from_this(), piece](ErrorCode error, std::size_t) {
            self->is_writing_ = false;
            self->stream_.expires_never();
            if (error) return self->end_events();
            self->write_events(false);
        });
    }
    void wait_for_pulse() {
        if (std::exchange(is_pulse_set_, true)) return;
        pulse_.expires_after(shared_.limits.pulse);
        pulse_.async_wait([weak = weak_from_this()](ErrorCode error) {
            const auto self = weak.lock();
            if (!self) return;
            self->is_pulse_set_ = false;
            if (!error && !self->is_writing_) self->write_events(true);
            else if (error && self->events_ && !self->is_writing_) self->wait_for_pulse();
        });
    }

    beast::tcp_stream stream_;
    asio::steady_timer pulse_;
    Shared& shared_;
    beast::flat_buffer buffer_{16 << 10};
    std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
    std::unique_ptr<Stream> events_;
    std::string pending_;
    std::array<char, 512> junk_{};
    bool has_answered_ = false, is_head_ = false, is_writing_ = false, is_pulse_set_ = false;
};

}  // namespace

std::string_view Request::header(std::string_view name) const noexcept { return found(headers, name); }
std::string_view Request::parameter(std::string_view name) const noexcept { return found(query, name); }

struct Server::Impl {
    Shared shared;  // outlives the connections, which end with the context
    asio::io_context context{1};
    tcp::acceptor acceptor{context};
    asio::steady_timer again{context};

    void accept() {
        acceptor.async_accept([this](ErrorCode error, tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (error) {  // no descriptors, for example: some may come back
                again.expires_after(std::chrono::milliseconds(100));
                again.async_wait([this](ErrorCode ended) {
                    if (!ended) accept();
                });
                return;
            }
            // Whoever is gone without a word is found out: a stream's few bytes would fit the kernel's buffers for a quarter of an hour.
            const unsigned int gone_after_ms = 30'000;
            ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_after_ms, sizeof gone_after_ms);
            if (shared.connections < shared.limits.connections) std::make_shared<Connection>(std::move(socket), shared)->read();
            accept();  // one too many is closed at once
        });
    }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::listen(const std::string& address, std::uint16_t port, Handler handler, Limits limits) {
    auto impl = std::make_unique<Impl>();
    impl->shared = {std::move(handler), limits, 0, {}};
    ErrorCode error;
    const auto where = asio::ip::make_address(address, error);
    if (error) return fail(ErrorKind::invalid, "'" + address + "' is no address: a number like 127.0.0.1 or ::1");
    const tcp::endpoint endpoint(where, port);
    impl->acceptor.open(endpoint.protocol(), error);
    if (!error) impl->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) impl->acceptor.bind(endpoint, error);
    if (!error) impl->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(ErrorKind::system, "cannot listen at " + address + " port " + std::to_string(port) + ": " + error.message());
    impl->accept();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const noexcept {
    ErrorCode ignored;
    return impl_->acceptor.local_endpoint(ignored).port();
}

void Server::run() { impl_->context.run(); }

void Server::stop() noexcept { impl_->context.stop(); }

void Server::wake() noexcept {
    asio::post(impl_->context, [this] {
        const auto streams = impl_->shared.streams;  // a stream that ends leaves the list
        for (const auto& weak : streams)
            if (const auto connection = weak.lock()) connection->wake();
    });
}

}  // namespace rollcall::cli::http
