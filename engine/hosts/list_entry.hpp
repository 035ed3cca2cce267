// What a host says of one of its members, and how it says that its list changed.
//
// A list is numbered by version: the position in the host's stream of events of the last change that concerned one of its own members. Each place
// remembers the version that changed it last, so deltas and pages may arrive late, twice and out of order: whoever keeps the newest of each place holds the list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/hosts/bytes.hpp"
#include "engine/hosts/digest.hpp"
#include "shm/error.hpp"
#include "shm/terms.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

// Places: 0 is the engine's own node, slot + 1 whoever is in that slot.
using Place = std::uint32_t;
inline constexpr Place end_of_places = 0xFFFF'FFFF;

struct ListEntry {
    Place place = 0;
    std::uint64_t version = 0;   // that changed it last
    State state = State::none;   // none: nobody is there any more
    Reason reason = Reason::none;  // the ground of the state; of an empty place, why it is empty
    // Of whoever is there:
    Incarnation incarnation{};
    std::optional<ExitStatus> status;
    Reason previous = Reason::none;  // why whoever was there before is gone, as far as it is known; not part of the claim
    std::string node, endpoint, tags;  // tags as they lie in a blob: key '=' value NUL, each

    friend bool operator==(const ListEntry&, const ListEntry&) = default;
};

struct ListSummary {
    std::uint64_t version = 0;
    Digest digest;
    friend bool operator==(const ListSummary&, const ListSummary&) = default;
};

// Everything that changed after `from`, up to and with `to`, as it is now.
struct ListDelta {
    Incarnation incarnation{};  // the host's
    std::uint64_t from = 0, to = 0;
    std::vector<ListEntry> entries;
    friend bool operator==(const ListDelta&, const ListDelta&) = default;
};

// Everybody in [begin, end) at `version`; places that are not named are empty.
struct ListPage {
    Incarnation incarnation{};  // the host's
    std::uint64_t version = 0;
    Place begin = 0, end = 0;
    std::vector<ListEntry> entries;
    friend bool operator==(const ListPage&, const ListPage&) = default;
};

// The longest that one entry can be: 63 bytes of node, 255 of endpoint, 512 of tags.
inline constexpr std::size_t max_entry_bytes = 26 + 63 + 255 + 512;

void write_entry(ByteWriter& to, const ListEntry& entry);
// Any bytes are an entry, or the reader is short afterwards, or this fails with invalid and says which part cannot be: places, states, reasons, names,
// endpoints, tags, incarnations.
Result<ListEntry> read_entry(ByteReader& from);
std::size_t encoded_size(const ListEntry& entry) noexcept;

// Of what counts of an entry: all but its version and what was before. Of an empty place nothing: zero.
Digest digest_of(const ListEntry& entry);

}  // namespace rollcall::engine
