#include "engine/transports/nats.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/hosts/datagram.hpp"
#include "engine/hosts/host_message.hpp"
#include "engine/hosts/switchboard.hpp"
#include "engine/quiet_thread.hpp"
#include "engine/transports/echoes.hpp"
#include "engine/transports/nats_connection.hpp"
#include "engine/transports/subjects.hpp"

namespace rollcall {

namespace {

constexpr std::size_t most_peers = 16'384, longest_names = 3 * 63, header_and_more = 32;
constexpr std::string_view scheme = "nats:";  // of addresses
constexpr auto between_attempts = std::chrono::seconds(1);

std::size_t hash_of(std::string_view bytes) noexcept { return std::hash<std::string_view>{}(bytes); }

}  // namespace

struct NatsTransport::Impl final : NatsListener {
    NatsOptions options;
    Switchboard switchboard;

    // Neither is held while libnats is called, which may block: the detector asks how far we have listened.
    mutable std::mutex mutex;  // guards what follows
    std::condition_variable wake;
    std::shared_ptr<NatsConnection> connection;  // none while it is changed
    std::set<std::string> subjects;              // that every connection subscribes to
    bool wants_other_server = false, is_ending = false;
    mutable std::mutex heard_mutex;  // guards what was heard
    Echoes echoes;
    std::map<std::string, Instant, std::less<>> heard;  // by name

    std::atomic<std::uint64_t> dropped_before{0};  // by connections that are over; relaxed: a statistic
    std::size_t first_url = 0;                     // the keeper's
    std::thread keeper;

    Result<std::shared_ptr<NatsConnection>> connect();
    void keep_connected();
    void change_server();
    std::shared_ptr<NatsConnection> present() const {
        const std::lock_guard lock(mutex);
        return connection;
    }
    void want(const std::string& subject);
    void note_sent(std::string_view bytes, Instant now);
    bool is_overdue(Instant now) const {
        const std::lock_guard lock(heard_mutex);
        return echoes.is_overdue(now);
    }
    void change_soon();
    void on_message(std::string_view bytes) override;
    void on_line(const std::string& line) override;
    bool is_echo(const Message& message, std::string_view bytes, Instant at);
};

// From the URL whose turn it is on; libnats goes round by itself when a connection breaks.
Result<std::shared_ptr<NatsConnection>> NatsTransport::Impl::connect() {
    NatsOptions rotated = options;
    std::rotate(rotated.urls.begin(), rotated.urls.begin() + static_cast<std::ptrdiff_t>(first_url % rotated.urls.size()), rotated.urls.end());
    return NatsConnection::open(rotated, *this);
}

NatsTransport::NatsTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::shared_ptr<NatsTransport>> NatsTransport::open(NatsOptions options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    if (impl->options.urls.empty()) return fail(ErrorKind::invalid, "nats: no URL of a server");
    auto connection = impl->connect();
    if (!connection) return fail(connection.error());
    impl->connection = std::move(*connection);
    try {
        impl->keeper = engine::start_quiet_thread("rollcall-nats", [at = impl.get()] { at->keep_connected(); });
    } catch (const std::system_error& error) {
        return fail(ErrorKind::full, std::string("cannot start the thread of nats: ") + error.what());
    }
    return std::shared_ptr<NatsTransport>(new NatsTransport(std::move(impl)));
}

NatsTransport::~NatsTransport() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->is_ending = true;
    }
    impl_->wake.notify_all();
    impl_->keeper.join();
    impl_->connection.reset();  // nothing calls us any more
}

// A server that takes what we say and brings nothing back is as good as gone, whatever the connection looks like.
void NatsTransport::Impl::keep_connected() {
    std::unique_lock lock(mutex);
    for (;;) {
        wake.wait_for(lock, between_attempts, [this] { return is_ending || wants_other_server; });
        if (is_ending) return;
        if (!std::exchange(wants_other_server, false) && connection) continue;
        lock.unlock();
        change_server();
        lock.lock();
    }
}

void NatsTransport::Impl::change_server() {
    std::shared_ptr<NatsConnection> old;
    {
        const std::lock_guard lock(mutex), heard_lock(heard_mutex);
        old = std::exchange(connection, nullptr);
        echoes.change();
    }
    if (old) {
        on_line("what was sent does not come back: changing to another server");
        dropped_before.fetch_add(old->dropped(), std::memory_order_relaxed);
        old.reset();
    }
    ++first_url;
    auto made = connect();
    if (!made) return on_line(made.error().message);
    std::set<std::string> wanted;
    {
        const std::lock_guard lock(mutex), heard_lock(heard_mutex);
        wants_other_server = false;
        connection = *made;
        wanted = subjects;
    }
    for (const std::string& subject : wanted) (*made)->subscribe(subject);
}

void NatsTransport::Impl::want(const std::string& subject) {
    {
        const std::lock_guard lock(mutex);
        if (!subjects.insert(subject).second) return;
    }
    if (const auto now = present()) now->subscribe(subject);
}

void NatsTransport::Impl::note_sent(std::string_view bytes, Instant now) {
    if (is_overdue(now)) change_soon();
    const std::lock_guard lock(heard_mutex);
    echoes.sent(hash_of(bytes), now);
}

void NatsTransport::Impl::change_soon() {
    const std::lock_guard lock(mutex);
    wants_other_server = true;
    wake.notify_all();
}

void NatsTransport::Impl::on_line(const std::string& line) {
    if (options.log) options.log("nats: " + line);
}

bool NatsTransport::Impl::is_echo(const Message& message, std::string_view bytes, Instant at) {
    const std::lock_guard lock(heard_mutex);
    if (echoes.heard(hash_of(bytes))) return true;
    if (const auto known = heard.find(message.origin); known != heard.end()) known->second = at;
    else if (heard.size() < most_peers) heard.emplace(message.origin, at);
    return false;
}

void NatsTransport::Impl::on_message(std::string_view bytes) {
    const Instant now = std::chrono::steady_clock::now();
    Message message;
    if (const DatagramFault fault = decode_datagram(bytes, message, options.keys.get()); fault != DatagramFault::none) {
        if (const auto line = switchboard.count_refused(fault, "the server")) on_line(*line);
        return;
    }
    if (is_echo(message, bytes, now)) return;
    message.via = std::string(scheme) + escape_token(message.origin);
    switchboard.deliver(message, now);
}

bool NatsTransport::is_connected() const {
    const auto connection = impl_->present();
    return connection && connection->is_connected();
}

std::size_t NatsTransport::max_message() const noexcept { return max_datagram - longest_names - header_and_more; }

Result<void> NatsTransport::publish(const Message& message) {
    if (auto ok = Switchboard::check(message, max_message()); !ok) return ok;
    const auto bytes = encode_datagram(message, impl_->options.keys.get());
    if (!bytes) return fail(bytes.error());
    const std::string_view to = message.via.empty() ? std::string_view() : std::string_view(message.via).substr(std::min(scheme.size(), message.via.size()));
    if (!message.via.empty() && !(message.via.starts_with(scheme) && is_escaped_token(to))) return fail(ErrorKind::invalid, "'" + message.via + "' is no address of nats");
    const auto subject = message.via.empty() ? subject_of(message) : Result<std::string>(inbox_of(message.cluster, to));
    if (!subject) return fail(subject.error());
    if (message.content_type == engine::host_content_type) impl_->want(inbox_of(message.cluster, escape_token(message.origin)));  // whoever speaks may be asked

    impl_->switchboard.count_published();
    const auto connection = impl_->present();
    const bool is_up = connection && connection->is_connected();
    if (is_up && message.via.empty()) impl_->note_sent(*bytes, std::chrono::steady_clock::now());
    if (auto sent = is_up ? connection->publish(*subject, *bytes) : Result<void>(fail(ErrorKind::system, "not connected to a server")); !sent) {
        impl_->switchboard.count_failed();
        return sent;
    }
    return {};
}

void NatsTransport::register_shard(std::shared_ptr<Shard> shard) {
    for (const std::string& subject : subjects_of_cluster(shard->cluster())) impl_->want(subject);
    impl_->switchboard.add(std::move(shard));
}

void NatsTransport::unregister_shard(const Shard& shard) { impl_->switchboard.remove(shard); }

void NatsTransport::subscribe(std::string prefix) {
    impl_->want(subject_below(prefix));
    impl_->switchboard.subscribe(std::move(prefix));
}

std::size_t NatsTransport::deliver(const Message& message, Instant at) { return impl_->switchboard.deliver(message, at); }

Instant NatsTransport::heard_until(Instant now) const {
    if (impl_->is_overdue(now)) impl_->change_soon();  // whoever asks asks often
    const std::lock_guard lock(impl_->heard_mutex);
    return std::min(now, impl_->echoes.heard_until());
}

void NatsTransport::flush() {
    if (const auto connection = impl_->present()) connection->flush();
}

TransportStatistics NatsTransport::statistics() const {
    TransportStatistics s = impl_->switchboard.statistics();
    const auto connection = impl_->present();
    s.dropped = impl_->dropped_before.load(std::memory_order_relaxed) + (connection ? connection->dropped() : 0);
    return s;
}

std::vector<TransportPeer> NatsTransport::peers() const {
    const std::lock_guard lock(impl_->heard_mutex);
    std::vector<TransportPeer> all;
    for (const auto& [name, at] : impl_->heard) all.push_back({name, at});
    return all;
}

}  // namespace rollcall
