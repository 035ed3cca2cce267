// The only file that includes nlohmann/json.hpp, a heavy header.
#include "tools/rollcall/json.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/rollcall/clock_text.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli::json {

namespace {

using Json = nlohmann::ordered_json;  // fields stay in the order they are written in

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Whole milliseconds stay whole numbers: 3000, but 3001.25.
Json ms(Duration d) {
    if (d.count() % 1'000'000 == 0) return d.count() / 1'000'000;
    return static_cast<double>(d.count()) / 1e6;
}

Json known_ms(bool known, Duration d) { return known ? ms(d) : Json(nullptr); }

template <class T>
Json nonzero(T value) {
    return value != T{} ? Json(value) : Json(nullptr);
}

Json named(State state) { return state == State::none ? Json(nullptr) : Json(to_string(state)); }
Json named(Reason reason) { return reason == Reason::none ? Json(nullptr) : Json(to_string(reason)); }

Json exit_code_of(const Evidence& e) { return e.status && !e.status->signalled ? Json(e.status->value) : Json(nullptr); }
Json signal_of(const Evidence& e) { return e.status && e.status->signalled ? Json(e.status->value) : Json(nullptr); }

// Zero thresholds mean that none were looked at (a setting is never zero). A judgement has an age or thresholds; then a zero is a figure.
void add_evidence(Json& to, const Evidence& e) {
    const bool judged = e.age != Duration{} || e.suspect_timeout != Duration{};
    to["age_ms"] = known_ms(judged, e.age);
    to["lost_ms"] = known_ms(judged, e.lost);
    to["late_ms"] = known_ms(judged, e.late);
    to["suspect_ms"] = known_ms(e.suspect_timeout != Duration{}, as_set(e.suspect_timeout));
    to["dead_ms"] = known_ms(e.dead_timeout != Duration{}, as_set(e.dead_timeout));
    to["exit_code"] = exit_code_of(e);
    to["signal"] = signal_of(e);
}

Json event_object(const Event& e, std::string_view cluster) {
    const bool of_peer = !is_of_nobody(e.kind);
    const bool stored = e.kind != EventKind::gap;  // a gap is made by its reader and has no place, time or engine of its own
    Json o;
    o["seq"] = e.sequence.value;
    o["stream"] = stream_text(e.stream);
    o["epoch"] = stored ? Json(e.epoch) : nonzero(e.epoch);
    o["view"] = stored ? Json(e.view) : nonzero(e.view);
    o["event"] = to_string(e.kind);
    o["node"] = of_peer ? Json(e.node()) : Json(nullptr);
    o["cluster"] = cluster;
    o["host"] = e.host().empty() ? Json(nullptr) : Json(e.host());
    o["incarnation"] = of_peer ? nonzero(e.incarnation.value) : Json(nullptr);
    o["state"] = of_peer ? named(e.state) : Json(nullptr);
    o["reason"] = of_peer ? named(e.reason) : Json(nullptr);
    add_evidence(o, of_peer ? e.evidence : Evidence{});
    o["time"] = e.wall_us > 0 ? Json(utc_time(e.wall_us)) : Json(nullptr);
    o["mono_us"] = nonzero(to_ns(e.at) / 1'000);
    if (e.kind == EventKind::paused) o["length_ms"] = ms(e.length);
    if (e.kind == EventKind::gap) {
        o["from"] = e.from.value;
        o["to"] = e.to.value;
    }
    return o;
}

Json event_objects(const std::vector<Event>& events, std::string_view cluster) {
    Json all = Json::array();
    for (const Event& event : events) all.push_back(event_object(event, cluster));
    return all;
}

Json settings_object(const Settings& settings) {
    Json o = Json::object();
    for (const SettingName& s : setting_names) o[std::string(s.name) + "_ms"] = ms(settings.*s.value);
    return o;
}

Json counters_object(const Counters& c) {
    return {{"heartbeats_sent", c.heartbeats_sent}, {"heartbeats_received", c.heartbeats_received}, {"peers_joined", c.peers_joined},
            {"peers_suspected", c.peers_suspected}, {"peers_dead", c.peers_dead},                   {"peers_evicted", c.peers_evicted},
            {"peers_recovered", c.peers_recovered}, {"peers_left", c.peers_left},                   {"pauses", c.pauses},
            {"words_repaired", c.words_repaired},   {"unwatched", c.unwatched}};
}

Json head_object(const ClusterInfo& info) {
    Json engine;
    engine["pid"] = nonzero(info.engine_pid);
    engine["running"] = info.running;
    engine["epoch"] = info.epoch;
    engine["node"] = info.node;
    engine["version"] = info.engine_version;
    Json o;
    o["cluster"] = info.cluster;
    o["stream"] = stream_text(info.stream);
    o["engine"] = std::move(engine);
    o["view"] = info.view;
    o["head_sequence"] = info.head.value;
    o["settings"] = settings_object(info.settings);
    o["capacity"] = info.capacity;
    o["counters"] = counters_object(info.counters);
    return o;
}

// The memory names the host of a peer only where it is not the engine's own.
Json host_of(const Peer& p, const ClusterInfo& info) { return nonzero(p.host.empty() && p.local ? info.host : p.host); }

Json stall_object(const std::optional<Stall>& stall, Instant now) {
    if (!stall) return nullptr;
    return {{"guard", stall->guard}, {"budget_ms", ms(stall->budget)}, {"since_ms", ms(now - stall->since)}};
}

Json peer_object(const Peer& p, const ClusterInfo& info, Instant now) {
    Json o;
    o["node"] = p.node;
    o["cluster"] = info.cluster;
    o["endpoint"] = p.endpoint;
    o["host"] = host_of(p, info);
    o["state"] = named(p.state);
    o["reason"] = named(p.reason);
    o["since_ms"] = ms(now - p.since);
    o["incarnation"] = p.incarnation.value;
    o["slot"] = p.slot.value;
    o["generation"] = p.generation.value;
    o["pid"] = nonzero(p.pid);
    o["local"] = p.local;
    o["tags"] = Json::object();
    for (const auto& [key, value] : p.tags) o["tags"][key] = value;
    o["last_heartbeat_age_ms"] = p.last_heartbeat ? ms(now - *p.last_heartbeat) : Json(nullptr);
    o["stall"] = stall_object(p.stall, now);
    return o;
}

Json evidence_object(const Evidence& evidence) {
    Json o;
    add_evidence(o, evidence);
    return o;
}

void add_details(Json& to, const Peer& p) {
    to["uid"] = p.pid != 0 ? Json(p.uid) : Json(nullptr);  // a peer without a process has no owner
    to["gid"] = p.pid != 0 ? Json(p.gid) : Json(nullptr);
    to["last_event"] = p.last_event.value;
    to["evidence"] = evidence_object(p.evidence);
}

void add_memory(Json& to, const ClusterInfo& info, Instant now) {
    to["instance"] = stream_text(info.instance);
    to["host"] = info.host;
    to["ring"] = info.ring;
    to["high_water"] = info.high_water;
    to["last_step_age_ms"] = ms(now - info.last_step);
}

}  // namespace

std::string stream_text(std::uint64_t stream) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(stream));
    return digits.data();
}

std::string event_line(const Event& event, std::string_view cluster) { return text_of(event_object(event, cluster)); }
std::vector<std::pair<std::string, std::string>> event_fields(const Event& event, std::string_view cluster) {
    std::vector<std::pair<std::string, std::string>> fields;
    const Json object = event_object(event, cluster);
    for (const auto& [name, value] : object.items())
        if (!value.is_null()) fields.emplace_back(name, value.is_string() ? value.get<std::string>() : text_of(value));
    return fields;
}

std::string events(const std::vector<Event>& events, std::string_view cluster) { return text_of(event_objects(events, cluster)); }

void write_members(const Out& out, const ClusterInfo& info, const std::vector<Peer>& peers, Instant now, Detail detail, const std::function<void(const Out&)>& last) {
    Json head = head_object(info);
    if (detail == Detail::all) add_memory(head, info, now);
    std::string open = text_of(head);
    open.back() = ',';  // the closing brace makes room for the peers
    out(open + "\"peers\":[");
    std::string_view separator = "\n";
    for (const Peer& peer : peers) {
        Json object = peer_object(peer, info, now);
        if (detail == Detail::all) add_details(object, peer);
        out(separator);
        out(text_of(object));
        separator = ",\n";
    }
    out(peers.empty() ? "]" : "\n]");
    if (last) last(out);
    out("}\n");
}

namespace {

// Only buckets that counted something: {"below_ns": 1024, "count": 17}.
Json histogram_object(const Histogram& h) {
    Json buckets = Json::array();
    for (std::size_t b = 0; b < h.buckets.size(); ++b)
        if (h.buckets[b] != 0) buckets.push_back({{"below_ns", std::uint64_t{1} << b}, {"count", h.buckets[b]}});
    return {{"count", h.total()}, {"buckets", std::move(buckets)}};
}

// {"transports":[{"transport":"udp","published":17,…}],"of_hosts":{"heard":16,…}}
Json traffic_object(const Traffic& traffic) {
    Json transports = Json::array(), of_hosts = Json::object();
    for (const auto& [name, counts] : traffic.transports) {
        Json o{{"transport", name}};
        for (const auto& [what, value] : transport_counts) o[std::string(what)] = counts.*value;
        transports.push_back(std::move(o));
    }
    for (const auto& [what, value] : host_counts) of_hosts[std::string(what)] = traffic.hosts.*value;
    return {{"transports", std::move(transports)}, {"of_hosts", std::move(of_hosts)}};
}

}  // namespace

std::string statistics(const ClusterInfo& info, std::size_t hosts) {
    Json o = head_object(info);
    o["hosts"] = hosts;
    o["traffic"] = traffic_object(info.traffic);
    o["step_time"] = histogram_object(info.step_time);
    o["lateness"] = histogram_object(info.lateness);
    return text_of(o);
}

std::string clusters(const std::vector<ListedCluster>& found) {
    Json all = Json::array();
    for (const ListedCluster& c : found) {
        Json o;
        if (c.info) o = head_object(*c.info);
        else o["cluster"] = c.where.cluster;
        o["dir"] = c.where.dir;
        o["peer_count"] = c.info ? Json(c.peers) : Json(nullptr);
        o["error"] = c.error.empty() ? Json(nullptr) : Json(c.error);
        all.push_back(std::move(o));
    }
    return text_of(Json{{"clusters", std::move(all)}});
}

namespace {

Json host_object(const Host& h, const ClusterInfo& info, Instant now) {
    Json o;
    o["host"] = h.name;
    o["cluster"] = info.cluster;
    o["state"] = named(h.state);
    o["reason"] = named(h.reason);
    o["since_ms"] = ms(now - h.since);
    o["incarnation"] = h.incarnation.value;
    o["slot"] = h.slot.value;
    o["transport"] = h.transport;
    o["address"] = h.address;
    o["members"] = h.members;
    o["alive"] = h.alive;
    o["last_heard_age_ms"] = ms(now - h.last_heard);
    o["interval_ms"] = ms(h.interval);
    o["loss"] = h.loss;
    o["round_trip_ms"] = h.round_trip ? Json(ms(*h.round_trip)) : Json(nullptr);
    o["evidence"] = evidence_object(h.evidence);
    return o;
}

Json host_objects(const ClusterInfo& info, const std::vector<Host>& hosts, Instant now) {
    Json all = Json::array();
    for (const Host& h : hosts) all.push_back(host_object(h, info, now));
    return all;
}

}  // namespace

std::string host_list(const ClusterInfo& info, const std::vector<Host>& hosts, Instant now) { return text_of(host_objects(info, hosts, now)); }

std::string hosts(const ClusterInfo& info, const std::vector<Host>& hosts, const std::vector<Event>& disputes, Instant now) {
    Json o = head_object(info);
    o["host"] = info.host;
    o["hosts"] = host_objects(info, hosts, now);
    o["duplicates"] = event_objects(disputes, info.cluster);
    return text_of(o);
}

std::string ages(const ClusterInfo& info, const std::vector<Peer>& peers, Instant now) {
    Json o = head_object(info);
    o["last_step_age_ms"] = ms(now - info.last_step);
    Json slots = Json::array(), ages = Json::array();
    for (const Peer& p : peers) {
        if (!p.last_heartbeat) continue;
        slots.push_back(p.slot.value);
        ages.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - *p.last_heartbeat).count());
    }
    o["states"] = Json::object();
    for (const State state : {State::alive, State::suspect, State::dead}) o["states"][std::string(to_string(state))] = std::count_if(peers.begin(), peers.end(), [state](const Peer& p) { return p.state == state; });
    o["slots"] = std::move(slots);
    o["ages_ms"] = std::move(ages);
    return text_of(o);
}

std::string quoted(std::string_view text) { return text_of(Json(text)); }

std::string settings(std::string_view cluster, const Settings& settings) {
    Json o;
    o["cluster"] = cluster;
    o["settings"] = settings_object(settings);
    return text_of(o);
}

std::string why(const ClusterInfo& info, std::string_view node, const Peer* peer, const std::vector<Event>& history, Instant now, const std::string& explanation) {
    Json o = head_object(info);
    o["node"] = node;
    o["explanation"] = explanation;
    o["peer"] = nullptr;
    if (peer != nullptr) {
        Json object = peer_object(*peer, info, now);
        add_details(object, *peer);
        o["peer"] = std::move(object);
    }
    o["history"] = event_objects(history, info.cluster);
    return text_of(o);
}

}  // namespace rollcall::cli::json
