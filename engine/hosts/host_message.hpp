// What engines say to each other of their hosts: the payload of a message whose origin is a host.
//
// Every payload begins with its version and its kind, a byte. Numbers are little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/hosts/list_entry.hpp"
#include "engine/hosts/message.hpp"
#include "shm/error.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

inline constexpr std::string_view host_content_type = "application/x-rollcall-host";
// Whatever names and a MAC take: a payload of so many bytes fits a datagram.
inline constexpr std::size_t max_host_payload = 960;
// Of which entries may take so much, in a delta or a page.
inline constexpr std::size_t max_list_payload = max_host_payload - 40;
static_assert(max_entry_bytes <= max_list_payload, "one entry fits one page");

std::string host_path_of(std::string_view cluster, std::string_view host);  // "__system.membership.<cluster>.@.<host>"

// Where a host is in its own stream of messages: no two of one host incarnation are equal, later ones are greater.
struct HostSequence {
    std::uint32_t epoch = 0;     // which engine since its memory was made
    std::uint64_t counter = 0;   // below 2^48
    friend auto operator<=>(const HostSequence&, const HostSequence&) = default;
};

// Once an interval, to everybody: all members of this host live as far as it knows, and this is what its list comes to. 45 bytes.
struct HostBeat {
    Incarnation incarnation{};  // the host's
    HostSequence sequence;
    std::uint32_t interval_ms = 0;  // at least 1
    ListSummary list;
    friend bool operator==(const HostBeat&, const HostBeat&) = default;
};

// To one host: say something that you cannot have said before. Answered at once.
struct HostAsk {
    std::uint64_t nonce = 0;
    Incarnation incarnation{};  // the asker's own
    bool wants_hosts = false;   // a first contact: name whom else you know
    friend bool operator==(const HostAsk&, const HostAsk&) = default;
};
struct HostAnswer {
    std::uint64_t nonce = 0;
    HostBeat beat;                  // its present one
    Incarnation known_incarnation{};  // the greatest it has heard of the asker; 0: none
    friend bool operator==(const HostAnswer&, const HostAnswer&) = default;
};

// To one host: its list, from a version on, or these ranges of it.
struct ListRequest {
    static constexpr std::size_t max_ranges = 64;
    Incarnation incarnation{};  // of the host whose list it is
    std::uint64_t since = 0;    // without ranges: the changes after this version; or all of it, if that is too long ago
    std::vector<std::pair<Place, Place>> ranges;  // ascending, none overlaps another: nobody is sent anything twice
    friend bool operator==(const ListRequest&, const ListRequest&) = default;
};

// Living hosts that the speaker knows: hints, each to be asked before it counts.
struct HostHints {
    struct Hint {
        std::string host, address;  // as the transport names addresses, 1 to 63 bytes without white space
        friend bool operator==(const Hint&, const Hint&) = default;
    };
    std::vector<Hint> hosts;
    friend bool operator==(const HostHints&, const HostHints&) = default;
};

// To whoever hears it: this host has not been heard here for its suspect timeout.
struct HostSuspected {
    std::string host;
    Incarnation incarnation{};
    friend bool operator==(const HostSuspected&, const HostSuspected&) = default;
};

// Have you heard this host lately? And the answer: yes, this sequence, so long ago.
struct VouchAsk {
    std::uint64_t nonce = 0;
    std::string host;
    Incarnation incarnation{};
    friend bool operator==(const VouchAsk&, const VouchAsk&) = default;
};
struct Vouch {
    std::uint64_t nonce = 0;
    std::string host;
    Incarnation incarnation{};
    HostSequence sequence;
    std::uint32_t age_ms = 0;
    ListSummary list;  // what it said then
    friend bool operator==(const Vouch&, const Vouch&) = default;
};

// All members of the host leave, and the host with them.
struct HostGoodbye {
    Incarnation incarnation{};
    HostSequence sequence;
    friend bool operator==(const HostGoodbye&, const HostGoodbye&) = default;
};

// Kinds are numbered by their places here, from 1: append.
using HostMessage = std::variant<HostBeat, HostAsk, HostAnswer, ListDelta, ListPage, ListRequest, HostHints, HostSuspected, VouchAsk, Vouch, HostGoodbye>;

// At most max_host_payload bytes, if whoever made it kept to the limits above.
std::string encode_host_message(const HostMessage& message);
// Any bytes are a message or refused: fails with invalid and says what is wrong. Versions of lists are below 2^48, incarnations below 2^53 and not 0 except where
// it says so, from <= to, begin < end, entries ascending by place and inside their page, none with a version above its delta's or page's, no empty places in
// pages, names and addresses validated, nothing left over, nothing longer than max_host_payload.
Result<HostMessage> decode_host_message(std::string_view payload);

}  // namespace rollcall::engine
