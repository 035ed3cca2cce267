// How commands that only look reach a cluster's memory: also a dead engine's, and a copied folder's.
#pragma once

#include <vector>

#include "engine/client/observer.hpp"
#include "shm/error.hpp"
#include "shm/segment.hpp"
#include "tools/rollcall/command.hpp"

namespace rollcall::cli {

struct Reading {
    Observer observer;
    bool copy = false;  // a copied folder, or another boot's: nothing will ever happen there

    // The instant that ages are counted to. In a copy time stands still where its engine last looked.
    Instant now(const ClusterInfo& info) const { return copy ? info.last_step : std::chrono::steady_clock::now(); }
};

// A cluster and its peers at one moment.
struct Roster {
    ClusterInfo info;  // head and view belong to `peers` as long as the engine leaves time between two events
    std::vector<Peer> peers;
    Instant now{};  // what ages are counted to
};
Result<Roster> read_roster(Reading& reading);

// The memory itself.
struct Memory {
    shm::Segment segment;
    bool copy = false;
};
Result<Memory> attach_memory(const Common& common);

// Producers may beat while we look: what is a little ahead of our clock is not from the future. In a copy the clock means nothing.
Stamp latest_stamp(const shm::Roster& memory, bool copy);

// From the first event that is still kept.
inline const Observer::Options from_the_first{.cluster = {}, .dir = {}, .after = 0, .stream = {}, .copy = false};

// `options` may say where events go on; cluster and folder are those of `common`.
Result<Reading> attach(const Common& common, Observer::Options options = {});

}  // namespace rollcall::cli
