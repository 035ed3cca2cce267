// The watch over processes: a pidfd each, however many nodes it joined as. Its exit is a proof; how it ended is told by its wrapper, by
// the kernel, or by nobody.
#include <algorithm>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/control/server.hpp"
#include "shm/blob.hpp"
#include "shm/host.hpp"
#include "shm/record.hpp"
#include "shm/word.hpp"

namespace rollcall::control {

using engine::ProcessFacts;
using engine::Request;

namespace {

constexpr Duration wrapper_has = std::chrono::seconds(1);  // to say how its child ended

// What tells two processes apart where their pids cannot be seen. Before Linux 6.9 all pidfds share one inode, which tells nothing.
std::uint64_t inode_of(int pidfd) noexcept {
    constexpr long pidfs_magic = 0x5049'4446;
    struct statfs fs{};
    struct stat s{};
    return ::fstatfs(pidfd, &fs) == 0 && fs.f_type == pidfs_magic && ::fstat(pidfd, &s) == 0 ? s.st_ino : 0;
}

}  // namespace

Process* Server::known(const ProcessFacts& facts, std::uint64_t inode) {
    if (facts.pid != 0) {
        const auto it = by_facts_.find({facts.pid, facts.start_ticks});
        return it == by_facts_.end() ? nullptr : processes_.at(it->second).get();
    }
    for (auto& [id, process] : processes_)
        if (inode != 0 && process->facts.pid == 0 && process->inode == inode) return process.get();
    return nullptr;
}

// The process behind a join: the pidfd that came along, else the peer of the connection. A child must belong to the asker's user.
Process* Server::watch(Connection& connection, shm::Descriptor pidfd, bool is_child) {
    if (pidfd && !is_pidfd(pidfd.get())) return nullptr;
    if (!pidfd && connection.self != 0)
        if (const auto it = processes_.find(connection.self); it != processes_.end()) return it->second.get();
    if (!pidfd && connection.pid != 0) pidfd = open_pidfd(connection.pid);
    if (pidfd && !has_descriptor_left()) pidfd.reset();  // it took the last one
    ProcessFacts facts{connection.pid, 0, connection.uid, connection.gid};
    std::uint64_t inode = 0;
    if (pidfd) {
        const auto seen = facts_of(pidfd.get());
        if (!seen) return nullptr;
        if (!is_child && seen->pid != connection.pid) return nullptr;  // somebody else's pidfd: its exit would prove nothing about the joiner
        if (is_child && seen->pid != 0 && seen->uid != connection.uid && connection.uid != 0) return nullptr;
        facts.pid = seen->pid;
        facts.start_ticks = seen->start_ticks;
        if (is_child && seen->pid != 0) {
            facts.uid = seen->uid;
            facts.gid = seen->gid;
        }
        inode = inode_of(pidfd.get());
    } else if (connection.pid != 0) {
        facts.start_ticks = shm::start_ticks_of(connection.pid).value_or(0);  // so that a later engine may watch it
    }
    Process* process = known(facts, inode);
    if (process == nullptr) {
        process = add(std::move(pidfd), facts, inode, core_.cards().take());
        if (!process->pidfd) count_unwatched();
    } else if (!process->pidfd && pidfd) {
        watch_exit(*process, std::move(pidfd));  // an earlier engine's member, which could not be watched until it came back
    }
    if (!is_child) connection.self = process->id;
    return process;
}

// No descriptor left, or a hidden /proc: silence alone will judge it.
void Server::count_unwatched() {
    ++core_.counter(engine::Counter::unwatched);
    core_.publish_needed();
}

Process* Server::add(shm::Descriptor pidfd, const ProcessFacts& facts, std::uint64_t inode, std::uint32_t card) {
    auto process = std::make_unique<Process>();
    process->id = next_id_++;
    process->facts = facts;
    process->inode = inode;
    watch_exit(*process, std::move(pidfd));
    process->card = card;
    if (facts.pid != 0) by_facts_[{facts.pid, facts.start_ticks}] = process->id;
    Process* added = process.get();
    processes_.emplace(added->id, std::move(process));
    return added;
}

void Server::watch_exit(Process& process, shm::Descriptor pidfd) {
    epoll_event event{EPOLLIN, {.u64 = process.id | process_bit}};
    if (pidfd && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, pidfd.get(), &event) == 0) process.pidfd = std::move(pidfd);
}

// Lives end without a word to the server (evicted, replaced, left by an operator): whoever joins under ever new names must not grow it.
void Server::sweep(Process& process) {
    std::erase_if(process.lives, [&](const auto& entry) {
        shm::RecordView record;
        const Life& life = entry.second;
        return shm::load(core_.roster().record(life.slot), record) && (record.hot.state == State::none || record.hot.incarnation != life.incarnation);
    });
    process.sweep_at = std::max<std::size_t>(64, 2 * process.lives.size());
}

void Server::process_ended(Process& process, Instant now) {
    epoll_event nothing{};
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, process.pidfd.get(), &nothing);
    // First what it, or its wrapper, said before: a goodbye right before the exit is a leave.
    std::vector<ConnectionId> its_own;
    for (const auto& entry : connections_) {
        const Connection& connection = *entry.second;
        const bool wraps = std::any_of(process.lives.begin(), process.lives.end(), [&](const auto& life) { return life.second.wrapper == connection.id; });
        if (connection.self == process.id || wraps) its_own.push_back(connection.id);
    }
    const ProcessId id = process.id;
    process.has_exited = true;
    for (const ConnectionId connection : its_own) drain(connection);
    if (!processes_.contains(id)) return;
    const bool wrapper_lives = std::any_of(process.lives.begin(), process.lives.end(), [&](const auto& life) { return life.second.wrapper_may_come || connections_.contains(life.second.wrapper); });
    process.judge_at = wrapper_lives ? now + wrapper_has : now;
    if (!wrapper_lives) judge(process);
}

void Server::judge(Process& process) {
    const auto status = exit_status_of(process.pidfd.get(), process.facts);
    while (!process.lives.empty()) {
        const auto life = process.lives.begin();
        Request request;
        request.kind = Request::Kind::exited;
        request.node = life->first;
        request.incarnation = life->second.incarnation;
        request.status = status;
        if (!put(std::move(request))) {
            process.judge_at = Instant{};  // the inbox is full: at the next turn
            return;
        }
        process.lives.erase(life);
    }
    process.judge_at.reset();
    if (process.joining == 0) forget(process.id);  // else its joins will find it gone, and judge it again
}

void Server::forget(ProcessId id) {
    const auto it = processes_.find(id);
    if (it == processes_.end()) return;
    const Process& process = *it->second;
    core_.cards().give_back(process.card);
    by_facts_.erase({process.facts.pid, process.facts.start_ticks});
    for (auto& [connection_id, connection] : connections_)
        if (connection->self == id) connection->self = 0;
    Request gone;
    gone.kind = Request::Kind::forget;
    gone.producer = id;
    put(std::move(gone));
    processes_.erase(it);
}

// Programs whose wrapper was killed go on, and stay alive as long as they run: stopped or frozen ones show no sign of life.
void Server::beat_for_orphans(Instant now) {
    shm::Roster& roster = core_.writable();
    for (auto& [id, process] : processes_) {
        if (!process->has_wrapped) continue;
        for (const auto& [node, life] : process->lives) {
            if (!life.wrapped || life.watchdog || life.wrapper != 0 || process->facts.pid == 0 || process->judge_at) continue;
            if (!is_held_still(process->facts.pid)) shm::beat(roster.word(life.slot), to_stamp(now, roster.base_ns()), life.generation);
        }
    }
}

// The records name pid and start of every process: what still runs is watched again, what ended meanwhile is judged at once.
void Server::adopt_processes() {
    const shm::Roster& roster = core_.roster();
    const bool same_pids = roster.header().pid_namespace.load(std::memory_order_relaxed) == shm::HostIdentity::current().pid_namespace;
    for (std::uint32_t i = 0; i < roster.high_water(); ++i) {
        shm::RecordView record;
        shm::Blob blob;
        if (!shm::load(roster.record(Slot{i}), record) || record.hot.state == State::none || record.hot.is_proof()) continue;
        if (!shm::load_blob(roster, record.hot.blob, blob) || (blob.flags & shm::blob_has_process) == 0) continue;
        const ProcessFacts facts{blob.pid, blob.start_ticks, blob.uid, blob.gid};
        Process* process = known(facts, 0);
        if (process == nullptr) {
            const bool can_be_named = blob.pid != 0 && same_pids;
            shm::Descriptor pidfd = can_be_named ? open_pidfd(blob.pid) : shm::Descriptor{};
            const bool no_such_process = can_be_named && !pidfd && (errno == ESRCH || errno == EINVAL);  // EINVAL: some thread's number by now
            // Only what is certain counts: a start that cannot be seen, now or then, proves nothing, and neither does a want of descriptors.
            const std::uint64_t start = pidfd ? shm::start_ticks_of(blob.pid).value_or(0) : 0;
            const bool is_anothers_pid = start != 0 && blob.start_ticks != 0 && start != blob.start_ticks;
            const bool gone = no_such_process || is_anothers_pid;
            if (blob.start_ticks == 0) pidfd.reset();  // a pid alone names nobody for ever
            process = add(gone ? shm::Descriptor{} : std::move(pidfd), facts, 0, core_.cards().keep(blob.card));
            if (gone) process->judge_at = Instant{};
            else if (!process->pidfd) count_unwatched();
        }
        const bool wrapped = (blob.flags & shm::blob_wrapped) != 0, watchdog = (blob.flags & shm::blob_watchdog) != 0;
        process->has_wrapped |= wrapped;
        process->lives.insert_or_assign(std::string(record.name.view()), Life{record.hot.incarnation, Slot{i}, record.hot.generation, 0, wrapped, wrapped, watchdog});
    }
}

}  // namespace rollcall::control
