// What programs read: events as lines, clusters as documents. Fields are added, never renamed. null where something is not known; bytes
// that are not UTF-8 become U+FFFD. Durations are milliseconds, with a fraction where they have one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/client/observer.hpp"
#include "engine/client/operator.hpp"
#include "engine/peer.hpp"

namespace rollcall::cli::json {

// "00c0ffee00c0ffee": a stream's id.
std::string stream_text(std::uint64_t stream);

// One event, one line (without its end); several as an array.
std::string event_line(const Event& event, std::string_view cluster);
// The same, a field each as text; without those that are null.
std::vector<std::pair<std::string, std::string>> event_fields(const Event& event, std::string_view cluster);
std::string events(const std::vector<Event>& events, std::string_view cluster);

enum class Detail {
    members,  // what members --json shows of a peer
    all,      // and everything else that is known of it: dump --json
};

// A cluster and its peers. Given out in pieces, so that a million peers need no document in memory: one line for the head and one a peer.
// `last` may write more fields behind the peers, each behind a comma.
using Out = std::function<void(std::string_view)>;
void write_members(const Out& out, const ClusterInfo& info, const std::vector<Peer>& peers, Instant now, Detail detail, const std::function<void(const Out&)>& last = {});

// The cluster without its peers.
std::string statistics(const ClusterInfo& info, std::size_t hosts);

// The other hosts, as this one hears them.
// As an array; as a document with the cluster's head and the events that tell of two hosts of a name.
std::string host_list(const ClusterInfo& info, const std::vector<Host>& hosts, Instant now);
std::string hosts(const ClusterInfo& info, const std::vector<Host>& hosts, const std::vector<Event>& disputes, Instant now);

struct ListedCluster {
    ClusterFolder where;
    std::optional<ClusterInfo> info;  // nothing if it could not be read: `error` says why
    std::size_t peers = 0;
    std::string error;
};
std::string clusters(const std::vector<ListedCluster>& found);

// How old each member's last beat is: "slots" and "ages_ms" side by side; how many are in each state, and how the engine is. Few bytes a member, to be asked for often.
std::string ages(const ClusterInfo& info, const std::vector<Peer>& peers, Instant now);

// A text as JSON writes it.
std::string quoted(std::string_view text);

std::string settings(std::string_view cluster, const Settings& settings);

// The evidence behind a peer's state (nothing: it is not a member), also in sentences, and what the ring still tells of it.
std::string why(const ClusterInfo& info, std::string_view node, const Peer* peer, const std::vector<Event>& history, Instant now, const std::string& explanation);

}  // namespace rollcall::cli::json
