#include "engine/control/protocol.hpp"

#include <array>
#include <cstring>
#include <type_traits>

namespace rollcall::control {

namespace {

class Writer {
public:
    template <class T>
        requires std::is_integral_v<T>
    void operator()(const T& value) {
        std::array<char, sizeof(T)> bytes;
        std::memcpy(bytes.data(), &value, sizeof(T));
        out.append(bytes.data(), bytes.size());
    }
    void operator()(const std::string& text) {
        (*this)(static_cast<std::uint16_t>(text.size()));
        out += text;
    }
    void operator()(const std::optional<ExitStatus>& s) {
        (*this)(static_cast<std::uint8_t>(s ? (s->signalled ? 2 : 1) : 0));
        (*this)(static_cast<std::uint8_t>(s ? s->value : 0));
    }
    template <class T, std::size_t N>
    void operator()(const T (&values)[N]) {
        for (const T& value : values) (*this)(value);
    }

    std::string out;
};

// Never reads beyond the packet: what is missing makes it `bad`.
class Reader {
public:
    explicit Reader(std::string_view packet) : rest(packet) {}

    template <class T>
        requires std::is_integral_v<T>
    void operator()(T& value) {
        if (rest.size() < sizeof(T)) return void(bad = true);
        if constexpr (std::is_same_v<T, bool>) {
            value = rest[0] != 0;
        } else {
            std::memcpy(&value, rest.data(), sizeof(T));
        }
        rest.remove_prefix(sizeof(T));
    }
    void operator()(std::string& text) {
        std::uint16_t length = 0;
        (*this)(length);
        if (bad || rest.size() < length) return void(bad = true);
        text.assign(rest.substr(0, length));
        rest.remove_prefix(length);
    }
    void operator()(std::optional<ExitStatus>& s) {
        std::uint8_t kind = 0, value = 0;
        (*this)(kind);
        (*this)(value);
        if (kind > 2) bad = true;
        s = kind == 0 ? std::nullopt : std::optional(ExitStatus{kind == 2, value});
    }
    template <class T, std::size_t N>
    void operator()(T (&values)[N]) {
        for (T& value : values) (*this)(value);
    }

    bool is_complete() const noexcept { return !bad && rest.empty(); }

    std::string_view rest;
    bool bad = false;
};

// One list of fields a kind, for both directions.
template <class Codec, class M>
bool fields_of(Codec& codec, M& m) {
    switch (m.kind) {
        case Kind::join: codec(m.node), codec(m.endpoint), codec(m.tags), codec(m.token), codec(m.replace), codec(m.wrapped); return true;
        case Kind::leave: codec(m.node), codec(m.incarnation); return true;
        case Kind::update: codec(m.node), codec(m.incarnation), codec(m.has_endpoint), codec(m.endpoint), codec(m.has_tags), codec(m.tags); return true;
        case Kind::exited: codec(m.node), codec(m.incarnation), codec(m.status), codec(m.goodbye); return true;
        case Kind::watchdog: codec(m.node), codec(m.incarnation); return true;
        case Kind::configure: codec(m.settings_ns); return true;
        case Kind::evict: codec(m.node); return true;
        case Kind::stop: codec(m.goodbye); return true;
    }
    return false;
}

template <class Codec, class R>
void fields_of_reply(Codec& codec, R& r) {
    codec(r.slot), codec(r.generation), codec(r.incarnation), codec(r.card), codec(r.settings_ns);
}

}  // namespace

std::string encode(const Message& m) {
    Writer w;
    w(protocol_version), w(static_cast<std::uint8_t>(m.kind)), w(m.id);
    fields_of(w, m);
    return std::move(w.out);
}

std::string encode(const Reply& r) {
    Writer w;
    w(protocol_version), w(static_cast<std::uint8_t>(r.kind)), w(r.id);
    w(static_cast<std::uint8_t>(r.error ? static_cast<unsigned>(r.error->kind) + 1 : 0));
    if (r.error) w(r.error->message.substr(0, max_packet / 2));
    else fields_of_reply(w, r);
    return std::move(w.out);
}

std::optional<Message> decode_message(std::string_view packet, std::string& why) {
    Reader r(packet);
    std::uint8_t version = 0, kind = 0;
    Message m;
    r(version), r(kind), r(m.id);
    if (version != protocol_version) {
        why = "control protocol version " + std::to_string(version) + ", this engine speaks " + std::to_string(protocol_version);
        return std::nullopt;
    }
    m.kind = static_cast<Kind>(kind);
    if (r.bad || !fields_of(r, m) || !r.is_complete()) {
        why = "a request that does not read";
        return std::nullopt;
    }
    return m;
}

std::optional<Reply> decode_reply(std::string_view packet) {
    Reader r(packet);
    std::uint8_t version = 0, kind = 0, outcome = 0;
    Reply reply;
    r(version), r(kind), r(reply.id), r(outcome);
    reply.kind = static_cast<Kind>(kind);
    if (outcome != 0) {
        Error error{static_cast<ErrorKind>(outcome - 1), {}};
        r(error.message);
        reply.error = std::move(error);
    } else {
        fields_of_reply(r, reply);
    }
    if (version != protocol_version || !r.is_complete()) return std::nullopt;
    return reply;
}

void pack(const Settings& s, std::uint64_t (&out)[5]) noexcept {
    const std::array<Duration, 5> all{s.heartbeat, s.suspect, s.dead, s.evict, s.scan};
    for (std::size_t i = 0; i < all.size(); ++i) out[i] = static_cast<std::uint64_t>(all[i].count());
}

Settings unpack(const std::uint64_t (&in)[5], const Settings& base) noexcept {
    Settings s = base;
    const std::array<Duration*, 5> all{&s.heartbeat, &s.suspect, &s.dead, &s.evict, &s.scan};
    for (std::size_t i = 0; i < all.size(); ++i)
        if (in[i] != 0) *all[i] = Duration{static_cast<std::int64_t>(in[i])};
    return s;
}

}  // namespace rollcall::control
