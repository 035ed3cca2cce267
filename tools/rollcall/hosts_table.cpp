#include "tools/rollcall/hosts_table.hpp"

#include <cstdio>

#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/table.hpp"

namespace rollcall::cli {

namespace {

std::string percent(double share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.0f%%", share * 100);
    return text;
}

}  // namespace

std::string hosts_table(const std::vector<Host>& hosts, Instant now, const Palette& palette) {
    if (hosts.empty()) return "";
    Table table({"HOST", "STATE", "SINCE", "LAST-HEARD", "MEMBERS", "ALIVE", "LOSS", "ROUND-TRIP", "TRANSPORT", "ADDRESS"});
    for (const Host& h : hosts)
        table.add({{h.name},
                   {std::string(to_string(h.state)), colour_of(h.state)},
                   {one_word(now - h.since)},
                   {one_word(now - h.last_heard)},
                   {std::to_string(h.members)},
                   {std::to_string(h.alive)},
                   {percent(h.loss)},
                   {h.round_trip ? one_word(*h.round_trip) : ""},
                   {h.transport},
                   {h.address}});
    return table.render(palette);
}

std::string hosts_summary(const ClusterInfo& info, const std::vector<Host>& hosts, Instant now, bool copy) {
    const std::string count = hosts.empty() ? "No other hosts" : std::to_string(hosts.size()) + (hosts.size() == 1 ? " other host" : " other hosts");
    return printable(count + "; this is host '" + info.host + "'. " + engine_text(info, now, copy) + ".");
}

}  // namespace rollcall::cli
