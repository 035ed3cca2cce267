// Everything that enters the detector beside heartbeats, and what it answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/hosts/list_entry.hpp"
#include "engine/slot_pool.hpp"
#include "shm/error.hpp"
#include "shm/settings.hpp"
#include "shm/terms.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

// Who is behind a member, as the kernel vouches for it.
struct ProcessFacts {
    std::uint32_t pid = 0;  // 0: none, or in a pid namespace that the engine cannot see
    std::uint64_t start_ticks = 0;
    std::uint32_t uid = 0, gid = 0;
    friend bool operator==(const ProcessFacts&, const ProcessFacts&) = default;
};

struct Answer {
    std::optional<Error> error;
    Slot slot = no_slot;
    Generation generation{};
    Incarnation incarnation{};
    bool is_new = false;  // this answer's request made it
    // Of another host:
    Slot word = no_slot;               // of its members
    Generation word_generation{};
    std::uint32_t card = 0xFFFF'FFFF;
    std::uint64_t stream = 0;          // of the memory that they are in
    std::uint32_t refused = 0;         // of its claims: believed later, if at all
};

// What one request may say of a host's members: few enough that a step which takes it still has room for judgements.
inline constexpr std::size_t most_claims = 16;

struct Request {
    enum class Kind : std::uint8_t {
        join,        // node, endpoint, tags, process, flags, token, producer, replace
        heartbeat,   // of a node that may be unknown: node, endpoint, at
        leave,       // node; with `incarnation` only that life
        update,      // node, incarnation; endpoint and/or tags
        flag,        // node, incarnation; flags to add
        exited,      // node, incarnation; status
        evict,       // node
        configure,   // settings; zeros keep what is in force
        leave_all,   // every member is `left`, operator
        forget,      // producer: none of its peers will come any more
        admit_host,  // node: another host; incarnation; endpoint: its address; interval; ways; displaced
        claims,      // node: a host that was admitted; incarnation; claims; with is_whole nobody but `whole` is its member, the others end for `reason`
        host_left,   // node: a host; incarnation
        one_way,     // node: a host that does not hear this one, and is heard
        two_hosts,   // node: a host of whose name there is a second one
        raise_host,  // incarnation: of this host, from now on
        mark,        // nothing: its answer says that everything before it is done
    };

    Kind kind = Kind::mark;
    Reason reason = Reason::none;
    std::string node;
    std::optional<std::string> endpoint, tags;  // tags as they lie in a blob
    std::string host;
    ProcessFacts process;
    std::uint8_t flags = 0;  // shm::BlobFlag
    std::uint64_t token = 0;
    std::uint32_t card = 0xFFFF'FFFF;
    ProducerId producer = 0;
    bool may_replace = false;   // asked for, and allowed should the holder have uid `process.uid`
    bool is_operator = false;   // the asker may replace anybody's
    Incarnation incarnation{};  // 0: whichever lives
    Instant at{};
    std::optional<ExitStatus> status;
    Settings settings;
    std::vector<ListEntry> claims;      // at most `most_claims`
    Duration interval{};  // between a host's beats
    std::uint32_t ways = 0;  // by which a host is heard: receivers.hpp
    std::function<void()> displaced;  // admit_host: called by the detector's thread when a member that the host speaks for became somebody else's; must not block
    bool is_whole = false;
    std::vector<std::string> whole;     // with it: every node that the host speaks for, sorted
    std::optional<std::weak_ptr<const void>> origin;  // who asked, if it can cease to be: then nobody wants it any more
    bool is_orphaned() const noexcept { return origin && origin->expired(); }
    std::function<void(const Answer&)> done;  // called by the detector's thread once the outcome is published; must not block
};

}  // namespace rollcall::engine
