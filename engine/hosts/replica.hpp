// What replication knows of each peer: does it live, how far has its stream been applied. Attached to an engine, life and death are the detector's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/hosts/notes.hpp"
#include "engine/hosts/peer_source.hpp"

namespace rollcall {

struct ReplicaPeer {
    bool alive = false;
    std::uint64_t last_applied = 0;  // sequence of the last operation of it that was applied here
    std::uint64_t clock = 0;         // its component of the vector clock

    friend bool operator==(const ReplicaPeer&, const ReplicaPeer&) = default;
};

// Thread-safe. A peer counts as alive while nobody has announced its death: a suspect is alive.
class Replica {
public:
    // By itself it believes these; attached, it ignores them and believes the detector.
    void mark_alive(std::string_view node);
    void mark_dead(std::string_view node);

    bool has_peer(std::string_view node) const;
    std::optional<ReplicaPeer> find(std::string_view node) const;
    // Raises what was applied of a known peer; never moves back. A new life of a node begins at 0. False: no such peer.
    bool note_applied(std::string_view node, std::uint64_t sequence, std::uint64_t clock);

    // The engine's. What was noted of peers stays noted, for the lives that the membership then has.
    void attach(std::shared_ptr<PeerSource> source);
    void detach();

private:
    struct Progress {
        std::uint64_t last_applied = 0, clock = 0;
    };
    std::optional<ReplicaPeer> find_locked(std::string_view node) const;

    mutable std::mutex mutex_;
    std::map<std::string, bool, std::less<>> alive_;  // while unattached
    mutable Notes<Progress> progress_;
    std::shared_ptr<PeerSource> source_;
};

}  // namespace rollcall
