// As many hosts as one likes, in one process, for one engine to hear: each has an address of 127.0.0.0/8, a list of members, beats, and answers. They do not hear each
// other. Prints what went each way.
//   host_traffic ENGINE_PORT OWN_PORT HOSTS MEMBERS INTERVAL_MS SECONDS_OF_WARMING SECONDS
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "engine/hosts/datagram.hpp"
#include "engine/hosts/speaker.hpp"

namespace rollcall::bench {
namespace {

using engine::HostSpeaker;

struct Count {
    std::uint64_t messages = 0, bytes = 0;
    void add(std::size_t size) { ++messages, bytes += size; }
    Count operator-(const Count& before) const { return {messages - before.messages, bytes - before.bytes}; }
};

class Traffic {
public:
    Traffic(std::uint16_t engine_port, std::uint16_t own_port, std::uint32_t hosts, std::uint32_t members, Duration every) : interval(every) {
        socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        const int on = 1, room = 64 << 20;
        ::setsockopt(socket_, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_port = htons(own_port);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) std::perror("bind"), std::exit(1);
        to_.sin_family = AF_INET;
        to_.sin_port = htons(engine_port);
        to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        for (std::uint32_t i = 0; i < hosts; ++i) add_host(i, members);
    }

    void run(Duration length) {
        for (const Instant end = std::chrono::steady_clock::now() + length; std::chrono::steady_clock::now() < end;) {
            pollfd waiting{socket_, POLLIN, 0};
            ::poll(&waiting, 1, 1);
            receive();
            speak(std::chrono::steady_clock::now());
        }
    }
    Count sent() const { return sent_; }
    Count received() const { return received_; }

private:
    void add_host(std::uint32_t i, std::uint32_t members) {
        char name[16];
        std::snprintf(name, sizeof name, "h%05u", i);
        auto speaker = std::make_unique<HostSpeaker>(engine::HostIdentity{"default", name, Incarnation{1'000'000}, 1}, i + 1);
        std::vector<engine::ListEntry> entries;
        for (std::uint32_t m = 0; m < members; ++m) {
            engine::ListEntry e;
            e.place = m + 1;
            e.version = m + 1;
            e.state = State::alive;
            e.reason = Reason::join;
            e.incarnation = Incarnation{1'000'000 + m};
            e.node = std::string(name) + "-" + std::to_string(m);
            entries.push_back(std::move(e));
        }
        speaker->list().restore(entries, members + 1);
        by_name_[name] = i;
        const Instant first = std::chrono::steady_clock::now() + interval / 10'000 * (i % 10'000);
        due_.push({first, i});
        speakers_.push_back(std::move(speaker));
    }
    // From an address of its own: the engine tells hosts apart by them.
    void send(std::uint32_t host, const Message& message) {
        const auto datagram = encode_datagram(message);
        if (!datagram) std::exit(1);
        iovec part{const_cast<char*>(datagram->data()), datagram->size()};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
        msghdr header{};
        header.msg_name = &to_;
        header.msg_namelen = sizeof to_;
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr* c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
        in_pktinfo from{};
        from.ipi_spec_dst.s_addr = htonl(0x7F010001 + host);
        std::memcpy(CMSG_DATA(c), &from, sizeof from);
        if (::sendmsg(socket_, &header, 0) >= 0) sent_.add(datagram->size());
    }
    void speak(Instant now) {
        while (!due_.empty() && due_.top().first <= now) {
            const std::uint32_t host = due_.top().second;
            due_.pop();
            out_.clear();
            HostSpeaker& speaker = *speakers_[host];
            speaker.tick(now, interval, out_);
            for (const Message& message : out_) send(host, message);
            due_.push({std::max(speaker.next(), now + std::chrono::milliseconds(2)), host});
        }
    }
    void receive() {
        std::array<char, max_datagram + 1> bytes;
        for (ssize_t n; (n = ::recv(socket_, bytes.data(), bytes.size(), 0)) > 0;) {
            received_.add(static_cast<std::size_t>(n));
            Message message;
            if (decode_datagram({bytes.data(), static_cast<std::size_t>(n)}, message) != DatagramFault::none || message.destination.empty()) continue;
            const auto host = by_name_.find(message.destination);
            const auto said = engine::decode_host_message(message.payload);
            if (host == by_name_.end() || !said) continue;
            HostSpeaker& speaker = *speakers_[host->second];
            if (const auto* ask = std::get_if<engine::HostAsk>(&*said)) send(host->second, speaker.answer(*ask, Incarnation{1'000'000}, message, interval));
            if (const auto* request = std::get_if<engine::ListRequest>(&*said)) {
                speaker.request(*request, message);
                due_.push({Instant{}, host->second});
            }
        }
    }

    const Duration interval;
    int socket_ = -1;
    sockaddr_in to_{};
    std::vector<std::unique_ptr<HostSpeaker>> speakers_;
    std::unordered_map<std::string, std::uint32_t> by_name_;
    std::priority_queue<std::pair<Instant, std::uint32_t>, std::vector<std::pair<Instant, std::uint32_t>>, std::greater<>> due_;
    std::vector<Message> out_;
    Count sent_, received_;
};

}  // namespace
}  // namespace rollcall::bench

int main(int argc, char** argv) {
    using namespace rollcall;
    if (argc != 8) return std::fputs("usage: host_traffic ENGINE_PORT OWN_PORT HOSTS MEMBERS INTERVAL_MS SECONDS_OF_WARMING SECONDS\n", stderr), 2;
    const auto number = [&](int i) { return static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10)); };
    bench::Traffic traffic(static_cast<std::uint16_t>(number(1)), static_cast<std::uint16_t>(number(2)), number(3), number(4), std::chrono::milliseconds(number(5)));
    std::puts("ready"), std::fflush(stdout);
    traffic.run(std::chrono::seconds(number(6)));
    std::puts("measuring"), std::fflush(stdout);
    const auto sent = traffic.sent(), received = traffic.received();
    traffic.run(std::chrono::seconds(number(7)));
    const auto out = traffic.sent() - sent, in = traffic.received() - received;
    std::printf("{\"to_engine\": {\"messages\": %lu, \"bytes\": %lu}, \"from_engine\": {\"messages\": %lu, \"bytes\": %lu}}\n", out.messages, out.bytes, in.messages, in.bytes);
    std::fflush(stdout);
    traffic.run(std::chrono::seconds(2));  // so that nobody is missed before the figures are taken
}
