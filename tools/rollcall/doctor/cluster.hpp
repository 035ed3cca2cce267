// What is found of a cluster: from what was seen to a verdict, without looking at anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shm/error.hpp"
#include "shm/host.hpp"
#include "shm/settings.hpp"
#include "tools/rollcall/doctor/finding.hpp"

namespace rollcall::cli::doctor {

// What lies in the folder.
struct MemorySeen {
    std::string cluster;
    std::optional<Error> error;       // it cannot be read
    bool is_settled = true;           // it held still long enough to be judged
    std::uint64_t broken = 0;         // invariants
    std::vector<std::string> first_broken;
};
Finding memory(const MemorySeen& seen);

// Ours, and what the memory was made in.
std::vector<Finding> namespaces(const shm::HostIdentity& ours, const shm::HostIdentity& its);

struct LockSeen {
    bool is_held = false;
    bool may_write = false;      // in the cluster's folder: else this user can start no engine, whatever the lock is like
    std::optional<Error> error;  // why an engine of this user would not take it
};
Finding lock(const LockSeen& seen);

struct PulseSeen {
    bool may_write = false;
    std::uint32_t group = 0;  // that may
    bool group_may = false;
};
// All that it takes. `is_here`: the memory is of our boot and time namespace; `is_reached`: the engine, through its socket.
Finding joining(const PulseSeen& seen, bool is_here, bool is_reached);

enum class Lies { nothing, socket, folder, other };

struct SocketSeen {
    bool is_lock_held = false;
    std::optional<Error> error;  // of connecting
    bool may_operate = false;    // the engine's user, or root
    Lies there = Lies::socket;   // where it should be
};
Finding control(const SocketSeen& seen);

struct EngineSeen {
    bool is_lock_held = false;
    bool is_ready = false;            // and it says so in the memory
    bool is_comparable = true;        // this boot and this clock: ages mean something
    std::string node, version, ours;  // its own node, its build, this command's
    std::uint32_t pid = 0;
    std::optional<char> state;        // of its process, if it can be seen
    Duration since_step{};
    Settings settings;
};
Finding engine(const EngineSeen& seen);
// An engine that has not looked for this long is late.
Duration late_after(const Settings& settings);
Finding versions(const EngineSeen& seen);

}  // namespace rollcall::cli::doctor
