#include "engine/client/present.hpp"

#include <new>

#include "shm/index.hpp"
#include "shm/name.hpp"
#include "shm/stall.hpp"
#include "shm/word.hpp"

namespace rollcall {

Result<void> validate_endpoint(std::string_view endpoint) {
    if (endpoint.size() > shm::max_endpoint) return fail(ErrorKind::invalid, "the endpoint has " + std::to_string(endpoint.size()) + " bytes: at most 255 are allowed");
    if (!shm::is_clean_utf8(endpoint)) return fail(ErrorKind::invalid, "the endpoint is not UTF-8 without control characters");
    return {};
}

Result<std::string> encode_tags(const Tags& tags) {
    std::string text;
    for (const auto& [key, value] : tags) {
        if (key.empty() || key.find('=') != std::string::npos) return fail(ErrorKind::invalid, "the tag '" + key + "' must have a key without '='");
        if (!shm::is_clean_utf8(key) || !shm::is_clean_utf8(value)) return fail(ErrorKind::invalid, "a tag is not UTF-8 without control characters");
        text += key + '=' + value + '\0';
    }
    if (text.size() > shm::max_tags) return fail(ErrorKind::invalid, "the tags need " + std::to_string(text.size()) + " bytes (two more than keys and values each): at most 512 are allowed");
    return text;
}

Tags decode_tags(std::string_view encoded) {
    Tags tags;
    while (!encoded.empty()) {
        const std::size_t end = std::min(encoded.find('\0'), encoded.size());
        const std::string_view tag = encoded.substr(0, end);
        const std::size_t equals = tag.find('=');
        if (equals != std::string_view::npos && equals != 0) tags.emplace(tag.substr(0, equals), tag.substr(equals + 1));
        encoded.remove_prefix(std::min(end + 1, encoded.size()));
    }
    return tags;
}

namespace {

Evidence evidence_of(const shm::Hot& hot) {
    Evidence e;
    e.age = from_stamp_units(hot.since > hot.last_beat ? hot.since.value - hot.last_beat.value : 0);
    e.lost = from_stamp_units(hot.lost_units);
    e.late = from_stamp_units(hot.late_units);
    e.suspect_timeout = from_stamp_units(hot.suspect_units);
    e.dead_timeout = from_stamp_units(hot.dead_units);
    e.status = hot.status;
    return e;
}

// Its own word as long as that still belongs to this life, or its host's.
std::optional<Instant> last_heartbeat(const shm::Roster& roster, Slot slot, const shm::Hot& hot) {
    if (hot.word_slot.value >= roster.capacity() || hot.is_proof()) return std::nullopt;
    const std::int64_t word = roster.word(hot.word_slot).load(std::memory_order_acquire);  // [beat]
    const bool is_own = hot.word_slot != slot || shm::generation_of(word) == hot.generation;  // a host's word has its host's generation
    if (word < 0 || word == shm::free_word || !is_own) return to_instant(hot.last_beat, roster.base_ns());
    return to_instant(shm::stamp_of(word), roster.base_ns());
}

// What its process says on its card. A remote member's is on a card of its own host.
std::optional<Stall> stall_of(const shm::Roster& roster, Slot slot, const shm::Hot& hot, const shm::Blob& blob) {
    if (hot.is_proof() || hot.word_slot != slot) return std::nullopt;
    if (blob.card >= roster.capacity() || blob.card >= roster.header().cards_used.load(std::memory_order_acquire)) return std::nullopt;  // [extent]
    const auto note = shm::load_stall(roster.card(blob.card), shm::stall_member(slot, hot.generation));
    if (!note) return std::nullopt;
    return Stall{note->guard, instant_from_ns(note->since_ns), Duration{note->budget_ns}};
}

void put_name(std::array<char, 64>& to, const shm::Name& name) noexcept {
    std::memcpy(to.data(), name.words.data(), to.size());
    to[0] = static_cast<char>(name.size());
}

// The host that speaks for whoever this event is of: the name beside its members' word. Nothing if that is another's by now.
void put_host(const shm::Roster& roster, const shm::StoredEvent& stored, Event& e) noexcept {
    const bool is_told = stored.slot != no_slot && stored.hot.word_slot != stored.slot && stored.hot.word_slot.value < roster.high_water();
    if (is_of_host(stored.kind)) put_name(e.host_name, stored.name);
    if (!is_told) return;
    const shm::Name name = shm::load_name(roster.record(stored.hot.word_slot));
    if (name.is_host()) put_name(e.host_name, name);
}

}  // namespace

Peer present_peer(const shm::Roster& roster, Slot slot, const shm::Hot& hot, const shm::Name& name, const shm::Blob& blob) {
    Peer p;
    p.node = std::string(name.view());
    p.endpoint = blob.endpoint();
    p.host = blob.host();
    p.tags = decode_tags(blob.tags());
    p.state = hot.state;
    p.reason = hot.reason;
    p.since = to_instant(hot.since, roster.base_ns());
    p.last_heartbeat = last_heartbeat(roster, slot, hot);
    p.incarnation = hot.incarnation;
    p.slot = slot;
    p.generation = hot.generation;
    p.last_event = hot.lsn;
    p.pid = blob.pid;
    p.uid = blob.uid;
    p.gid = blob.gid;
    p.local = hot.word_slot == slot;
    p.evidence = evidence_of(hot);
    return p;
}

Event present_event(const shm::Roster& roster, const shm::StoredEvent& stored) {
    Event e;
    e.kind = stored.kind;
    e.state = stored.hot.state;
    e.reason = stored.hot.reason;
    e.generation = stored.hot.generation;
    e.slot = stored.slot;
    e.epoch = stored.epoch;
    e.sequence = stored.sequence;
    e.stream = roster.header().stream.load(std::memory_order_relaxed);
    e.view = stored.view;
    e.incarnation = stored.hot.incarnation;
    e.at = instant_from_ns(static_cast<std::int64_t>(stored.mono_ns & (UINT64_MAX >> 2)));  // hostile: whatever it is, it can be subtracted
    e.wall_us = static_cast<std::int64_t>(stored.wall_us);
    e.length = Duration{static_cast<std::int64_t>(stored.length_ns)};
    if (!is_of_nobody(stored.kind)) {
        e.evidence = evidence_of(stored.hot);
        // What was judged is the stamp at the event itself, even where the state began earlier.
        const Instant beat = to_instant(stored.hot.last_beat, roster.base_ns());
        e.evidence.age = e.at > beat ? Duration(e.at - beat) : Duration{};
    }
    e.blob = stored.hot.blob;
    put_name(e.name, stored.name);
    put_host(roster, stored, e);
    return e;
}

Counters present_counters(const shm::CheckpointValues& v) noexcept {
    const auto& c = v.counters;
    return {c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10]};
}

Result<Peer> find_peer(const shm::Roster& roster, std::string_view node) {
    const shm::Name name = shm::Name::of(node);
    for (int attempt = 0; attempt < shm::record_attempts && node.size() <= shm::max_node_id; ++attempt) {
        shm::FoundRecord found;
        const shm::Lookup outcome = shm::find(roster, name, found);
        if (outcome == shm::Lookup::busy) break;
        if (outcome == shm::Lookup::absent) return fail(ErrorKind::unknown_node, "no node '" + std::string(node) + "' in this cluster");
        shm::Blob blob;
        const bool read = shm::load_blob(roster, found.record.hot.blob, blob);
        if (shm::load_version(roster.record(found.slot)) != found.record.version) continue;
        if (!read) return fail(ErrorKind::damaged, "the details of node '" + std::string(node) + "' do not read");
        Peer peer = present_peer(roster, found.slot, found.record.hot, found.record.name, blob);
        peer.stall = stall_of(roster, found.slot, found.record.hot, blob);
        return peer;
    }
    if (node.size() > shm::max_node_id) return fail(ErrorKind::unknown_node, "no node id is longer than 63 bytes");
    return fail(ErrorKind::busy, "the memory would not hold still; try again");
}

namespace {

Result<std::vector<Peer>> collect_peers(const shm::Roster& roster, Sequence* at, std::uint64_t* view) {
    shm::Image image;
    if (shm::take_snapshot(roster, image) == shm::Snapshot::busy) return fail(ErrorKind::busy, "the memory would not hold still; try again");
    std::vector<Peer> peers;
    for (std::uint32_t i = 0; i < image.slots.size(); ++i) {
        const shm::SlotImage& s = image.slots[i];
        if (s.hot.state == State::none || s.name.is_host()) continue;
        peers.push_back(present_peer(roster, Slot{i}, s.hot, s.name, s.blob));
        if (s.hot.state != State::alive) peers.back().stall = stall_of(roster, Slot{i}, s.hot, s.blob);  // a line of its own: not for the many
    }
    if (at != nullptr) *at = image.at;
    if (view != nullptr) *view = image.view;
    return peers;
}

}  // namespace

namespace {

Host present_host(const shm::Roster& roster, Slot slot, const shm::SlotImage& s) {
    Host h;
    h.name = std::string(s.name.view());
    const std::string_view where = s.blob.endpoint();
    const std::size_t colon = std::min(where.find(':'), where.size());
    h.transport = where.substr(0, colon);
    h.address = where.substr(std::min(colon + 1, where.size()));
    h.state = s.hot.state;
    h.reason = s.hot.reason;
    h.since = to_instant(s.hot.since, roster.base_ns());
    h.last_heard = last_heartbeat(roster, slot, s.hot).value_or(h.since);
    h.interval = Duration{static_cast<std::int64_t>(s.blob.start_ticks)};
    h.incarnation = s.hot.incarnation;
    h.slot = slot;
    h.evidence = evidence_of(s.hot);
    if (s.blob.card >= roster.capacity() || s.blob.card >= roster.header().cards_used.load(std::memory_order_acquire)) return h;  // [extent]
    const shm::Card& card = roster.card(s.blob.card);
    h.loss = static_cast<double>(std::min<std::uint64_t>(card.loss_ppm.load(std::memory_order_relaxed), 1'000'000)) / 1e6;  // relaxed: for show
    const std::uint64_t round_trip = card.round_trip_ns.load(std::memory_order_relaxed);
    if (round_trip != 0 && round_trip < std::uint64_t{1} << 62) h.round_trip = Duration{static_cast<std::int64_t>(round_trip)};
    return h;
}

}  // namespace

Result<std::vector<Host>> snapshot_hosts(const shm::Roster& roster) {
    try {
        shm::Image image;
        if (shm::take_snapshot(roster, image) == shm::Snapshot::busy) return fail(ErrorKind::busy, "the memory would not hold still; try again");
        std::vector<Host> hosts;
        std::map<std::string, std::size_t, std::less<>> places;
        for (std::uint32_t i = 0; i < image.slots.size(); ++i) {
            const shm::SlotImage& s = image.slots[i];
            if (s.hot.state == State::none || !s.name.is_host()) continue;
            hosts.push_back(present_host(roster, Slot{i}, s));
            places.emplace(hosts.back().name, hosts.size() - 1);
        }
        for (std::uint32_t i = 0; i < image.slots.size(); ++i) {
            const shm::SlotImage& s = image.slots[i];
            if (s.hot.state == State::none || s.name.is_host() || s.hot.word_slot == Slot{i}) continue;
            const auto host = places.find(s.blob.host());
            if (host == places.end()) continue;
            ++hosts[host->second].members;
            hosts[host->second].alive += s.hot.state == State::alive;
        }
        return hosts;
    } catch (const std::bad_alloc&) {
        return fail(ErrorKind::full, "no memory for a snapshot of " + std::to_string(roster.high_water()) + " slots");
    }
}

Result<std::vector<Peer>> snapshot_peers(const shm::Roster& roster, Sequence* at, std::uint64_t* view) {
    try {
        return collect_peers(roster, at, view);
    } catch (const std::bad_alloc&) {
        return fail(ErrorKind::full, "no memory for a snapshot of " + std::to_string(roster.high_water()) + " slots");
    }
}

}  // namespace rollcall
