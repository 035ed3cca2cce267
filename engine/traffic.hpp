// What the transports of a host counted, and the protocol of hosts above them. For show: nothing is decided by it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall {

// Of one transport, since it was made. Nothing is lost without being counted.
struct TransportStatistics {
    std::uint64_t published = 0;   // messages that were accepted by publish()
    std::uint64_t received = 0;    // messages that came in, for whomever
    std::uint64_t delivered = 0;   // of these: handed to at least one handler of a shard
    std::uint64_t foreign = 0;     // of these: of a cluster or a path that nobody here asked for, or our own
    std::uint64_t refused = 0;     // of these: what does not read, of which
    std::uint64_t truncated = 0, oversized = 0, unknown_version = 0, garbage = 0;
    std::uint64_t unauthentic = 0;  // and not signed, or not by a key that is known here
    std::uint64_t failed = 0;      // publications that the network did not take: losses, like any other
    std::uint64_t dropped = 0;     // what came and found no room on this machine, as far as that is known
};

// Of what was delivered of hosts, since the engine was opened.
struct HostTraffic {
    std::uint64_t heard = 0;        // messages of hosts
    std::uint64_t refused = 0;      // of these: do not read
    std::uint64_t misdirected = 0;  // for another host
    std::uint64_t unproven = 0;     // beats of hosts that have not answered
    std::uint64_t stale = 0;        // beats and answers that are no news
    std::uint64_t copies = 0;       // beats that came before, by another way as a rule
    std::uint64_t echoes = 0;       // one's own
    std::uint64_t namesakes = 0;    // of another host that calls itself like this one, and began later
    std::uint64_t crowded = 0;      // strangers for whom there was no room
    std::uint64_t withheld = 0;     // questions and answers beyond what may go out in a second
    std::uint64_t rivals = 0;       // answers of a second host of a name whose first one lives
};

// Their names, as every place that shows them has them; and their order in the memory.
template <class Counts>
struct NamedCount {
    std::string_view name;
    std::uint64_t Counts::*value;
};
inline constexpr std::array<NamedCount<TransportStatistics>, 12> transport_counts{{{"published", &TransportStatistics::published},
                                                                                   {"received", &TransportStatistics::received},
                                                                                   {"delivered", &TransportStatistics::delivered},
                                                                                   {"foreign", &TransportStatistics::foreign},
                                                                                   {"refused", &TransportStatistics::refused},
                                                                                   {"truncated", &TransportStatistics::truncated},
                                                                                   {"oversized", &TransportStatistics::oversized},
                                                                                   {"unknown_version", &TransportStatistics::unknown_version},
                                                                                   {"garbage", &TransportStatistics::garbage},
                                                                                   {"unauthentic", &TransportStatistics::unauthentic},
                                                                                   {"failed", &TransportStatistics::failed},
                                                                                   {"dropped", &TransportStatistics::dropped}}};
inline constexpr std::array<NamedCount<HostTraffic>, 11> host_counts{{{"heard", &HostTraffic::heard},
                                                                      {"refused", &HostTraffic::refused},
                                                                      {"misdirected", &HostTraffic::misdirected},
                                                                      {"unproven", &HostTraffic::unproven},
                                                                      {"stale", &HostTraffic::stale},
                                                                      {"copies", &HostTraffic::copies},
                                                                      {"echoes", &HostTraffic::echoes},
                                                                      {"namesakes", &HostTraffic::namesakes},
                                                                      {"crowded", &HostTraffic::crowded},
                                                                      {"withheld", &HostTraffic::withheld},
                                                                      {"rivals", &HostTraffic::rivals}}};

struct Traffic {
    std::vector<std::pair<std::string, TransportStatistics>> transports;  // by name; none: nobody speaks to other hosts
    HostTraffic hosts;
    std::uint64_t heartbeats_sent = 0, heartbeats_received = 0;  // since the memory was made
};

}  // namespace rollcall
