#include "engine/hosts/host_message.hpp"

#include <utility>

#include "shm/name.hpp"

namespace rollcall::engine {

namespace {

constexpr std::uint64_t payload_version = 1;
constexpr std::size_t incarnation_bytes = 7, counter_bytes = 6, version_bytes = 6, digest_word_bytes = 8, place_bytes = 4;
// version 8 | kind 8 | incarnation 56 | version 48 | begin 32, end 32 | entries
static_assert(2 + incarnation_bytes + version_bytes + 2 * place_bytes + max_list_payload <= max_host_payload);
// version 8 | kind 8 | incarnation 56 | since 48 | begin 32, end 32, of each range
static_assert(2 + incarnation_bytes + version_bytes + ListRequest::max_ranges * 2 * place_bytes <= max_host_payload);

class Writer {
public:
    explicit Writer(std::size_t kind) { out_.number(payload_version, 1).number(kind, 1); }

    Writer& number(std::uint64_t value, std::size_t bytes) { return out_.number(value, bytes), *this; }
    Writer& incarnation(Incarnation value) { return number(value.value, incarnation_bytes); }
    Writer& version(std::uint64_t value) { return number(value, version_bytes); }
    Writer& sequence(HostSequence value) { return number(value.epoch, 4).number(value.counter, counter_bytes); }
    Writer& name(std::string_view text) { return out_.sized(text, 1), *this; }
    Writer& digest(const Digest& value) { return number(value.words[0], digest_word_bytes).number(value.words[1], digest_word_bytes); }
    Writer& range(Place begin, Place end) { return number(begin, place_bytes).number(end, place_bytes); }
    Writer& entries(const std::vector<ListEntry>& list) {
        for (const ListEntry& entry : list) write_entry(out_, entry);
        return *this;
    }
    std::string take() { return out_.take(); }

private:
    ByteWriter out_;
};

// Whoever reads goes on whatever comes, and asks at the end whether all of it was well.
class Reader {
public:
    explicit Reader(std::string_view payload) : in_(payload) {}

    std::uint64_t number(std::size_t bytes) { return in_.number(bytes); }
    Incarnation incarnation() {
        const Incarnation read = incarnation_or_none();
        must(read.value != 0, "without an incarnation");
        return read;
    }
    Incarnation incarnation_or_none() {
        const std::uint64_t read = number(incarnation_bytes);
        must(read < incarnation_limit, "with an incarnation that cannot be");
        return Incarnation{read};
    }
    std::uint64_t version() { return number(version_bytes); }
    HostSequence sequence() {
        const std::uint64_t epoch = number(4);
        return {static_cast<std::uint32_t>(epoch), number(counter_bytes)};
    }
    Digest digest() {
        const std::uint64_t low = number(digest_word_bytes);
        return {{low, number(digest_word_bytes)}};
    }
    Place place() { return static_cast<Place>(number(place_bytes)); }
    std::string name() { return std::string(valid(in_.sized(1), "with a host's name that cannot be: ")); }
    std::string address() { return std::string(valid(in_.sized(1), "with an address that cannot be: ")); }
    // Ascending, between begin and end, changed at `newest` at the latest.
    std::vector<ListEntry> entries(Place begin, Place end, std::uint64_t newest) {
        std::vector<ListEntry> list;
        while (is_more()) {
            auto entry = read_entry(in_);
            if (!entry) must(false, "with " + entry.error().message);
            if (!entry || in_.is_short()) break;
            must(entry->place >= begin && entry->place < end, "with an entry outside its page");
            must(list.empty() || entry->place > list.back().place, "with entries that do not ascend");
            must(entry->version <= newest, "with an entry newer than itself");
            list.push_back(*std::move(entry));
        }
        return list;
    }

    bool is_more() const noexcept { return !in_.is_short() && !in_.is_done() && wrong_.empty(); }
    void must(bool holds, std::string_view what) {
        if (!holds && wrong_.empty() && !in_.is_short()) wrong_ = what;
    }
    // Nothing: all is well, and nothing is left over.
    std::string_view wrong() const noexcept { return in_.is_short() ? "that ends too early" : !wrong_.empty() ? std::string_view(wrong_) : in_.is_done() ? "" : "with something behind it"; }

private:
    std::string_view valid(std::string_view text, std::string_view what) {
        if (auto ok = shm::validate_node_id(text); !ok) must(false, std::string(what) + ok.error().message);
        return text;
    }

    ByteReader in_;
    std::string wrong_;
};

void write(Writer& to, const HostBeat& m) { to.incarnation(m.incarnation).sequence(m.sequence).number(m.interval_ms, 4).version(m.list.version).digest(m.list.digest); }
void read(Reader& from, HostBeat& m) {
    m.incarnation = from.incarnation();
    m.sequence = from.sequence();
    m.interval_ms = static_cast<std::uint32_t>(from.number(4));
    from.must(m.interval_ms != 0, "with an interval of 0 ms");
    m.list.version = from.version();
    m.list.digest = from.digest();
}

void write(Writer& to, const HostAsk& m) { to.number(m.nonce, 8).incarnation(m.incarnation).number(m.wants_hosts, 1); }
void read(Reader& from, HostAsk& m) {
    m.nonce = from.number(8);
    m.incarnation = from.incarnation();
    const std::uint64_t wants = from.number(1);
    from.must(wants <= 1, "with a wish that is unknown");
    m.wants_hosts = wants == 1;
}

void write(Writer& to, const HostAnswer& m) {
    to.number(m.nonce, 8);
    write(to, m.beat);
    to.incarnation(m.known_incarnation);
}
void read(Reader& from, HostAnswer& m) {
    m.nonce = from.number(8);
    read(from, m.beat);
    m.known_incarnation = from.incarnation_or_none();
}

void write(Writer& to, const ListDelta& m) { to.incarnation(m.incarnation).version(m.from).version(m.to).entries(m.entries); }
void read(Reader& from, ListDelta& m) {
    m.incarnation = from.incarnation();
    m.from = from.version();
    m.to = from.version();
    from.must(m.from <= m.to, "with changes that end before they begin");
    m.entries = from.entries(0, end_of_places, m.to);
}

void write(Writer& to, const ListPage& m) { to.incarnation(m.incarnation).version(m.version).range(m.begin, m.end).entries(m.entries); }
void read(Reader& from, ListPage& m) {
    m.incarnation = from.incarnation();
    m.version = from.version();
    m.begin = from.place();
    m.end = from.place();
    from.must(m.begin < m.end, "with a page that ends before it begins");
    m.entries = from.entries(m.begin, m.end, m.version);
    for (const ListEntry& entry : m.entries) from.must(entry.state != State::none, "with an empty place in a page");
}

void write(Writer& to, const ListRequest& m) {
    to.incarnation(m.incarnation).version(m.since);
    for (const auto& [begin, end] : m.ranges) to.range(begin, end);
}
void read(Reader& from, ListRequest& m) {
    m.incarnation = from.incarnation();
    m.since = from.version();
    while (from.is_more()) {
        const Place begin = from.place(), end = from.place();
        from.must(begin < end && (m.ranges.empty() || begin >= m.ranges.back().second), "with ranges that do not ascend");
        from.must(m.ranges.size() < ListRequest::max_ranges, "with too many ranges");
        m.ranges.emplace_back(begin, end);
    }
}

void write(Writer& to, const HostHints& m) {
    for (const HostHints::Hint& hint : m.hosts) to.name(hint.host).name(hint.address);
}
void read(Reader& from, HostHints& m) {
    while (from.is_more()) {
        std::string host = from.name();
        m.hosts.push_back({std::move(host), from.address()});
    }
}

void write(Writer& to, const HostSuspected& m) { to.name(m.host).incarnation(m.incarnation); }
void read(Reader& from, HostSuspected& m) {
    m.host = from.name();
    m.incarnation = from.incarnation();
}

void write(Writer& to, const VouchAsk& m) { to.number(m.nonce, 8).name(m.host).incarnation(m.incarnation); }
void read(Reader& from, VouchAsk& m) {
    m.nonce = from.number(8);
    m.host = from.name();
    m.incarnation = from.incarnation();
}

void write(Writer& to, const Vouch& m) { to.number(m.nonce, 8).name(m.host).incarnation(m.incarnation).sequence(m.sequence).number(m.age_ms, 4).version(m.list.version).digest(m.list.digest); }
void read(Reader& from, Vouch& m) {
    m.nonce = from.number(8);
    m.host = from.name();
    m.incarnation = from.incarnation();
    m.sequence = from.sequence();
    m.age_ms = static_cast<std::uint32_t>(from.number(4));
    m.list.version = from.version();
    m.list.digest = from.digest();
}

void write(Writer& to, const HostGoodbye& m) { to.incarnation(m.incarnation).sequence(m.sequence); }
void read(Reader& from, HostGoodbye& m) {
    m.incarnation = from.incarnation();
    m.sequence = from.sequence();
}

constexpr std::size_t kinds = std::variant_size_v<HostMessage>;

template <std::size_t... Index>
void read_kind(Reader& from, std::size_t kind, HostMessage& message, std::index_sequence<Index...>) {
    ((kind == Index + 1 ? read(from, message.emplace<Index>()) : void()), ...);
}

}  // namespace

std::string host_path_of(std::string_view cluster, std::string_view host) { return membership_prefix(cluster).append("@.").append(host); }

std::string encode_host_message(const HostMessage& message) {
    Writer to(message.index() + 1);
    std::visit([&](const auto& m) { write(to, m); }, message);
    return to.take();
}

Result<HostMessage> decode_host_message(std::string_view payload) {
    const auto refuse = [](std::string_view what) { return fail(ErrorKind::invalid, "a host message " + std::string(what)); };
    if (payload.size() > max_host_payload) return refuse("of " + std::to_string(payload.size()) + " bytes: at most " + std::to_string(max_host_payload) + " are allowed");
    if (payload.size() < 2) return refuse("that ends too early");
    Reader from(payload);
    if (const std::uint64_t version = from.number(1); version != payload_version) return refuse("of version " + std::to_string(version));
    const std::size_t kind = from.number(1);
    if (kind == 0 || kind > kinds) return refuse("of the unknown kind " + std::to_string(kind));
    HostMessage message;
    read_kind(from, kind, message, std::make_index_sequence<kinds>());
    if (const std::string_view wrong = from.wrong(); !wrong.empty()) return refuse(wrong);
    return message;
}

}  // namespace rollcall::engine
