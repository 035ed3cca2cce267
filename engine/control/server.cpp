// Connections: accepting, reading, replying. What requests mean stands in requests.cpp, the watch over processes in watch.cpp.
#include "engine/control/server.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/fork_guard.hpp"

namespace rollcall::control {

namespace {
constexpr std::size_t packets_a_turn = 256;      // of one connection, so that nobody keeps the others or the detector waiting
constexpr std::size_t packets_a_drain = 4096;
constexpr std::size_t most_unsent = 4096;     // replies that a client did not take: it gets no more, and is closed
constexpr std::uint32_t most_unanswered = 1024;  // requests of one connection that wait in the inbox
}  // namespace

Server::Server(engine::Core& core, engine::Inbox& inbox, int epoll, Hooks hooks) : core_(core), inbox_(inbox), epoll_(epoll), hooks_(std::move(hooks)) {}

// By its inode: another engine may have put its own socket there, after somebody took our lock away.
Server::~Server() {
    struct stat there{};
    const bool was_listening = static_cast<bool>(listener_);
    if (was_listening) shm::close_guarded(listener_.release());
    if (was_listening && ::stat(socket_path_.c_str(), &there) == 0 && there.st_ino == socket_inode_) ::unlink(socket_path_.c_str());
}

Result<void> Server::listen(const shm::Paths& paths, std::optional<std::uint32_t> group) {
    auto socket = shm::listen_at(paths.folder, "control.sock", group);
    if (!socket) return fail(socket.error());
    listener_ = std::move(*socket);
    socket_path_ = paths.socket();
    struct stat there{};
    if (::stat(socket_path_.c_str(), &there) == 0) socket_inode_ = there.st_ino;
    epoll_event event{EPOLLIN, {.u64 = listener_key}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_.get(), &event) != 0) return fail(ErrorKind::full, std::string("cannot watch the control socket: ") + std::strerror(errno));
    return {};
}

void Server::handle(std::uint64_t key, std::uint32_t events, Instant now) {
    if (key == listener_key) return accept_all();
    if ((key & process_bit) != 0) {
        if (const auto it = processes_.find(key & ~process_bit); it != processes_.end()) process_ended(*it->second, now);
        return;
    }
    const auto it = connections_.find(key);
    if (it == connections_.end()) return;
    if ((events & EPOLLOUT) != 0 && !send_unsent(*it->second)) return close(key);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(key);
}

void Server::accept_all() {
    for (;;) {
        shm::Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket) return rest_listener();
        is_out_of_descriptors_ = false;
        ucred peer{};
        socklen_t size = sizeof peer;
        if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) continue;
        auto connection = std::make_unique<Connection>();
        connection->id = next_id_++;
        connection->pid = static_cast<std::uint32_t>(peer.pid);
        connection->uid = peer.uid;
        connection->gid = peer.gid;
        epoll_event event{EPOLLIN, {.u64 = connection->id}};
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.get(), &event) != 0) continue;
        connection->socket = std::move(socket);
        connections_.emplace(connection->id, std::move(connection));
    }
}

// The connection stays in the backlog, and the listener readable: without a rest it would be asked again and again.
void Server::rest_listener() {
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    if (hooks_.log && !std::exchange(is_out_of_descriptors_, true)) hooks_.log(std::string("control: cannot take connections, they wait: ") + std::strerror(errno));
    is_listener_resting_ = true;
    epoll_event nothing{0, {.u64 = listener_key}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_.get(), &nothing);
}

void Server::read(ConnectionId id) {
    for (std::size_t packets = 0; packets < packets_a_turn; packets += shm::PacketBatch::most) {
        const auto it = connections_.find(id);
        if (it == connections_.end()) return;
        if (!wants_more(*it->second)) return poll_as_needed(*it->second);
        if (!read_some(id)) return;
    }
}

// Nothing is read from who does not take its replies, or has more requests waiting than is fair.
bool Server::wants_more(const Connection& connection) noexcept { return !connection.is_stuck && connection.unanswered < most_unanswered; }

void Server::poll_as_needed(Connection& connection) {
    const bool reading = wants_more(connection), writing = connection.is_stuck;
    if (reading == connection.is_polled_for_reading && writing == connection.is_polled_for_writing) return;
    connection.is_polled_for_reading = reading;
    connection.is_polled_for_writing = writing;
    epoll_event event{(reading ? EPOLLIN : 0u) | (writing ? EPOLLOUT : 0u), {.u64 = connection.id}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket.get(), &event);
}

// What is already in the connection: a goodbye may be among it. A socket holds fewer packets than this, so whoever ended said no more.
void Server::drain(ConnectionId id) {
    for (std::size_t packets = 0; packets < packets_a_drain && read_some(id); packets += shm::PacketBatch::most) {}
}

// False: nothing more to read; the connection may be gone.
bool Server::read_some(ConnectionId id) {
    const auto it = connections_.find(id);
    if (it == connections_.end()) return false;
    Connection& connection = *it->second;
    const std::size_t count = batch_.receive(connection.socket.get());
    if (count == 0 && errno != EAGAIN) refuse_packet(connection, errno == ECONNRESET, std::strerror(errno));
    for (std::size_t i = 0; i < count; ++i) {
        const auto packet = batch_[i];
        std::string why = "a request that is too long";
        auto message = packet && packet->size() <= max_packet ? decode_message(*packet, why) : std::nullopt;
        if (!message) {
            refuse_packet(connection, packet && packet->empty(), why);
            batch_.close_descriptors();
            return false;
        }
        take(connection, *message, batch_.take_descriptor(i));
    }
    return count == shm::PacketBatch::most;
}

// Its end, or nonsense.
void Server::refuse_packet(const Connection& connection, bool is_end, const std::string& why) {
    if (!is_end && hooks_.log) hooks_.log("control: closed pid " + std::to_string(connection.pid) + " uid " + std::to_string(connection.uid) + ": " + why);
    close(connection.id);
}

void Server::close(ConnectionId id) {
    connections_.erase(id);  // closing the socket also takes it out of the epoll set
    for (auto& [process_id, process] : processes_) {
        if (!process->has_wrapped) continue;
        for (auto& [node, life] : process->lives)
            if (life.wrapper == id) {
                life.wrapper = 0;
                if (process->judge_at) process->judge_at = Instant{};  // nobody is left who could say how it ended
            }
    }
}

// Sent with all others of this turn.
void Server::reply(ConnectionId to, const Reply& reply) {
    const auto it = connections_.find(to);
    if (it == connections_.end()) return;
    Connection& connection = *it->second;
    connection.unsent.push_back(encode(reply));
    if (!std::exchange(connection.has_replies, true)) replied_to_.push_back(to);
}

void Server::send_replies() {
    for (const ConnectionId id : std::exchange(replied_to_, {})) {
        const auto it = connections_.find(id);
        if (it == connections_.end()) continue;
        it->second->has_replies = false;
        if (!send_unsent(*it->second) || it->second->unsent.size() > most_unsent) close(id);
    }
}

// The reply to a request that waited in the inbox.
void Server::answer(ConnectionId to, const Reply& r) {
    if (const auto it = connections_.find(to); it != connections_.end() && it->second->unanswered > 0) --it->second->unanswered;
    reply(to, r);
}

// False: the connection is broken.
bool Server::send_unsent(Connection& connection) {
    const auto sent = static_cast<std::ptrdiff_t>(shm::send_packets(connection.socket.get(), connection.unsent));
    connection.unsent.erase(connection.unsent.begin(), connection.unsent.begin() + sent);
    connection.is_stuck = !connection.unsent.empty();
    if (connection.is_stuck && errno != EAGAIN) return false;
    poll_as_needed(connection);
    return true;
}

void Server::refuse(ConnectionId to, const Message& about, ErrorKind kind, std::string message) {
    Reply r;
    r.kind = about.kind;
    r.id = about.id;
    r.error = Error{kind, std::move(message)};
    reply(to, r);
}

void Server::tick(Instant now) {
    std::vector<ProcessId> due;
    for (auto& [id, process] : processes_)
        if (process->judge_at && *process->judge_at <= now) due.push_back(id);
    for (const ProcessId id : due) judge(*processes_.at(id));
    if (now < next_keep_) return;
    next_keep_ = now + std::min<Duration>(core_.settings().heartbeat / 2, std::chrono::milliseconds(100));
    if (std::exchange(is_listener_resting_, false)) {
        epoll_event event{EPOLLIN, {.u64 = listener_key}};
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_.get(), &event);
    }
    beat_for_orphans(now);
}

}  // namespace rollcall::control
