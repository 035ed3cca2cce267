#include "tools/rollcall/serve/metrics.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "shm/layout.hpp"

namespace rollcall::cli {

namespace {

// A value of a label: quotes, backslashes and ends of lines are escaped, as the format wants it; names hold any bytes.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') out += "\\n";
        else out += c;
    }
    return out;
}

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.10g", value);
    return text.data();
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

class Page {
public:
    explicit Page(std::string_view cluster) : cluster_("cluster=\"" + escaped(cluster) + "\"") {}

    void head(std::string_view name, std::string_view type, std::string_view help) {
        name_ = "rollcall_" + std::string(name);
        text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
    }
    // `labels`: beside the cluster's, already escaped.
    void value(double value, const std::string& labels = "") { text_ += name_ + "{" + cluster_ + (labels.empty() ? "" : "," + labels) + "} " + number(value) + "\n"; }
    void value(std::uint64_t value, const std::string& labels = "") { text_ += name_ + "{" + cluster_ + (labels.empty() ? "" : "," + labels) + "} " + std::to_string(value) + "\n"; }

    void gauge(std::string_view name, std::string_view help, double v) { head(name, "gauge", help), value(v); }
    void counter(std::string_view name, std::string_view help, std::uint64_t v) { head(name, "counter", help), value(v); }
    // In seconds; buckets from about a microsecond on, each twice the one before.
    void histogram(std::string_view name, std::string_view help, const Histogram& h, double sum) {
        head(name, "histogram", help);
        const std::string family = name_;
        std::uint64_t below = 0;
        for (std::size_t b = 0; b < h.buckets.size(); ++b) {
            below += h.buckets[b];
            if (b < first_bucket || b > last_bucket) continue;
            text_ += family + "_bucket{" + cluster_ + ",le=\"" + number(static_cast<double>(std::uint64_t{1} << b) / 1e9) + "\"} " + std::to_string(below) + "\n";
        }
        text_ += family + "_bucket{" + cluster_ + ",le=\"+Inf\"} " + std::to_string(below) + "\n";
        text_ += family + "_sum{" + cluster_ + "} " + number(sum) + "\n" + family + "_count{" + cluster_ + "} " + std::to_string(below) + "\n";
    }
    std::string take() { return std::move(text_); }

private:
    static constexpr std::size_t first_bucket = 10, last_bucket = 36;  // 1 us, 69 s
    std::string cluster_, name_, text_;
};

// Of a histogram whose sum nobody keeps: each in the middle of its bucket.
double estimated_sum(const Histogram& h) {
    double sum = 0;
    for (std::size_t b = 1; b < h.buckets.size(); ++b) sum += static_cast<double>(h.buckets[b]) * 0.75 * static_cast<double>(std::uint64_t{1} << std::min<std::size_t>(b, 62)) / 1e9;
    return sum;
}

template <class Things>
void by_state(Page& page, std::string_view name, std::string_view help, const Things& things) {
    page.head(name, "gauge", help);
    for (const State state : {State::alive, State::suspect, State::dead})
        page.value(static_cast<std::uint64_t>(std::count_if(things.begin(), things.end(), [&](const auto& t) { return t.state == state; })), "state=\"" + std::string(to_string(state)) + "\"");
}

constexpr std::string_view up_help = "1 while an engine runs and has looked within its suspect timeout.";

void add_engine(Page& page, const Measured& m) {
    page.gauge("up", up_help, m.info.running && m.now - m.info.last_step <= m.info.settings.suspect ? 1 : 0);
    page.head("engine_info", "gauge", "1; who runs this cluster.");
    page.value(std::uint64_t{1}, "node=\"" + escaped(m.info.node) + "\",host=\"" + escaped(m.info.host) + "\",version=\"" + escaped(m.info.engine_version) + "\"");
    page.gauge("engine_last_look_seconds", "Time since the detector looked last.", seconds(m.now - m.info.last_step));
    page.counter("engines_total", "Engines since the memory was made: a rise is a restart.", m.info.epoch);
    page.head("setting_seconds", "gauge", "Intervals and timeouts in force.");
    const Settings& s = m.info.settings;
    for (const auto& [name, value] : {std::pair{"heartbeat", s.heartbeat}, {"suspect", s.suspect}, {"dead", s.dead}, {"evict", s.evict}, {"scan", s.scan}})
        page.value(seconds(value), "setting=\"" + std::string(name) + "\"");
    page.gauge("capacity", "Members that there is room for.", m.info.capacity);
    page.gauge("ring_events", "Events that are kept for readers.", m.info.ring);
    page.gauge("inbox_requests", "Requests that the last step with any found waiting.", static_cast<double>(m.info.inbox));
    page.gauge("view", "Number of the membership: grows with every change of it.", static_cast<double>(m.info.view));
}

void add_counters(Page& page, const Counters& c) {
    page.counter("members_joined_total", "Lives that began.", c.peers_joined);
    page.counter("members_suspected_total", "Suspicions.", c.peers_suspected);
    page.counter("members_recovered_total", "Suspicions and deaths of silence that were taken back.", c.peers_recovered);
    page.counter("members_dead_total", "Deaths, of silence and by proof.", c.peers_dead);
    page.counter("members_evicted_total", "Members forgotten after their death.", c.peers_evicted);
    page.counter("members_left_total", "Goodbyes.", c.peers_left);
    page.counter("heartbeats_sent_total", "Heartbeats sent to other hosts.", c.heartbeats_sent);
    page.counter("heartbeats_received_total", "Heartbeats that came as messages; not those of local members.", c.heartbeats_received);
    page.counter("detector_pauses_total", "Times that the detector did not look for so long that it counted none of it as silence.", c.pauses);
    page.counter("words_repaired_total", "Heartbeat words that were damaged and put right.", c.words_repaired);
    page.counter("processes_unwatched_total", "Processes that could not be watched and are judged by silence alone.", c.unwatched);
}

void add_traffic(Page& page, const Traffic& traffic) {
    page.head("transport_messages_total", "counter", "Messages by transport and what became of them; failed and dropped are losses on this machine.");
    for (const auto& [name, counts] : traffic.transports)
        for (const auto& [what, value] : transport_counts) page.value(counts.*value, "transport=\"" + escaped(name) + "\",outcome=\"" + std::string(what) + "\"");
    page.head("host_messages_total", "counter", "Messages of other hosts and what became of them; all are heard.");
    for (const auto& [what, value] : host_counts) page.value(traffic.hosts.*value, "outcome=\"" + std::string(what) + "\"");
}

void add_hosts(Page& page, const Measured& m) {
    by_state(page, "hosts", "Other hosts by state.", m.hosts);
    const auto each = [&](std::string_view name, std::string_view help, auto value) {
        page.head(name, "gauge", help);
        for (const Host& h : m.hosts) page.value(value(h), "host=\"" + escaped(h.name) + "\"");
    };
    each("host_silence_seconds", "Time since a host was heard last.", [&](const Host& h) { return std::max(0.0, seconds(m.now - h.last_heard)); });
    each("host_loss_ratio", "Share of a host's last twenty or so messages that did not arrive.", [](const Host& h) { return h.loss; });
    each("host_round_trip_seconds", "Time from a question to its answer; 0 if none was asked.", [](const Host& h) { return seconds(h.round_trip.value_or(Duration{})); });
}

}  // namespace

std::string metrics_of_nothing(std::string_view cluster) {
    Page page(cluster);
    page.gauge("up", up_help, 0);
    return page.take();
}

std::string metrics(const Measured& m) {
    Page page(m.info.cluster);
    add_engine(page, m);
    by_state(page, "members", "Members by state, of this host and of others.", m.peers);
    add_counters(page, m.info.counters);
    add_hosts(page, m);
    add_traffic(page, m.info.traffic);
    page.counter("events_total", "Events that were published.", m.info.head.value);
    page.counter("events_lost_total", "Events that were gone from the ring before this server saw them.", m.times.lost);
    page.histogram("scan_seconds", "What a look of the detector takes; its sum is estimated.", m.info.step_time, estimated_sum(m.info.step_time));
    page.histogram("lateness_seconds", "From the moment at which a silence became too long to its judgement; its sum is estimated.", m.info.lateness, estimated_sum(m.info.lateness));
    page.histogram("detection_delay_seconds", "From the last sign of life to the judgement, of deaths of silence, since this server began.", m.times.detection_delay, static_cast<double>(m.times.ns[1]) / 1e9);
    page.histogram("event_lag_seconds", "From a judgement to this server's seeing it, since it began.", m.times.lag, static_cast<double>(m.times.ns[0]) / 1e9);
    return page.take();
}

}  // namespace rollcall::cli
