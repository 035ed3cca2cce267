#include "tools/rollcall/stat_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/setting_names.hpp"
#include "tools/rollcall/table.hpp"

namespace rollcall::cli {

namespace {

struct Counted {
    std::string_view what;
    std::uint64_t Counters::*value;
};
constexpr std::array<Counted, 11> counted{{
    {"peers joined", &Counters::peers_joined},
    {"peers suspected", &Counters::peers_suspected},
    {"peers recovered", &Counters::peers_recovered},
    {"peers dead", &Counters::peers_dead},
    {"peers evicted", &Counters::peers_evicted},
    {"peers left", &Counters::peers_left},
    {"heartbeats sent", &Counters::heartbeats_sent},
    {"heartbeats received", &Counters::heartbeats_received},
    {"pauses of the detector", &Counters::pauses},
    {"heartbeat words repaired", &Counters::words_repaired},
    {"processes not watched", &Counters::unwatched},
}};

// 1234567 as 1,234,567.
std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
    return text;
}

std::string line(std::string_view what, std::string_view value) { return padded(what, 26) + std::string(value) + "\n"; }

// "median below 1 us, 99 % below 8.2 us, all below 131 us, of 1,234"
std::string spread(const Histogram& h) {
    if (h.total() == 0) return "none yet";
    return "median below " + rounded(h.below(0.5)) + ", 99 % below " + rounded(h.below(0.99)) + ", all below " + rounded(h.below(1)) + ", of " + grouped(h.total());
}

std::string bars(std::string_view what, const Histogram& h) {
    std::string text = std::string(what) + ": " + spread(h) + "\n";
    const std::uint64_t most = *std::max_element(h.buckets.begin(), h.buckets.end());
    for (std::size_t b = 0; b < h.buckets.size() && most != 0; ++b) {
        if (h.buckets[b] == 0) continue;
        const Duration upper{b == 0 ? 1 : std::int64_t{1} << std::min<std::size_t>(b, 62)};
        text += "  below " + padded(rounded(upper), 10) + padded(grouped(h.buckets[b]), 14) + std::string(static_cast<std::size_t>(40 * h.buckets[b] / most), '#') + "\n";
    }
    return text;
}

// What goes to other hosts and comes from them, a column a transport; counts that are nothing everywhere are left out.
std::string traffic_table(const Traffic& traffic) {
    if (traffic.transports.empty()) return "";
    std::vector<std::string_view> head{"MESSAGES"};
    for (const auto& [name, counts] : traffic.transports) head.push_back(name);
    Table table(head);
    for (const auto& [what, value] : transport_counts) {
        std::vector<Table::Cell> row{{std::string(what)}};
        bool is_shown = false;
        for (const auto& [name, counts] : traffic.transports) {
            row.push_back({grouped(counts.*value)});
            is_shown = is_shown || counts.*value != 0;
        }
        if (is_shown) table.add(std::move(row));
    }
    std::string text = "\n" + table.render(Palette(false));
    std::string of_hosts;
    for (const auto& [what, value] : host_counts)
        if (traffic.hosts.*value != 0) of_hosts += (of_hosts.empty() ? "" : ", ") + std::string(what) + " " + grouped(traffic.hosts.*value);
    return text + (of_hosts.empty() ? "" : line("of hosts", of_hosts));
}

}  // namespace

std::string statistics_text(const ClusterInfo& info, std::size_t hosts, Instant now, bool copy) {
    std::string text = printable("Cluster '" + info.cluster + "'. " + engine_text(info, now, copy) + ".") + "\n\n";
    for (const Counted& c : counted) text += line(c.what, grouped(info.counters.*c.value));
    text += "\n" + line("view", grouped(info.view)) + line("events", grouped(info.head.value) + ", the last " + grouped(info.ring) + " are kept");
    text += line("engines so far", grouped(info.epoch)) + line("capacity", grouped(info.capacity)) + line("other hosts", grouped(hosts));
    text += line("settings", describe(info.settings));
    return text + traffic_table(info.traffic) + "\n" + bars("a look of the detector took", info.step_time) + "\n" + bars("a silence was found late by", info.lateness);
}

}  // namespace rollcall::cli
