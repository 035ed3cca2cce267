#include "tests/support/watch.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace rollcall::test {

namespace {

template <class T>
std::optional<T> number(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? std::nullopt : std::optional<T>(found->get<T>());
}

std::string text(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? "" : found->get<std::string>();
}

}  // namespace

bool SeenEvent::is_not_before(Instant beat, Duration timeout) const { return mono_us && *mono_us >= to_ns(beat + timeout) / 1000; }

SeenEvent read_event(const std::string& line) {
    const auto object = nlohmann::json::parse(line);
    SeenEvent e;
    e.sequence = object.at("seq").get<std::uint64_t>();
    e.view = number<std::uint64_t>(object, "view").value_or(0);
    e.epoch = number<std::uint64_t>(object, "epoch").value_or(0);
    e.stream = text(object, "stream");
    e.event = text(object, "event");
    e.node = text(object, "node");
    e.cluster = text(object, "cluster");
    e.state = text(object, "state");
    e.reason = text(object, "reason");
    e.incarnation = number<std::uint64_t>(object, "incarnation");
    e.exit_code = number<std::uint64_t>(object, "exit_code");
    e.signal = number<std::uint64_t>(object, "signal");
    e.from = number<std::uint64_t>(object, "from");
    e.to = number<std::uint64_t>(object, "to");
    e.age_ms = number<double>(object, "age_ms");
    e.lost_ms = number<double>(object, "lost_ms");
    e.late_ms = number<double>(object, "late_ms");
    e.suspect_ms = number<double>(object, "suspect_ms");
    e.dead_ms = number<double>(object, "dead_ms");
    e.length_ms = number<double>(object, "length_ms");
    e.mono_us = number<std::int64_t>(object, "mono_us");
    e.line = line;
    return e;
}

Watch::Watch(const TemporaryCluster& cluster, const std::string& from)
    : cluster_(cluster), process_(cluster.start({"watch", "--json", "--from", from})) {}

SeenEvent Watch::until(const std::string& event, const std::string& node, Duration within) {
    const Instant deadline = clock_now() + within;
    while (const auto line = process_.read_line(deadline - clock_now())) {
        seen_.push_back(read_event(*line));
        if (seen_.back().event == event && seen_.back().node == node) return seen_.back();
    }
    throw std::runtime_error("watch saw no '" + event + "' of '" + node + "', but: " + story());
}

void Watch::catch_up() {
    const std::uint64_t head = cluster_.observe().info().head.value;
    while (seen_.empty() || seen_.back().sequence < head) {
        if (head == 0) return;
        const auto line = process_.read_line();
        if (!line) throw std::runtime_error("watch did not come as far as event " + std::to_string(head) + ", but: " + story());
        seen_.push_back(read_event(*line));
    }
}

std::string Watch::story(const std::string& node) const {
    std::string text;
    for (const SeenEvent& e : seen_)
        if (e.node == node) text += (text.empty() ? "" : " ") + e.event + ":" + e.reason;
    return text;
}

std::string Watch::story() const {
    std::string text;
    for (const SeenEvent& e : seen_) text += (text.empty() ? "" : ", ") + (e.node.empty() ? "" : e.node + " ") + e.event;
    return text;
}

bool Watch::is_whole() const {
    for (std::size_t i = 1; i < seen_.size(); ++i)
        if (seen_[i].from.value_or(seen_[i].sequence) != seen_[i - 1].sequence + 1) return false;
    return true;
}

}  // namespace rollcall::test
