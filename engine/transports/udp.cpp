#include "engine/transports/udp.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_map>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/hosts/datagram.hpp"
#include "engine/hosts/switchboard.hpp"
#include "engine/quiet_thread.hpp"
#include "engine/transports/address.hpp"
#include "engine/transports/combined.hpp"
#include "engine/transports/datagram_batch.hpp"
#include "engine/transports/gathering.hpp"
#include "engine/transports/seeds.hpp"
#include "engine/transports/socket_watch.hpp"
#include "shm/descriptor.hpp"

namespace rollcall {

namespace {

constexpr int most_batches = 16;
constexpr std::size_t most_peers = 16'384;
constexpr int receive_buffer = 4 << 20;  // the default holds 256 datagrams: a quarter of a second of a thousand hosts
constexpr auto between_joins = std::chrono::seconds(10);
constexpr std::size_t longest_names = 3 * 63, header_and_more = 32;

// By the family: a host may have a socket of each.
constexpr std::string_view name_of(int family) noexcept { return family == AF_INET6 ? "udp6" : "udp"; }

// A number, as text() writes it, behind the transport's name.
std::optional<Address> read_address(std::string_view text, int family) {
    if (!is_address_of(name_of(family), text)) return std::nullopt;
    const auto where = parse_host_port(text.substr(name_of(family).size() + 1));
    if (!where) return std::nullopt;
    auto found = resolve(*where, family, true);
    return found.empty() ? std::nullopt : std::optional(found.front());
}

}  // namespace

struct UdpTransport::Impl {
    UdpOptions options;
    shm::Descriptor socket, group_socket, wakeup;
    Address bound;
    std::optional<Address> group;
    std::string address;
    Switchboard switchboard;

    std::shared_ptr<Seeds> seeds;
    mutable std::mutex mutex;  // guards what was heard
    struct Heard {
        std::string text;
        Instant at;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view bytes) const noexcept { return std::hash<std::string_view>{}(bytes); }
    };
    std::unordered_map<std::string, Heard, Hash, std::equal_to<>> heard;  // by the bytes of the address
    SocketWatch watch;
    std::thread receiver;

    Result<void> bind();
    Result<void> bind_group();
    bool join_group() noexcept;
    Result<void> start();
    void receive();
    bool take_waiting(int from, DatagramBatch& batch, Gathering& gathering);
    void name_senders(const DatagramBatch& batch, std::size_t count, Instant at);
    void take(std::string_view bytes, const Address& from, std::string& sender, Instant at);
    Message message;  // the receiver's: what one datagram has made room for serves the next
    std::array<std::string, packets_at_once> senders;
    bool send(std::string_view datagram, const Address* to, std::size_t count, std::string& why);
    void log(const std::string& line) const {
        if (options.log) options.log(line);
    }
};

UdpTransport::UdpTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::shared_ptr<UdpTransport>> UdpTransport::open(UdpOptions options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    if (auto bound = impl->bind(); !bound) return fail(bound.error());
    if (auto bound = impl->bind_group(); !bound) return fail(bound.error());
    std::shared_ptr<UdpTransport> transport(new UdpTransport(std::move(impl)));
    for (const std::string& seed : transport->impl_->options.seeds)
        if (auto added = transport->add_seed(seed); !added) return fail(added.error());
    if (auto started = transport->impl_->start(); !started) return fail(started.error());
    return transport;
}

Result<void> UdpTransport::Impl::bind() {
    const auto where = parse_host_port(options.bind);
    if (!where) return fail(where.error());
    const auto found = resolve(*where, AF_UNSPEC, true);
    if (found.empty()) return fail(ErrorKind::invalid, "'" + options.bind + "' is no numeric ADDRESS:PORT to bind to");
    if (!found.front().is_loopback() && !options.insecure && !options.keys)
        return fail(ErrorKind::invalid, "udp " + options.bind + " can be reached from other machines, and nothing is signed: bind to 127.0.0.1, give --keys, or say --insecure");
    socket.reset(::socket(found.front().family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    wakeup.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!socket || !wakeup) return fail(ErrorKind::full, std::string("cannot make a UDP socket: ") + std::strerror(errno));
    const int on = 1, whole = IP_PMTUDISC_DO;
    if (found.front().family() == AF_INET6) {
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &whole, sizeof whole);
    } else {
        ::setsockopt(socket.get(), IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof whole);
    }
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    int granted = 0;
    socklen_t size = sizeof granted;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &granted, &size) == 0 && granted < receive_buffer)
        log("udp: the kernel grants a receive buffer of " + std::to_string(granted / 1024) + " KiB instead of " + std::to_string(receive_buffer / 1024) + ": many hosts may overrun it (sysctl net.core.rmem_max)");
    if (::bind(socket.get(), found.front().get(), found.front().size) != 0) return fail(errno == EADDRINUSE ? ErrorKind::held : ErrorKind::system, "cannot bind udp " + options.bind + ": " + std::strerror(errno));
    bound.size = sizeof bound.storage;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
    address = bound.text();
    seeds = std::make_shared<Seeds>(bound.family());
    return {};
}

// A socket of its own: what is sent to the group comes to whoever is bound to the group, on a port that many share.
Result<void> UdpTransport::Impl::bind_group() {
    if (options.multicast.empty()) return {};
    const auto where = parse_host_port(options.multicast);
    if (!where) return fail(where.error());
    const auto found = resolve(*where, AF_INET, true);
    if (bound.family() != AF_INET || found.empty() || !found.front().is_multicast() || where->port == 0)
        return fail(ErrorKind::invalid, "multicast '" + options.multicast + "' is no GROUP:PORT of IPv4, or " + options.bind + " is not: IPv6 goes by seeds");
    group = found.front();
    group_socket.reset(::socket(group->family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!group_socket) return fail(ErrorKind::full, std::string("cannot make a UDP socket: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(group_socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(group_socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (::bind(group_socket.get(), group->get(), group->size) != 0 || !join_group()) return fail(ErrorKind::system, "cannot join " + options.multicast + ": " + std::strerror(errno));
    return {};
}

// Sent and heard through the interface that we are bound to. Who is a member already stays one.
bool UdpTransport::Impl::join_group() noexcept {
    const ip_mreqn membership{reinterpret_cast<const sockaddr_in&>(group->storage).sin_addr, reinterpret_cast<const sockaddr_in&>(bound.storage).sin_addr, 0};
    ::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership);
    return ::setsockopt(group_socket.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) == 0 || errno == EADDRINUSE;
}

Result<void> UdpTransport::Impl::start() {
    watch.watch(group ? std::vector{socket.get(), group_socket.get()} : std::vector{socket.get()});
    try {
        receiver = engine::start_quiet_thread("rollcall-udp", [this] { receive(); });
        engine::start_quiet_thread("rollcall-names", [all = seeds] { all->resolve_until_end(); }).detach();  // getaddrinfo() cannot be interrupted
        return {};
    } catch (const std::system_error& error) {
        return fail(ErrorKind::full, std::string("cannot start the threads of udp: ") + error.what());
    }
}

UdpTransport::~UdpTransport() {
    impl_->seeds->end();
    const std::uint64_t one = 1;
    (void)!::write(impl_->wakeup.get(), &one, sizeof one);
    if (impl_->receiver.joinable()) impl_->receiver.join();
}

const std::string& UdpTransport::address() const noexcept { return impl_->address; }
std::size_t UdpTransport::max_message() const noexcept { return max_datagram - longest_names - header_and_more; }
void UdpTransport::register_shard(std::shared_ptr<Shard> shard) { impl_->switchboard.add(std::move(shard)); }
void UdpTransport::unregister_shard(const Shard& shard) { impl_->switchboard.remove(shard); }
void UdpTransport::subscribe(std::string prefix) { impl_->switchboard.subscribe(std::move(prefix)); }
std::size_t UdpTransport::deliver(const Message& message, Instant at) { return impl_->switchboard.deliver(message, at); }
std::string_view UdpTransport::name() const noexcept { return name_of(impl_->bound.family()); }
Instant UdpTransport::heard_until(Instant now) const { return impl_->watch.heard_until(now); }

TransportStatistics UdpTransport::statistics() const {
    TransportStatistics s = impl_->switchboard.statistics();
    s.dropped = impl_->watch.dropped();
    return s;
}

std::vector<TransportPeer> UdpTransport::peers() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<TransportPeer> all;
    for (const auto& [bytes, seen] : impl_->heard) all.push_back({seen.text.substr(name().size() + 1), seen.at});
    return all;
}

Result<void> UdpTransport::add_seed(const std::string& seed) { return impl_->seeds->add(seed); }

void UdpTransport::set_audience(const std::vector<std::string>& addresses) {
    std::vector<Address> audience;
    for (const std::string& text : addresses)
        if (const auto to = read_address(text, impl_->bound.family())) audience.push_back(*to);
    impl_->seeds->set_audience(std::move(audience));
}

// A destination that fails is a loss, like any other, and keeps nobody else from hearing: the call stops there, and goes on behind it. True: somebody took it.
bool UdpTransport::Impl::send(std::string_view datagram, const Address* to, std::size_t count, std::string& why) {
    std::array<mmsghdr, packets_at_once> headers{};
    iovec part{const_cast<char*>(datagram.data()), datagram.size()};
    bool is_taken = false;
    for (std::size_t begin = 0; begin < count;) {
        const std::size_t many = std::min(packets_at_once, count - begin);
        for (std::size_t i = 0; i < many; ++i) {
            headers[i].msg_hdr.msg_name = const_cast<sockaddr*>(to[begin + i].get());
            headers[i].msg_hdr.msg_namelen = to[begin + i].size;
            headers[i].msg_hdr.msg_iov = &part;
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        const int taken = ::sendmmsg(socket.get(), headers.data(), static_cast<unsigned>(many), MSG_DONTWAIT | MSG_NOSIGNAL);
        is_taken = is_taken || taken > 0;
        begin += taken > 0 ? static_cast<std::size_t>(taken) : 0;
        if (taken > 0) continue;
        why = to[begin].text() + ": " + std::strerror(errno);
        switchboard.count_failed();
        ++begin;
    }
    return is_taken;
}

Result<void> UdpTransport::publish(const Message& message) {
    if (auto ok = Switchboard::check(message, max_message()); !ok) return ok;
    const auto datagram = encode_datagram(message, impl_->options.keys.get());
    if (!datagram) return fail(datagram.error());
    impl_->switchboard.count_published();
    std::string why;
    bool is_taken = false;
    if (!message.via.empty()) {
        const auto to = read_address(message.via, impl_->bound.family());
        if (!to) return fail(ErrorKind::invalid, "'" + message.via + "' is no address of udp");
        is_taken = impl_->send(*datagram, &*to, 1, why);
    } else {
        const auto everybody = impl_->seeds->addresses(impl_->bound);
        is_taken = impl_->send(*datagram, everybody->data(), everybody->size(), why);
        if (impl_->group) is_taken = impl_->send(*datagram, &*impl_->group, 1, why) || is_taken;
    }
    return !why.empty() && !is_taken ? Result<void>(fail(ErrorKind::system, "cannot send to " + why)) : Result<void>{};
}

// Who sent them, as text. One lock for all: most are known.
void UdpTransport::Impl::name_senders(const DatagramBatch& batch, std::size_t count, Instant at) {
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < count; ++i) {
        const Address& from = batch.from[i];
        const auto known = heard.find(from.bytes());
        senders[i].clear();
        if (known == heard.end()) continue;  // named when something that reads has come
        senders[i] = known->second.text;
        known->second.at = at;
    }
}

void UdpTransport::Impl::take(std::string_view bytes, const Address& from, std::string& sender, Instant at) {
    if (const DatagramFault fault = decode_datagram(bytes, message, options.keys.get()); fault != DatagramFault::none) {
        if (const auto line = switchboard.count_refused(fault, from.text())) log("udp: " + *line);
        return;
    }
    if (sender.empty()) {
        sender = std::string(name_of(bound.family())) + ":" + from.text();
        const std::lock_guard lock(mutex);
        if (heard.size() < most_peers) heard.emplace(from.bytes(), Heard{sender, at});
    }
    message.via = sender;
    switchboard.deliver(message, at);
}

// True: that was all. Else the end, and the other socket, have their turn.
bool UdpTransport::Impl::take_waiting(int from, DatagramBatch& batch, Gathering& gathering) {
    for (int batches = 0; batches < most_batches; ++batches) {
        const std::size_t count = batch.receive(from);
        const Instant now = std::chrono::steady_clock::now();
        name_senders(batch, count, now);
        for (std::size_t i = 0; i < count; ++i) take(batch[i], batch.from[i], senders[i], now);
        gathering.note(count, now);
        if (count < packets_at_once) return true;
    }
    return false;
}

void UdpTransport::Impl::receive() {
    const auto batch = std::make_unique<DatagramBatch>();
    Instant next_join{};
    Gathering gathering;
    std::array<pollfd, 3> waiting{{{wakeup.get(), POLLIN, 0}, {socket.get(), POLLIN, 0}, {group_socket.get(), POLLIN, 0}}};  // -1 is passed over
    for (;;) {
        ::poll(waiting.data(), waiting.size(), group ? 10'000 : -1);
        if (waiting[0].revents != 0) return;
        const Instant woken = std::chrono::steady_clock::now();
        if (group && woken >= next_join) {
            join_group();  // an interface that went and came back has forgotten it
            next_join = woken + between_joins;
        }
        watch.begin();
        bool is_all = true;
        for (std::size_t s = 1; s < waiting.size(); ++s)
            if (waiting[s].fd >= 0) is_all = take_waiting(waiting[s].fd, *batch, gathering) && is_all;  // both: something may have come since
        watch.end(is_all, woken);
        if (const auto pause = gathering.pause(); pause.count() != 0) ::poll(waiting.data(), 1, static_cast<int>(pause.count()));  // the end wakes it
    }
}

}  // namespace rollcall
