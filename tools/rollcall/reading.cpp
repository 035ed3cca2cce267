#include "tools/rollcall/reading.hpp"

#include <utility>

namespace rollcall::cli {

Result<Roster> read_roster(Reading& reading) {
    Roster roster;
    constexpr int attempts = 8;
    for (int i = 0; i < attempts; ++i) {
        Sequence at{};
        Result<std::vector<Peer>> peers = reading.observer.snapshot(&at);
        if (!peers) return fail(peers.error());
        roster.info = reading.observer.info();
        roster.peers = std::move(*peers);
        roster.now = reading.now(roster.info);
        if (roster.info.head == at) break;
        roster.info.head = at;  // under constant change the peers' own position counts: events go on behind it
    }
    return roster;
}

Result<Reading> attach(const Common& common, Observer::Options options) {
    options.cluster = common.cluster_name();
    options.dir = common.folder();
    Result<Observer> live = Observer::attach(options);
    if (live) return Reading{std::move(*live), options.copy};
    // What is refused as living memory (another boot, another time namespace, no tmpfs) may still be looked at as a copy. If that fails
    // too, the first reason is the one that helps.
    const bool perhaps_a_copy = live.error().kind == ErrorKind::incompatible || live.error().kind == ErrorKind::refused;
    if (options.copy || !perhaps_a_copy) return fail(live.error());
    options.copy = true;
    Result<Observer> copy = Observer::attach(options);
    if (!copy) return fail(live.error());
    return Reading{std::move(*copy), true};
}

}  // namespace rollcall::cli
