// `rollcall serve`: the membership for browsers, Prometheus and whoever speaks HTTP. An observer like any other: it looks, and disturbs nobody.
#include <csignal>
#include <thread>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/live_reading.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/serve/access.hpp"
#include "tools/rollcall/serve/event_feed.hpp"
#include "tools/rollcall/serve/http_server.hpp"
#include "tools/rollcall/serve/pages.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::optional<std::string> http, token_file;
};

constexpr std::string_view default_place = "127.0.0.1:7947";

void declare(OptionSet& set, Options& options) {
    set.text("--http", "ADDR:PORT", "where to listen (default 127.0.0.1:7947; port 0: any that is free)", options.http);
    set.text("--token-file", "FILE", "only whoever knows the token in this file may look; needed for anything but loopback", options.token_file);
}

struct Place {
    std::string address;
    std::uint16_t port = 0;
};

// "127.0.0.1:7947", "[::1]:7947"
std::optional<Place> parse_place(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() || text.size() - colon > 6) return std::nullopt;
    std::string_view address = text.substr(0, colon);
    if (address.starts_with('[') != address.ends_with(']')) return std::nullopt;
    if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
    std::uint32_t port = 0;
    for (const char c : text.substr(colon + 1)) {
        if (c < '0' || c > '9') return std::nullopt;
        port = port * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (port > 65535) return std::nullopt;
    return Place{address == "localhost" ? "127.0.0.1" : std::string(address), static_cast<std::uint16_t>(port)};
}

int serve(const Common& common, const Place& place, const std::string& token) {
    const Signals signals{SIGINT, SIGTERM, SIGHUP};
    std::signal(SIGPIPE, SIG_IGN);
    auto live = LiveReading::attach(common), for_feed = LiveReading::attach(common);
    if (!live) return report(live.error());
    if (!for_feed) return report(for_feed.error());
    http::Server* streams = nullptr;  // set before the feed begins
    Pages* pages = nullptr;
    auto server = http::Server::listen(place.address, place.port, [&pages](const http::Request& request) { return pages->answer(request); });
    if (!server) return report(server.error());
    streams = server->get();
    const EventFeed feed(std::move(*for_feed), [streams] { streams->wake(); });
    Pages made(common, Access(token), std::move(*live), feed);
    pages = &made;
    log(LogLevel::info, "http://" + (place.address.find(':') != std::string::npos ? "[" + place.address + "]" : place.address) + ":" + std::to_string((*server)->port()) + "/" + (token.empty() ? "" : "?token=…"));
    std::thread looks([&] { (*server)->run(); });
    while (!signals.wait(std::chrono::hours(1))) {}
    (*server)->stop();
    looks.join();
    return exit_done;
}

int run(const Common& common, const Options& options) {
    const std::string where = options.http.value_or(std::string(default_place));
    const auto place = parse_place(where);
    if (!place) return usage_error("serve", "option --http: '" + where + "' is no ADDR:PORT, for example " + std::string(default_place) + " or [::1]:7947");
    std::string token;
    if (options.token_file) {
        auto read = read_token(*options.token_file);
        if (!read) return report(read.error());
        token = std::move(*read);
    }
    if (token.empty() && !is_loopback(place->address)) return usage_error("serve", "option --http: '" + where + "' can be reached from other machines: give --token-file FILE, or listen at " + std::string(default_place));
    return serve(common, *place, token);
}

}  // namespace

const Command& serve_command() {
    static const Command command = make_command("serve", "show the membership to browsers, Prometheus and other programs over HTTP",
                                                {{"rollcall serve", "then open http://127.0.0.1:7947/"},
                                                 {"rollcall serve --http 0.0.0.0:7947 --token-file /etc/rollcall/token", "for other machines, whoever knows the token"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
