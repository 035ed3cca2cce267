// What Prometheus scrapes, in its text format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/client/observer.hpp"
#include "tools/rollcall/serve/event_feed.hpp"

namespace rollcall::cli {

// Of one cluster at one moment. Names and units are a contract: added, never renamed.
struct Measured {
    ClusterInfo info;
    std::vector<Peer> peers;
    std::vector<Host> hosts;
    EventTimes times;
    Instant now{};
};

std::string metrics(const Measured& measured);
// Where there is no memory any more: that nothing is up, which alerts go by.
std::string metrics_of_nothing(std::string_view cluster);

}  // namespace rollcall::cli
