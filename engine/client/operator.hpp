// What an operator asks of a running engine, through its control socket. The kernel vouches for who asks: the engine's uid or root.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shm/error.hpp"
#include "shm/settings.hpp"

namespace rollcall {

// Settings to change; what is left out stays.
struct SettingsChange {
    std::optional<Duration> heartbeat{}, suspect{}, dead{}, evict{}, scan{};
};

struct Address {
    std::string cluster = "default";
    std::string dir{};  // empty: $ROLLCALL_DIR, else the folders of this user, of the service and of root
};

// Each fails with no_cluster, no_engine, refused (not the engine's uid, not root), timeout.

// Live until the engine re-reads its own (SIGHUP) or restarts. Fails with invalid too. Returns the settings now in force.
Result<Settings> change_settings(const Address& where, const SettingsChange& change);
// Fails with unknown_node too. Returns when `evicted` is published.
Result<void> evict(const Address& where, std::string_view node);
// Returns when the engine's lock is free. `leave`: every member is `left` (operator) first.
Result<void> stop(const Address& where, bool leave);
// Removes a stopped cluster's folder. Fails with held while an engine lives.
Result<void> remove(const Address& where);

// The folders that are looked at for `dir`, in order.
std::vector<std::string> folders(const std::string& dir);
// Names of the clusters in them, each with the folder it lies in.
struct ClusterFolder {
    std::string cluster, dir;
};
std::vector<ClusterFolder> clusters(const std::string& dir);

}  // namespace rollcall
