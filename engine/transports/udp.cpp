#include "engine/transports/udp.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/hosts/datagram.hpp"
#include "engine/hosts/switchboard.hpp"
#include "engine/quiet_thread.hpp"
#include "engine/transports/address.hpp"
#include "shm/descriptor.hpp"

namespace rollcall {

namespace {

constexpr std::size_t packets_at_once = 64;
constexpr std::size_t most_peers = 1024;
constexpr int receive_buffer = 4 << 20;  // the default holds 256 datagrams: a quarter of a second of a thousand hosts
constexpr auto between_resolutions = std::chrono::seconds(10);
constexpr std::size_t longest_names = 2 * 63, header_and_more = 32;

struct Seed {
    HostPort where;
    std::vector<Address> addresses;
};

// Room for one byte more than a datagram may have: what fills it is too long.
struct Batch {
    std::array<mmsghdr, packets_at_once> headers;
    std::array<iovec, packets_at_once> parts;
    std::array<Address, packets_at_once> from;
    std::array<std::array<char, max_datagram + 1>, packets_at_once> bytes;

    Batch() {
        for (std::size_t i = 0; i < packets_at_once; ++i) {
            parts[i] = {bytes[i].data(), bytes[i].size()};
            headers[i] = {};
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
            headers[i].msg_hdr.msg_name = &from[i].storage;
        }
    }
    std::size_t receive(int socket) noexcept {
        for (mmsghdr& header : headers) header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
        const int count = ::recvmmsg(socket, headers.data(), packets_at_once, MSG_DONTWAIT, nullptr);
        for (int i = 0; i < count; ++i) from[static_cast<std::size_t>(i)].size = headers[static_cast<std::size_t>(i)].msg_hdr.msg_namelen;
        return count < 0 ? 0 : static_cast<std::size_t>(count);
    }
    std::string_view operator[](std::size_t i) const noexcept { return {bytes[i].data(), headers[i].msg_len}; }
};

}  // namespace

struct UdpTransport::Impl {
    UdpOptions options;
    shm::Descriptor socket, wakeup;
    Address bound;
    std::string address;
    Switchboard switchboard;

    mutable std::mutex mutex;  // guards what follows
    std::vector<Seed> seeds;
    std::map<std::string, std::pair<Address, Instant>, std::less<>> heard;  // by the bytes of the address
    bool ending = false;
    std::condition_variable wake;
    std::thread receiver, resolver;

    Result<void> bind();
    Result<void> start();
    void receive();
    void take(std::string_view bytes, const Address& from, Instant at);
    void resolve_names();
    std::vector<Address> destinations() const;
    void log(const std::string& line) const {
        if (options.log) options.log(line);
    }
};

UdpTransport::UdpTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::shared_ptr<UdpTransport>> UdpTransport::open(UdpOptions options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    if (auto bound = impl->bind(); !bound) return fail(bound.error());
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
    if (!found.front().is_loopback() && !options.insecure)
        return fail(ErrorKind::invalid, "udp " + options.bind + " can be reached from other machines, and nothing is signed: bind to 127.0.0.1, or say --insecure");
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
    return {};
}

Result<void> UdpTransport::Impl::start() {
    try {
        receiver = engine::start_quiet_thread("rollcall-udp", [this] { receive(); });
        resolver = engine::start_quiet_thread("rollcall-names", [this] { resolve_names(); });
        return {};
    } catch (const std::system_error& error) {
        return fail(ErrorKind::full, std::string("cannot start the threads of udp: ") + error.what());
    }
}

UdpTransport::~UdpTransport() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
    }
    impl_->wake.notify_all();
    const std::uint64_t one = 1;
    (void)!::write(impl_->wakeup.get(), &one, sizeof one);
    if (impl_->receiver.joinable()) impl_->receiver.join();
    if (impl_->resolver.joinable()) impl_->resolver.join();
}

const std::string& UdpTransport::address() const noexcept { return impl_->address; }
std::size_t UdpTransport::max_message() const noexcept { return max_datagram - longest_names - header_and_more; }
void UdpTransport::register_shard(std::shared_ptr<Shard> shard) { impl_->switchboard.add(std::move(shard)); }
void UdpTransport::unregister_shard(const Shard& shard) { impl_->switchboard.remove(shard); }
void UdpTransport::subscribe(std::string prefix) { impl_->switchboard.subscribe(std::move(prefix)); }
std::size_t UdpTransport::deliver(const Message& message, Instant at) { return impl_->switchboard.deliver(message, at); }
TransportStatistics UdpTransport::statistics() const { return impl_->switchboard.statistics(); }

std::vector<TransportPeer> UdpTransport::peers() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<TransportPeer> all;
    for (const auto& [bytes, seen] : impl_->heard) all.push_back({seen.first.text(), seen.second});
    return all;
}

// Numbers at once; names by the resolver's thread, which may have to wait for a server.
Result<void> UdpTransport::add_seed(const std::string& seed) {
    auto where = parse_host_port(seed);
    if (!where) return fail(where.error());
    auto numeric = resolve(*where, impl_->bound.family(), true);
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->seeds.push_back({std::move(*where), std::move(numeric)});
    }
    impl_->wake.notify_all();
    return {};
}

// Each once; oneself among the seeds is ignored.
std::vector<Address> UdpTransport::Impl::destinations() const {
    const std::lock_guard lock(mutex);
    std::vector<Address> all;
    for (const Seed& seed : seeds)
        for (const Address& to : seed.addresses)
            if (!(to == bound) && std::find(all.begin(), all.end(), to) == all.end()) all.push_back(to);
    return all;
}

// A destination that fails is a loss, like any other, and keeps nobody else from hearing.
Result<void> UdpTransport::publish(const Message& message) {
    if (auto ok = Switchboard::check(message, max_message()); !ok) return ok;
    const auto datagram = encode_datagram(message);
    if (!datagram) return fail(datagram.error());
    impl_->switchboard.count_published();
    std::string why;
    std::size_t taken = 0, failed = 0;
    for (const Address& to : impl_->destinations()) {
        if (::sendto(impl_->socket.get(), datagram->data(), datagram->size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.get(), to.size) >= 0) {
            ++taken;
            continue;
        }
        impl_->switchboard.count_failed();
        ++failed;
        why = to.text() + ": " + std::strerror(errno);
    }
    return failed != 0 && taken == 0 ? Result<void>(fail(ErrorKind::system, "cannot send to " + why)) : Result<void>{};
}

void UdpTransport::Impl::take(std::string_view bytes, const Address& from, Instant at) {
    Message message;
    if (bytes.size() > max_datagram || decode_datagram(bytes, message) != DatagramFault::none) return switchboard.count_refused();
    {
        const std::lock_guard lock(mutex);
        const std::string_view key(reinterpret_cast<const char*>(&from.storage), from.size);
        if (const auto known = heard.find(key); known != heard.end()) known->second.second = at;
        else if (heard.size() < most_peers) heard.emplace(key, std::pair(from, at));
    }
    switchboard.deliver(message, at);
}

void UdpTransport::Impl::receive() {
    const auto batch = std::make_unique<Batch>();
    std::array<pollfd, 2> waiting{{{socket.get(), POLLIN, 0}, {wakeup.get(), POLLIN, 0}}};
    for (;;) {
        ::poll(waiting.data(), waiting.size(), -1);
        if (waiting[1].revents != 0) return;
        const std::size_t count = batch->receive(socket.get());
        const Instant now = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < count; ++i) take((*batch)[i], batch->from[i], now);
    }
}

// A name may move to another address, or be unknown when we start.
void UdpTransport::Impl::resolve_names() {
    std::unique_lock lock(mutex);
    while (!ending) {
        std::size_t known = seeds.size();
        for (std::size_t i = 0; i < known && !ending; ++i) {
            const HostPort where = seeds[i].where;
            lock.unlock();
            auto found = resolve(where, bound.family(), false);
            lock.lock();
            if (!found.empty()) seeds[i].addresses = std::move(found);
        }
        wake.wait_for(lock, between_resolutions, [&] { return ending || seeds.size() != known; });
    }
}

}  // namespace rollcall
