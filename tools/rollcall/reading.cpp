#include "tools/rollcall/reading.hpp"

#include <utility>

#include "engine/client/session.hpp"
#include "shm/lock.hpp"

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

namespace {

// What is refused as living memory (another boot, another time namespace) may still be looked at as a copy. If that fails too, the first
// reason is the one that helps.
bool perhaps_a_copy(const Error& error) { return error.kind == ErrorKind::incompatible || error.kind == ErrorKind::refused; }

// Then it is no copy: it lives, and its clock or its boot is not ours.
bool is_run_by_somebody(const Common& common) {
    const Result<shm::Paths> paths = locate(common.cluster_name(), common.folder());
    return paths && shm::is_locked(paths->lock());
}

}  // namespace

Result<Memory> attach_memory(const Common& common) {
    const Result<shm::Paths> paths = locate(common.cluster_name(), common.folder());
    if (!paths) return fail(paths.error());
    const auto host = shm::HostIdentity::current();
    Result<shm::Segment> live = shm::Segment::attach(*paths, shm::Access::observer, host);
    if (live) return Memory{std::move(*live), false};
    if (!perhaps_a_copy(live.error()) || is_run_by_somebody(common)) return fail(live.error());
    Result<shm::Segment> copy = shm::Segment::attach(*paths, shm::Access::copy, host);
    if (!copy) return fail(live.error());
    return Memory{std::move(*copy), true};
}

Result<Reading> attach(const Common& common, Observer::Options options) {
    options.cluster = common.cluster_name();
    options.dir = common.folder();
    Result<Observer> live = Observer::attach(options);
    if (live) return Reading{std::move(*live), options.copy};
    if (options.copy || !perhaps_a_copy(live.error()) || is_run_by_somebody(common)) return fail(live.error());
    options.copy = true;
    Result<Observer> copy = Observer::attach(options);
    if (!copy) return fail(live.error());
    return Reading{std::move(*copy), true};
}

Stamp latest_stamp(const shm::Roster& memory, bool copy) {
    constexpr Duration ahead = std::chrono::seconds(10);
    return copy ? Stamp{stamp_limit} : to_stamp(std::chrono::steady_clock::now() + ahead, memory.base_ns());
}

}  // namespace rollcall::cli
