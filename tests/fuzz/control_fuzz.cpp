// Packets of the control socket: a real server with a core behind it, clients in this very process, and whatever the input makes them
// send. Every request that reads is answered once, or its connection is closed; nobody but an operator stops, evicts or sets; and
// the memory stays sound.
#include <array>
#include <csignal>
#include <map>
#include <optional>

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/client/present.hpp"
#include "engine/control/server.hpp"
#include "shm/local_socket.hpp"
#include "shm/verify.hpp"
#include "tests/fuzz/image.hpp"
#include "tests/fuzz/input.hpp"

namespace rollcall::fuzz {
namespace {

using control::Kind;
using control::Message;

constexpr uid_t nobody = 65534;

// One client's end of a connection, and what is owed to it.
struct Client {
    shm::Descriptor socket;
    bool is_operator = true, has_spoken_nonsense = false;
    std::size_t owed = 0, answered = 0;
};

// A child of ours whose end the server watches.
class Child {
public:
    shm::Descriptor pidfd() {
        if (pid_ == 0) pid_ = ::fork();
        if (pid_ == 0) {
            ::close_range(3, ~0u, 0);  // a copy of a client's socket would keep its connection open
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) ::pause();
        }
        return control::open_pidfd(static_cast<std::uint32_t>(pid_));
    }
    void end() {
        if (pid_ > 0) ::kill(pid_, SIGKILL);
    }
    ~Child() {
        end();
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    }

private:
    pid_t pid_ = 0;
};

class Hall {
public:
    explicit Hall(const Folder& folder) : folder_(folder), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        auto opened = engine::Core::open({"fuzz", "engine", "here", {}, {}, 64, 256, {}}, now_, wall_us);
        must(opened.has_value(), "an engine starts");
        core_ = std::move(*opened);
        server_ = std::make_unique<control::Server>(*core_, inbox_, epoll_.get(), control::Server::Hooks{[this] { has_stopped_ = true; }, [](const std::string&) {}});
        const bool can_be_another = ::geteuid() == 0;
        // Its group, or nobody but operators could speak.
        must(server_->listen(folder_.paths(), can_be_another ? std::optional<std::uint32_t>(nobody) : std::nullopt).has_value(), "the server listens");
    }

    void act(Input& input) {
        const auto what = input.take<std::uint8_t>();
        Client& client = connected(what >> 3 & 3);
        switch (what & 7) {
            case 0: return send(client, std::string(input.take_text(input.take<std::uint8_t>())), {});
            case 1: return send(client, std::string(std::size_t{input.take<std::uint8_t>()} * 16, 'x'), {});
            case 2: return pass(std::chrono::milliseconds(input.take<std::uint16_t>()));
            case 3: return void(client = Client{});
            case 4: return child_.end();
            case 5: return turn();
            default: {
                const auto how = input.take<std::uint8_t>();
                send(client, encode(message(input)), descriptor(how));
                if ((how & 0x80) != 0) turn();
            }
        }
    }

    void close() {
        for (int i = 0; i < 4; ++i) pass(std::chrono::milliseconds(600));
        for (const Client& client : clients_) must(!client.socket || client.has_spoken_nonsense || client.answered == client.owed, "every request is answered");
        must(!has_stopped_ || may_stop_, "only an operator stops the engine");
        server_.reset();
        core_->step(now_, wall_us, inbox_, true);  // what the server left in the inbox is nobody's
        const auto found = shm::verify(core_->roster(), Stamp{stamp_limit});
        must(found.is_settled && found.is_structure_sound, "the memory stays sound");
        must(snapshot_peers(core_->roster(), nullptr, nullptr).has_value(), "the memory can be read");
    }

private:
    Client& connected(std::size_t i) {
        Client& client = clients_[i];
        if (client.socket) return client;
        client = Client{};
        const bool can_be_another = ::geteuid() == 0;
        client.is_operator = i != 3 || !can_be_another;
        if (!client.is_operator) must(::setegid(nobody) == 0 && ::seteuid(nobody) == 0, "another user");
        if (auto socket = shm::connect_to(folder_.paths().folder, "control.sock")) client.socket = std::move(*socket);
        if (!client.is_operator) must(::seteuid(0) == 0 && ::setegid(0) == 0, "root again");
        must(static_cast<bool>(client.socket), "anybody may connect");
        return client;
    }

    void send(Client& client, const std::string& packet, shm::Descriptor descriptor) {
        std::string why;
        const auto read = packet.empty() || packet.size() > control::max_packet ? std::nullopt : control::decode_message(packet, why);
        if (read) {
            must(encode(*control::decode_message(encode(*read), why)) == encode(*read), "a request reads as it is written");
            may_stop_ = may_stop_ || (read->kind == Kind::stop && client.is_operator);
        }
        if (!shm::send_packet(client.socket.get(), packet, descriptor ? descriptor.get() : -1)) return turn();
        if (!read) client.has_spoken_nonsense = true;
        else ++client.owed;
    }

    // Its own, its child's, one that is none, or none at all.
    shm::Descriptor descriptor(std::uint8_t how) {
        switch (how & 7) {
            case 0: return control::open_pidfd(static_cast<std::uint32_t>(::getpid()));
            case 1: return child_.pidfd();
            case 2: return shm::Descriptor(::dup(epoll_.get()));
            case 3: return control::open_pidfd(1);
            default: return {};
        }
    }

    Message message(Input& input) {
        Message m;
        m.kind = static_cast<Kind>(1 + input.take<std::uint8_t>() % 8);
        m.id = input.take<std::uint8_t>();
        const auto which = input.take<std::uint8_t>(), flags = input.take<std::uint8_t>();
        m.node = which < 0x80 ? std::string(1, static_cast<char>('a' + which % 4)) : std::string(input.take_text(which & 0x7F));
        m.replace = (flags & 1) != 0;
        m.wrapped = (flags & 2) != 0;
        m.goodbye = (flags & 4) != 0;
        m.has_endpoint = (flags & 8) != 0;
        m.has_tags = (flags & 16) != 0;
        if (m.has_endpoint || m.kind == Kind::join) m.endpoint = std::string(input.take_text(input.take<std::uint8_t>()));
        if (m.has_tags) m.tags = (flags & 32) != 0 ? std::string(input.take_text(input.take<std::uint8_t>())) : std::string("k=v\0", 4);
        m.token = flags >> 6;
        m.incarnation = incarnation(which & 3, flags);
        if (m.kind == Kind::exited) m.status = ExitStatus{(flags & 1) != 0, flags};
        if (m.kind == Kind::configure)
            for (auto& ns : m.settings_ns) ns = (flags & 64) != 0 ? input.take<std::uint64_t>() : std::uint64_t{input.take<std::uint8_t>()} * 20'000'000;
        return m;
    }

    // Of the node's present life, mostly.
    std::uint64_t incarnation(int node, std::uint8_t flags) const {
        const auto peer = find_peer(core_->roster(), std::string(1, static_cast<char>('a' + node)));
        return (flags & 64) != 0 || !peer ? flags : peer->incarnation.value;
    }

    void pass(Duration d) {
        now_ += d;
        turn();
    }

    // Until nothing is left to do.
    void turn() {
        std::array<epoll_event, 16> events;
        for (int i = 0; i < 64; ++i) {
            const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
            for (int at = 0; at < n; ++at)
                if (control::Server::is_key(events[static_cast<std::size_t>(at)].data.u64)) server_->handle(events[static_cast<std::size_t>(at)].data.u64, events[static_cast<std::size_t>(at)].events, now_);
            core_->step(now_, wall_us + to_ns(now_) / 1000, inbox_, true);
            server_->send_replies();
            server_->tick(now_);
            bool heard = false;
            for (Client& client : clients_) heard = hear(client) || heard;
            if (n <= 0 && !heard && inbox_.is_empty()) return;
        }
    }

    bool hear(Client& client) {
        std::array<char, control::max_packet> buffer;
        bool heard = false;
        while (client.socket) {
            shm::Descriptor none;
            const ssize_t size = shm::receive_packet(client.socket.get(), buffer.data(), buffer.size(), none);
            if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return heard;
            if (size <= 0) {
                must(client.has_spoken_nonsense, "only nonsense ends a connection");
                client = Client{};
                return heard;
            }
            heard = true;
            const std::string_view packet(buffer.data(), static_cast<std::size_t>(size));
            const auto reply = control::decode_reply(packet);
            must(reply && encode(*reply) == packet, "a reply reads as it is written");
            must(++client.answered <= client.owed, "no request is answered twice");
        }
        return heard;
    }

    const Folder& folder_;
    shm::Descriptor epoll_;
    Instant now_ = instant_from_ns(1'000'000'000'000);
    engine::Inbox inbox_;
    std::unique_ptr<engine::Core> core_;
    std::unique_ptr<control::Server> server_;
    std::array<Client, 4> clients_;
    Child child_;
    bool has_stopped_ = false, may_stop_ = false;
};

// What an engine says to its clients is hostile to them, too.
void reply_of(std::string_view packet) {
    const auto reply = control::decode_reply(packet);
    if (!reply) return;
    const auto again = control::decode_reply(encode(*reply));
    must(again && encode(*again) == encode(*reply), "a reply reads as it is written");
}

}  // namespace
}  // namespace rollcall::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rollcall::fuzz;
    static const Folder folder;
    static const bool has_folder = ::mkdir(folder.paths().folder.c_str(), 0755) == 0 && ::chmod(folder.dir().c_str(), 0755) == 0;
    must(has_folder, "the socket has a folder");
    Input input(data, size);
    if (input.take<std::uint8_t>() % 8 == 0) {
        reply_of(input.rest());
        return 0;
    }
    Hall hall(folder);
    for (int i = 0; i < 100 && !input.is_empty(); ++i) hall.act(input);
    hall.close();
    return 0;
}
