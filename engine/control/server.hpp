// The control socket: joins, goodbyes, tags and settings from other processes, and the watch over those processes. Runs on the
// detector's thread between its steps; nothing here ever blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/control/process.hpp"
#include "engine/control/protocol.hpp"
#include "engine/core.hpp"
#include "engine/inbox.hpp"
#include "shm/local_socket.hpp"

namespace rollcall::control {

using ConnectionId = std::uint64_t;
using ProcessId = std::uint64_t;

struct Connection {
    ConnectionId id = 0;
    shm::Descriptor socket;
    std::uint32_t pid = 0, uid = 0, gid = 0;  // as the kernel vouches for them
    ProcessId self = 0;                       // the watched process at the other end; 0 until it joins
    std::vector<std::string> unsent;
    bool is_stuck = false;         // it does not take its replies
    bool has_replies = false;      // since the last send_replies()
    std::uint32_t unanswered = 0;  // requests that wait in the inbox
    bool is_polled_for_reading = true, is_polled_for_writing = false;
};

// A node's life that a process answers for.
struct Life {
    Incarnation incarnation{};
    Slot slot = no_slot;
    Generation generation{};
    ConnectionId wrapper = 0;  // who beats for it, while that connection lives
    bool wrapped = false;
    bool wrapper_may_come = false;  // an earlier engine's wrapper, not heard of yet
    bool watchdog = false;     // reports its own health: nobody may beat for it
};

struct Process {
    ProcessId id = 0;
    shm::Descriptor pidfd;
    engine::ProcessFacts facts;
    std::uint64_t inode = 0;  // of the pidfd: tells processes apart where pids cannot be seen
    std::map<std::string, Life, std::less<>> lives;
    std::size_t sweep_at = 64;  // lives: then those that are over are forgotten
    std::uint32_t card = shm::no_index;
    std::uint32_t joining = 0;        // joins of it that wait in the inbox
    bool has_exited = false;          // and the watch has said so
    bool has_wrapped = false;         // somebody else beats, or did, for one of its lives
    std::optional<Instant> judge_at;  // it exited; its wrapper has until then to say how
};

class Server {
public:
    struct Hooks {
        std::function<void()> stop;                   // an operator wants the engine to end
        std::function<void(const std::string&)> log;  // one line
    };

    Server(engine::Core& core, engine::Inbox& inbox, int epoll, Hooks hooks);
    ~Server();

    Result<void> listen(const shm::Paths& paths, std::optional<std::uint32_t> group);
    // Watches the processes of members that an earlier engine left.
    void adopt_processes();

    // An event of the epoll set whose key is ours.
    void handle(std::uint64_t key, std::uint32_t events, Instant now);
    static bool is_key(std::uint64_t key) noexcept { return key >= listener_key; }

    // Each turn: exits whose wrapper said nothing, and beats for programs whose wrapper is gone.
    void tick(Instant now);
    // After each step: what it answered.
    void send_replies();

private:
    static constexpr std::uint64_t listener_key = 1u << 8;
    static constexpr std::uint64_t process_bit = std::uint64_t{1} << 63;

    void accept_all();
    void read(ConnectionId id);
    void drain(ConnectionId id);
    bool read_some(ConnectionId id);
    void refuse_packet(const Connection& connection, bool is_end, const std::string& why);
    void close(ConnectionId id);
    void reply(ConnectionId to, const Reply& reply);
    void answer(ConnectionId to, const Reply& reply);
    static bool wants_more(const Connection& connection) noexcept;
    void poll_as_needed(Connection& connection);
    bool send_unsent(Connection& connection);
    void rest_listener();
    void refuse(ConnectionId to, const Message& about, ErrorKind kind, std::string message);

    void take(Connection& connection, Message& message, shm::Descriptor pidfd);
    void join(Connection& connection, Message& message, shm::Descriptor pidfd);
    void joined(ConnectionId connection, ProcessId process, const Message& message, const engine::Answer& answer);
    void exited(Connection& connection, const Message& message);
    bool submit(ConnectionId from, const Message& message, engine::Request request);
    bool put(engine::Request request);
    bool is_operator(const Connection& connection) const noexcept;
    bool answers_for(const Connection& connection, const Message& message) const;
    void mark_watchdog(const Message& message);

    Process* watch(Connection& connection, shm::Descriptor pidfd, bool is_child);
    Process* known(const engine::ProcessFacts& facts, std::uint64_t inode);
    void count_unwatched();
    Process* add(shm::Descriptor pidfd, const engine::ProcessFacts& facts, std::uint64_t inode, std::uint32_t card);
    void watch_exit(Process& process, shm::Descriptor pidfd);
    void process_ended(Process& process, Instant now);
    void judge(Process& process);
    void forget(ProcessId id);
    void beat_for_orphans(Instant now);
    void sweep(Process& process);

    engine::Core& core_;
    engine::Inbox& inbox_;
    int epoll_;
    Hooks hooks_;
    shm::Descriptor listener_;
    std::string socket_path_;
    std::uint64_t socket_inode_ = 0;
    bool is_listener_resting_ = false;    // no descriptor was left for a new connection
    bool is_out_of_descriptors_ = false;  // and this was said
    std::shared_ptr<const void> life_ = std::make_shared<int>(0);  // requests that outlive this server are nobody's
    std::unordered_map<ConnectionId, std::unique_ptr<Connection>> connections_;
    std::vector<ConnectionId> replied_to_;  // those that have_replies
    shm::PacketBatch batch_;
    std::unordered_map<ProcessId, std::unique_ptr<Process>> processes_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, ProcessId> by_facts_;  // pid and start
    std::uint64_t next_id_ = listener_key + 1;
    Instant next_keep_{};
};

}  // namespace rollcall::control
