#include "engine/hosts/list_entry.hpp"

#include "engine/client/present.hpp"
#include "shm/name.hpp"

namespace rollcall::engine {

namespace {

// place 32 | version 48 | what counts besides the place, and of whoever is there why the one before is gone 8:
// state 8 | reason 8, and of whoever is there:
// incarnation 56 | how it ended 8 (0 unknown, 1 exit code, 2 signal) and which 8 | length of node 8, node | of endpoint 8, endpoint | of tags 16, tags
constexpr std::size_t place_bytes = 4, version_bytes = 6, incarnation_bytes = 7;
constexpr std::size_t empty_bytes = place_bytes + version_bytes + 2, fixed_bytes = empty_bytes + 1 + incarnation_bytes + 2 + 1 + 1 + 2;
static_assert(fixed_bytes + shm::max_node_id + shm::max_endpoint + shm::max_tags == max_entry_bytes);

enum Ending : std::uint8_t { ending_unknown = 0, ending_exited = 1, ending_signalled = 2 };

bool is_known_state(std::uint64_t value) noexcept { return value <= static_cast<std::uint64_t>(State::dead); }
bool is_known_reason(std::uint64_t value) noexcept { return to_string(static_cast<Reason>(value)) != to_string(Reason::none); }

void write_claim(ByteWriter& to, const ListEntry& e) {
    to.number(static_cast<std::uint64_t>(e.state), 1).number(static_cast<std::uint64_t>(e.reason), 1);
    if (e.state == State::none) return;
    to.number(e.incarnation.value, incarnation_bytes);
    to.number(!e.status ? ending_unknown : e.status->signalled ? ending_signalled : ending_exited, 1).number(e.status ? e.status->value : 0, 1);
    to.sized(e.node, 1).sized(e.endpoint, 1).sized(e.tags, 2);
}

// What it reads is what it writes: in order, each key once.
bool are_tags(std::string_view text) {
    const auto again = encode_tags(decode_tags(text));
    return again && *again == text;
}

Result<void> validate(const ListEntry& e) {
    if (e.incarnation.value == 0 || e.incarnation.value >= incarnation_limit) return fail(ErrorKind::invalid, "an entry of a list with an incarnation that cannot be");
    if (auto ok = shm::validate_node_id(e.node); !ok) return ok;
    if (auto ok = validate_endpoint(e.endpoint); !ok) return ok;
    if (!are_tags(e.tags)) return fail(ErrorKind::invalid, "an entry of a list with tags that cannot be");
    return {};
}

Result<ListEntry> read_member(ByteReader& from, ListEntry entry) {
    entry.incarnation = Incarnation{from.number(incarnation_bytes)};
    const std::uint64_t ending = from.number(1), value = from.number(1);
    entry.node = from.sized(1);
    entry.endpoint = from.sized(1);
    entry.tags = from.sized(2);
    const std::uint64_t previous = from.number(1);
    if (from.is_short()) return entry;
    if (previous != 0 && !is_known_reason(previous)) return fail(ErrorKind::invalid, "an entry of a list after one that is gone for the unknown reason " + std::to_string(previous));
    entry.previous = static_cast<Reason>(previous);
    if (ending > ending_signalled || (ending == ending_unknown && value != 0)) return fail(ErrorKind::invalid, "an entry of a list with an end that cannot be");
    if (ending != ending_unknown) entry.status = ExitStatus{ending == ending_signalled, static_cast<std::uint8_t>(value)};
    if (auto ok = validate(entry); !ok) return fail(ok.error());
    return entry;
}

}  // namespace

void write_entry(ByteWriter& to, const ListEntry& entry) {
    to.number(entry.place, place_bytes).number(entry.version, version_bytes);
    write_claim(to, entry);
    if (entry.state != State::none) to.number(static_cast<std::uint64_t>(entry.previous), 1);
}

Result<ListEntry> read_entry(ByteReader& from) {
    ListEntry entry;
    entry.place = static_cast<Place>(from.number(place_bytes));
    entry.version = from.number(version_bytes);
    const std::uint64_t state = from.number(1), reason = from.number(1);
    if (from.is_short()) return entry;
    if (entry.place == end_of_places) return fail(ErrorKind::invalid, "an entry of a list behind its end");
    if (entry.version == 0) return fail(ErrorKind::invalid, "an entry of a list without a version");
    if (!is_known_state(state)) return fail(ErrorKind::invalid, "an entry of a list in the unknown state " + std::to_string(state));
    entry.state = static_cast<State>(state);
    // Why a place is empty need not be known.
    if (!is_known_reason(reason) && (reason != 0 || entry.state != State::none)) return fail(ErrorKind::invalid, "an entry of a list for the unknown reason " + std::to_string(reason));
    entry.reason = static_cast<Reason>(reason);
    return entry.state == State::none ? entry : read_member(from, std::move(entry));
}

std::size_t encoded_size(const ListEntry& e) noexcept { return e.state == State::none ? empty_bytes : fixed_bytes + e.node.size() + e.endpoint.size() + e.tags.size(); }

Digest digest_of(const ListEntry& entry) {
    if (entry.state == State::none) return {};
    ByteWriter out;
    out.number(entry.place, place_bytes);
    write_claim(out, entry);
    return digest_of(std::string_view(out.take()));
}

}  // namespace rollcall::engine
