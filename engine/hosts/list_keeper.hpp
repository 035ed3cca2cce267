// Keeps this host's list as its memory has it: a reader of the event ring like any other.
#pragma once

#include <cstdint>
#include <string>

#include "engine/hosts/own_list.hpp"
#include "shm/ring.hpp"
#include "shm/roster.hpp"

namespace rollcall::engine {

// One thread.
class ListKeeper {
public:
    // The engine's own node, which has no record: entry 0 of the list.
    struct OwnNode {
        std::string node, endpoint;
    };
    explicit ListKeeper(OwnNode own) : own_(std::move(own)) {}

    // Brings `list` to what is published. Anew from a snapshot at first, when the memory is another one, and when it was lapped. False: the memory would not hold
    // still; the next call tries again.
    bool follow(const shm::Roster& roster, Incarnation host, OwnList& list);

private:
    bool begin(const shm::Roster& roster, Incarnation host, OwnList& list);
    void apply(const shm::Roster& roster, const shm::StoredEvent& event, OwnList& list) const;
    ListEntry own_entry(Incarnation host) const;

    OwnNode own_;
    Incarnation host_{};
    std::uint64_t stream_ = 0;  // 0: begin anew
    Sequence at_{};
};

}  // namespace rollcall::engine
