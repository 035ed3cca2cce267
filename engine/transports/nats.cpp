#include "engine/transports/nats.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
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
constexpr auto between_attempts = std::chrono::seconds(1), longest_down = std::chrono::seconds(10);
constexpr std::size_t most_waiting = 8'192;  // messages that libnats has not taken yet

std::size_t hash_of(std::string_view bytes) noexcept { return std::hash<std::string_view>{}(bytes); }

}  // namespace

// Three kinds of threads: whoever publishes, and the detector, wait for nobody; the sender and the keeper wait for libnats, which may take seconds; libnats calls back.
struct NatsTransport::Impl final : NatsListener {
    NatsOptions options;
    Switchboard switchboard;
    std::atomic<bool> is_up{false};

    // Neither is held while libnats is called.
    mutable std::mutex mutex;  // guards what follows
    std::condition_variable wake, has_work, is_idle;
    std::shared_ptr<NatsConnection> connection;  // none while it is changed. Held by keeper and sender alone: whoever holds it last closes it
    struct Work {
        std::string subject;
        std::optional<std::string> bytes;  // none: to subscribe to
    };
    std::deque<Work> work;
    std::set<std::string> subjects, clusters;    // that every connection subscribes to; of the shards
    bool wants_other_server = false, is_closed = false, is_sending = false, is_ending = false;
    mutable std::mutex heard_mutex;  // guards what was heard
    Echoes echoes;
    std::map<std::string, Instant, std::less<>> heard;  // by name

    std::atomic<std::uint64_t> dropped{0};      // relaxed: a statistic
    std::size_t first_url = 0;                  // the keeper's
    Instant down_since{};                       // the keeper's
    std::thread keeper, sender;

    Result<std::shared_ptr<NatsConnection>> connect();
    Result<void> start();
    void end();
    void keep_connected();
    void change_server(const char* why);
    void send();
    void do_work(const std::shared_ptr<NatsConnection>& by, const Work& what);
    void want(const std::string& subject);
    bool enqueue(Work what);
    void note_sent(std::string_view bytes, Instant now);
    bool is_overdue(Instant now) const {
        const std::lock_guard lock(heard_mutex);
        return echoes.is_overdue(now);
    }
    void change_soon();
    bool comes_back(const Message& message) const;
    void on_message(std::string_view bytes) override;
    void on_line(const std::string& line) override;
    void on_connected(bool is_connected) override { is_up.store(is_connected, std::memory_order_relaxed); }  // relaxed: nothing else is told by it
    void on_closed() override;
    bool is_echo(const Message& message, std::string_view bytes, Instant at);
};

// From the URL whose turn it is on; libnats goes round by itself when a connection breaks. Files are read anew.
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
    if (auto started = impl->start(); !started) {
        impl->end();
        return fail(started.error());
    }
    return std::shared_ptr<NatsTransport>(new NatsTransport(std::move(impl)));
}

Result<void> NatsTransport::Impl::start() {
    try {
        keeper = engine::start_quiet_thread("rollcall-nats", [this] { keep_connected(); });
        sender = engine::start_quiet_thread("rollcall-send", [this] { send(); });
        return {};
    } catch (const std::system_error& error) {
        return fail(ErrorKind::full, std::string("cannot start the threads of nats: ") + error.what());
    }
}

NatsTransport::~NatsTransport() { impl_->end(); }

void NatsTransport::Impl::end() {
    {
        const std::lock_guard lock(mutex);
        is_ending = true;
    }
    for (std::condition_variable* each : {&wake, &has_work, &is_idle}) each->notify_all();
    if (keeper.joinable()) keeper.join();
    if (sender.joinable()) sender.join();
    connection.reset();  // nothing calls us any more
}

// A server that takes what we say and brings nothing back is as good as gone, whatever the connection looks like. One that libnats has given up, or that was not
// reached for long, is tried anew: credentials and certificates may be others by now.
void NatsTransport::Impl::keep_connected() {
    std::unique_lock lock(mutex);
    for (;;) {
        wake.wait_for(lock, between_attempts, [this] { return is_ending || wants_other_server; });
        if (is_ending) return;
        const Instant now = std::chrono::steady_clock::now();
        if (is_up.load(std::memory_order_relaxed) || down_since == Instant{}) down_since = now;
        const bool is_long_down = now - down_since > longest_down;
        const char* why = std::exchange(wants_other_server, false) ? "what was sent does not come back: changing to another server" : is_closed || is_long_down ? "beginning anew" : nullptr;
        if (why == nullptr && connection) continue;
        is_closed = false;
        down_since = now;
        lock.unlock();
        change_server(why);
        lock.lock();
    }
}

void NatsTransport::Impl::change_server(const char* why) {
    std::shared_ptr<NatsConnection> old;
    {
        const std::lock_guard lock(mutex), heard_lock(heard_mutex);
        old = std::exchange(connection, nullptr);
        echoes.change();
    }
    if (why != nullptr) on_line(why);
    is_up.store(false, std::memory_order_relaxed);
    old.reset();
    ++first_url;
    auto made = connect();
    if (!made) return on_line(made.error().message);
    const std::lock_guard lock(mutex);
    wants_other_server = false;
    connection = std::move(*made);
    for (const std::string& subject : subjects) work.push_front({subject, std::nullopt});
    has_work.notify_all();
}

// One behind the other, as far as libnats takes it: what it is too slow for is lost, and keeps no other transport waiting.
void NatsTransport::Impl::send() {
    std::unique_lock lock(mutex);
    for (;;) {
        has_work.wait(lock, [this] { return is_ending || (!work.empty() && connection); });
        if (is_ending) return;
        const Work next = std::move(work.front());
        work.pop_front();
        is_sending = true;
        auto by = connection;
        lock.unlock();
        do_work(by, next);
        by.reset();
        lock.lock();
        is_sending = false;
        if (work.empty()) is_idle.notify_all();
    }
}

void NatsTransport::Impl::do_work(const std::shared_ptr<NatsConnection>& by, const Work& what) {
    if (!what.bytes) return by->subscribe(what.subject);
    if (!by->publish(what.subject, *what.bytes)) switchboard.count_failed();
    dropped.store(by->dropped(), std::memory_order_relaxed);
}

// False: there is too much already.
bool NatsTransport::Impl::enqueue(Work what) {
    const std::lock_guard lock(mutex);
    if (what.bytes && work.size() >= most_waiting) return false;
    work.push_back(std::move(what));
    has_work.notify_one();
    return true;
}

void NatsTransport::Impl::want(const std::string& subject) {
    {
        const std::lock_guard lock(mutex);
        if (!subjects.insert(subject).second) return;
    }
    enqueue({subject, std::nullopt});
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

void NatsTransport::Impl::on_closed() {
    const std::lock_guard lock(mutex);
    is_closed = true;  // the keeper looks once a second
}

// Only what is said to everybody of a cluster that is heard here.
bool NatsTransport::Impl::comes_back(const Message& message) const {
    const bool is_membership = message.content_type == engine::host_content_type || message.content_type == heartbeat_content_type;
    const std::lock_guard lock(mutex);
    return message.via.empty() && is_membership && clusters.contains(message.cluster);
}

void NatsTransport::Impl::on_line(const std::string& line) {
    if (options.log) options.log("nats: " + line);
}

bool NatsTransport::Impl::is_echo(const Message& message, std::string_view bytes, Instant at) {
    const std::lock_guard lock(heard_mutex);
    if (echoes.heard(hash_of(bytes), at)) return true;
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

bool NatsTransport::is_connected() const { return impl_->is_up.load(std::memory_order_relaxed); }

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
    if (!is_connected()) {
        impl_->switchboard.count_failed();
        return fail(ErrorKind::system, "not connected to a server");
    }
    if (impl_->comes_back(message)) impl_->note_sent(*bytes, std::chrono::steady_clock::now());
    if (impl_->enqueue({*subject, *bytes})) return {};
    impl_->switchboard.count_failed();
    return fail(ErrorKind::full, "the server takes messages more slowly than they come");
}

void NatsTransport::register_shard(std::shared_ptr<Shard> shard) {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->clusters.insert(shard->cluster());
    }
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

// Not from a callback.
void NatsTransport::flush() {
    std::shared_ptr<NatsConnection> by;
    {
        std::unique_lock lock(impl_->mutex);
        const auto is_done = [this] { return impl_->is_ending || (impl_->work.empty() && !impl_->is_sending); };
        if (!impl_->is_idle.wait_for(lock, between_attempts, is_done)) return;
        by = impl_->connection;
    }
    if (by) by->flush();
}

TransportStatistics NatsTransport::statistics() const {
    TransportStatistics s = impl_->switchboard.statistics();
    s.dropped = impl_->dropped.load(std::memory_order_relaxed);
    return s;
}

std::vector<TransportPeer> NatsTransport::peers() const {
    const std::lock_guard lock(impl_->heard_mutex);
    std::vector<TransportPeer> all;
    for (const auto& [name, at] : impl_->heard) all.push_back({name, at});
    return all;
}

}  // namespace rollcall
