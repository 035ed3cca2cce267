#include "tools/rollcall/members_table.hpp"

#include <algorithm>
#include <array>

#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/table.hpp"

namespace rollcall::cli {

namespace {

std::string count_by_state(const std::vector<Peer>& peers) {
    std::string text;
    for (const State state : {State::alive, State::suspect, State::dead}) {
        const auto n = std::count_if(peers.begin(), peers.end(), [&](const Peer& p) { return p.state == state; });
        if (n != 0) text += (text.empty() ? ": " : ", ") + std::to_string(n) + " " + std::string(to_string(state));
    }
    return text;
}

}  // namespace

std::string one_word(Duration d) {
    std::string text = rounded(d);
    std::erase(text, ' ');
    return text;
}

std::string tags_text(const Tags& tags) {
    std::string text;
    for (const auto& [key, value] : tags) text += (text.empty() ? "" : ",") + key + "=" + value;
    return text;
}

std::string members_table(const std::vector<Peer>& peers, Instant now, const Palette& palette) {
    if (peers.empty()) return "";
    // Where all are of this host, nothing is said of hosts.
    const bool has_hosts = std::any_of(peers.begin(), peers.end(), [](const Peer& p) { return !p.local; });
    Table table({"NODE", "STATE", "SINCE", "LAST-BEAT", has_hosts ? "HOST" : "PID", "ENDPOINT", "TAGS"});
    for (const Peer& p : peers)
        table.add({{p.node},
                   {std::string(to_string(p.state)), colour_of(p.state)},
                   {one_word(now - p.since)},
                   {p.last_heartbeat ? one_word(now - *p.last_heartbeat) : ""},
                   {has_hosts ? (p.local ? "here" : p.host) : p.pid != 0 ? std::to_string(p.pid) : ""},
                   {p.endpoint},
                   {tags_text(p.tags)}});
    return table.render(palette);
}

std::string engine_text(const ClusterInfo& info, Instant now, bool copy) {
    if (copy) return "This is a copy: times are those of its engine's last look";
    const std::string name = "Engine '" + info.node + "'";
    const std::string pid = " (pid " + std::to_string(info.engine_pid) + ")";
    if (info.running && now - info.last_step > info.settings.suspect) return name + pid + " is there but has not looked for " + rounded(now - info.last_step);
    if (info.running) return name + " runs" + pid;
    return name + " does not run; it last looked " + rounded(now - info.last_step) + " ago, 'rollcall run' starts one";
}

std::string members_summary(const ClusterInfo& info, const std::vector<Peer>& peers, Instant now, bool copy) {
    const std::string count = peers.empty() ? "No peers" : std::to_string(peers.size()) + (peers.size() == 1 ? " peer" : " peers");
    return printable(count + count_by_state(peers) + ". " + engine_text(info, now, copy) + ". View " + std::to_string(info.view) + ", event " +
                     std::to_string(info.head.value) + ".");
}

}  // namespace rollcall::cli
