// Connections: accepting, reading, replying. What requests mean stands in requests.cpp, the watch over processes in watch.cpp.
#include "engine/control/server.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shm/local_socket.hpp"

namespace rollcall::control {

namespace {
constexpr int packets_a_turn = 256;      // of one connection, so that nobody keeps the others or the detector waiting
constexpr int packets_a_drain = 4096;
constexpr std::size_t most_unsent = 4096;  // replies that a client did not take: it gets no more, and is closed
}  // namespace

Server::Server(engine::Core& core, engine::Inbox& inbox, int epoll, Hooks hooks) : core_(core), inbox_(inbox), epoll_(epoll), hooks_(std::move(hooks)) {}

Server::~Server() {
    if (listener_) ::unlink(socket_path_.c_str());
}

Result<void> Server::listen(const shm::Paths& paths, std::optional<std::uint32_t> group) {
    auto socket = shm::listen_at(paths.folder, "control.sock", group);
    if (!socket) return fail(socket.error());
    listener_ = std::move(*socket);
    socket_path_ = paths.socket();
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
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) flush();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(key);
}

void Server::accept_all() {
    for (;;) {
        shm::Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket) return;
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

void Server::read(ConnectionId id) {
    for (int i = 0; i < packets_a_turn; ++i) {
        const auto it = connections_.find(id);
        if (it == connections_.end() || it->second->is_full || !read_one(*it->second)) return;
    }
}

// What is already in the connection: a goodbye may be among it. A socket holds fewer packets than this, so whoever ended said no more.
void Server::drain(ConnectionId id) {
    for (int i = 0; i < packets_a_drain; ++i) {
        const auto it = connections_.find(id);
        if (it == connections_.end() || !read_one(*it->second)) return;
    }
}

// False: nothing more to read; the connection may be gone.
bool Server::read_one(Connection& connection) {
    std::array<char, max_packet> buffer;
    shm::Descriptor descriptor;
    const ssize_t size = shm::receive_packet(connection.socket.get(), buffer.data(), buffer.size(), descriptor);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    std::string why = "a request that is too long";
    auto message = size > 0 ? decode_message({buffer.data(), static_cast<std::size_t>(size)}, why) : std::nullopt;
    if (message) {
        take(connection, *message, std::move(descriptor));
        return true;
    }
    if (size != 0 && errno != ECONNRESET && hooks_.log) hooks_.log("control: closed pid " + std::to_string(connection.pid) + " uid " + std::to_string(connection.uid) + ": " + why);
    close(connection.id);
    return false;
}

void Server::close(ConnectionId id) {
    connections_.erase(id);  // closing the socket also takes it out of the epoll set
    for (auto& [process_id, process] : processes_)
        for (auto& [node, life] : process->lives)
            if (life.wrapper == id) life.wrapper = 0;
}

void Server::reply(ConnectionId to, const Reply& reply) {
    const auto it = connections_.find(to);
    if (it == connections_.end()) return;
    Connection& connection = *it->second;
    std::string packet = encode(reply);
    if (connection.unsent.empty() && shm::send_packet(connection.socket.get(), packet)) return;
    if (connection.unsent.empty() && errno != EAGAIN && errno != EWOULDBLOCK) return close(to);
    if (connection.unsent.size() >= most_unsent) return close(to);
    connection.unsent.push_back(std::move(packet));
    if (connection.is_full) return;
    connection.is_full = true;
    epoll_event event{EPOLLOUT, {.u64 = to}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void Server::refuse(ConnectionId to, const Message& about, ErrorKind kind, std::string message) {
    Reply r;
    r.kind = about.kind;
    r.id = about.id;
    r.error = Error{kind, std::move(message)};
    reply(to, r);
}

void Server::flush() {
    std::vector<ConnectionId> broken;
    for (auto& [id, connection] : connections_) {
        if (!connection->is_full) continue;
        while (!connection->unsent.empty() && shm::send_packet(connection->socket.get(), connection->unsent.front())) connection->unsent.pop_front();
        if (!connection->unsent.empty()) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) broken.push_back(id);
            continue;
        }
        connection->is_full = false;
        epoll_event event{EPOLLIN, {.u64 = id}};
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection->socket.get(), &event);
    }
    for (const ConnectionId id : broken) close(id);
}

void Server::tick(Instant now) {
    std::vector<ProcessId> due;
    for (auto& [id, process] : processes_)
        if (process->judge_at && *process->judge_at <= now) due.push_back(id);
    for (const ProcessId id : due) judge(*processes_.at(id));
    if (now < next_keep_) return;
    next_keep_ = now + core_.settings().heartbeat / 2;
    beat_for_orphans(now);
}

}  // namespace rollcall::control
