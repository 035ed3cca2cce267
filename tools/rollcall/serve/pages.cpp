#include "tools/rollcall/serve/pages.hpp"

#include <utility>

#include "tools/rollcall/disputes.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/explanation.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/serve/event_stream.hpp"
#include "tools/rollcall/serve/metrics.hpp"
#include "tools/rollcall/serve/page_files.hpp"

namespace rollcall::cli {

namespace {

using http::Answer;
using http::Response;

constexpr const char* json_type = "application/json; charset=utf-8";
constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

Response failed(const Error& error) { return {503, json_type, "{\"error\":" + json::quoted(error.message) + "}\n", {}}; }

// The page needs nothing from elsewhere, and nobody else's may hold it.
Response page_file(std::string_view type, std::string_view content) {
    return {200, std::string(type), std::string(content), {{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                                                           {"Referrer-Policy", "no-referrer"}}};
}

}  // namespace

Answer Pages::answer(const http::Request& request) {
    if (request.path == "/healthz") return health();
    if (auto refused = access_.refuse(request)) return std::move(*refused);
    if (request.path == "/") return page_file("text/html; charset=utf-8", page_html);
    if (request.path == "/page.css") return page_file("text/css; charset=utf-8", page_css);
    if (request.path == "/page.js") return page_file("text/javascript; charset=utf-8", page_js);
    if (request.path == "/events") return events(request);
    const bool is_known = request.path == "/members" || request.path == "/hosts" || request.path == "/ages" || request.path == "/why" || request.path == "/metrics";
    if (!is_known) return Response{404, "text/plain; charset=utf-8", "there are /, /members, /hosts, /why?node=NODE, /events, /metrics and /healthz\n", {}};
    if (auto gone = refuse_without_memory()) {
        if (request.path == "/metrics") return Response{200, metrics_type, metrics_of_nothing(live_.cluster()), {}};
        return std::move(*gone);
    }
    if (request.path == "/members") return members();
    if (request.path == "/hosts") return hosts();
    if (request.path == "/ages") return ages();
    if (request.path == "/why") return why(request);
    return metrics();
}

// Goes on with the memory that there is now.
std::optional<Response> Pages::refuse_without_memory() {
    live_.take_all([](const Event&) {});
    if (!live_.is_gone()) return std::nullopt;
    return failed({ErrorKind::no_cluster, "cluster '" + live_.cluster() + "' is gone" + (live_.why_gone().empty() ? "" : ": " + live_.why_gone())});
}

Answer Pages::members() {
    const auto roster = read_roster(live_.reading());
    if (!roster) return failed(roster.error());
    std::string body;
    json::write_members([&](std::string_view piece) { body += piece; }, roster->info, roster->peers, roster->now, json::Detail::all);
    return Response{200, json_type, std::move(body), {}};
}

Answer Pages::hosts() {
    const auto found = live_.reading().observer.hosts();
    if (!found) return failed(found.error());
    const ClusterInfo info = live_.reading().observer.info();
    auto from_the_beginning = attach(common_, from_the_first);
    const std::vector<Event> disputes = from_the_beginning ? read_disputes(from_the_beginning->observer, Disputed::hosts) : std::vector<Event>{};
    return Response{200, json_type, json::hosts(info, *found, disputes, live_.reading().now(info)) + "\n", {}};
}

// What changes without an event, in few bytes: how old each member's last beat is.
Answer Pages::ages() {
    const auto roster = read_roster(live_.reading());
    if (!roster) return failed(roster.error());
    return Response{200, json_type, json::ages(roster->info, roster->peers, roster->now) + "\n", {}};
}

// What `rollcall why` says, in both its forms.
Answer Pages::why(const http::Request& request) {
    const std::string node(request.parameter("node"));
    const Result<Peer> peer = live_.reading().observer.find(node);
    if (!peer && peer.error().kind != ErrorKind::unknown_node) return failed(peer.error());
    const ClusterInfo info = live_.reading().observer.info();
    auto from_the_beginning = attach(common_, from_the_first);
    if (!from_the_beginning) return failed(from_the_beginning.error());
    const std::vector<Event> history = history_of(from_the_beginning->observer, node);
    if (!peer && history.empty()) return Response{404, json_type, "{\"error\":" + json::quoted(peer.error().message) + "}\n", {}};
    const Instant now = live_.reading().now(info);
    return Response{200, json_type, json::why(info, node, peer ? &*peer : nullptr, history, now, peer ? explain(*peer, info.settings, now) : "It is no member any more; events still tell of it.") + "\n", {}};
}

// Behind `Last-Event-ID`, as a browser says it when it comes back, or `?from=SEQ[@STREAM]`; `?stream=` says of which stream an id is. Else from now on.
Answer Pages::events(const http::Request& request) const {
    Position position;
    const std::string_view last = request.header("last-event-id"), from = last.empty() ? request.parameter("from") : last;
    if (!from.empty()) {
        const auto stream = std::string(request.parameter("stream"));
        const auto parsed = parse_position(from.find('@') == std::string_view::npos && !stream.empty() ? std::string(from) + "@" + stream : std::string(from));
        if (!parsed) return Response{400, "text/plain; charset=utf-8", "'" + std::string(from) + "' is no SEQ or SEQ@STREAM\n", {}};
        position = *parsed;
    }
    auto live = LiveReading::attach(common_, position);
    if (!live) return failed(live.error());
    return std::make_unique<EventStream>(std::move(*live));
}

Answer Pages::metrics() {
    auto roster = read_roster(live_.reading());
    if (!roster) return failed(roster.error());
    auto hosts = live_.reading().observer.hosts();
    if (!hosts) return failed(hosts.error());
    const Measured measured{std::move(roster->info), std::move(roster->peers), std::move(*hosts), feed_.times(), roster->now};
    return Response{200, metrics_type, cli::metrics(measured), {}};
}

// For whoever restarts what does not work: does the detector look?
Answer Pages::health() {
    if (auto gone = refuse_without_memory()) return Response{503, "text/plain; charset=utf-8", "the cluster is gone\n", {}};
    const ClusterInfo info = live_.reading().observer.info();
    const Duration age = live_.reading().now(info) - info.last_step;
    if (!info.running) return Response{503, "text/plain; charset=utf-8", "no engine runs\n", {}};
    if (age > info.settings.suspect) return Response{503, "text/plain; charset=utf-8", "the engine has not looked for " + rounded(age) + "\n", {}};
    return Response{200, "text/plain; charset=utf-8", "ok\n", {}};
}

}  // namespace rollcall::cli
