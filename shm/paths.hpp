// Where a cluster lies on this host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rollcall::shm {

struct Paths {
    std::string folder;    // DIR/CLUSTER
    std::string dir = {};  // DIR, which must be trusted as well; empty: a folder by itself

    static Paths of(const std::string& dir, const std::string& cluster) { return {dir + "/" + cluster, dir}; }

    std::string roster() const { return folder + "/roster"; }
    std::string new_roster(std::uint64_t instance) const { return folder + "/roster." + hex(instance); }
    std::string pulse(std::uint64_t instance) const { return folder + "/pulse." + hex(instance); }
    std::string lock() const { return folder + "/lock"; }
    std::string socket() const { return folder + "/control.sock"; }

    static std::string hex(std::uint64_t number);
};

// Where an engine of this user keeps its clusters: `dir`, else $ROLLCALL_DIR, else /dev/shm/rollcall for root,
// $XDG_RUNTIME_DIR/rollcall or /dev/shm/rollcall-UID for others.
std::string engine_folder(const std::string& dir);
// Where clients look, in order: the engine's folder, the service's, then root's. Only `dir` or $ROLLCALL_DIR if one is given.
std::vector<std::string> client_folders(const std::string& dir);
// Of the engines that run as a service, under a user of their own. It lies where only root makes folders, so its owner is root's choice.
inline constexpr const char* service_folder = "/run/rollcall";
bool is_service_folder(const std::string& dir);
// One of those where this user's programs look unasked: whoever made it, nobody has named it.
bool is_well_known(const std::string& dir);

}  // namespace rollcall::shm
