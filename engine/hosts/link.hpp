// What ties an engine to the world of messages: heartbeats that arrive at its shard reach it, its own go out, registry and replica look through it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/hosts/emitter.hpp"
#include "engine/hosts/host_link.hpp"
#include "engine/hosts/peer_registry.hpp"
#include "engine/hosts/shard.hpp"
#include "engine/hosts/transport.hpp"
#include "shm/error.hpp"

namespace rollcall {
class Engine;
}

namespace rollcall::engine {

// What an embedding program hands over; each may be missing.
struct LinkParts {
    std::shared_ptr<Shard> shard;
    std::shared_ptr<Transport> transport;
    std::shared_ptr<PeerRegistry> registry;

    bool is_empty() const noexcept { return !shard && !transport && !registry; }
};

class Link {
public:
    // From now on until its end. `engine` has its memory, and outlives this. Fails with invalid if the shard is another node's or cluster's.
    static Result<std::unique_ptr<Link>> make(Engine& engine, LinkParts parts);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // Either, before it starts: this engine's own node is told of, or this host with all its members.
    void emit_node(const std::string& endpoint, Emitter::Hooks hooks, std::atomic<std::uint64_t>& sent);
    void join_hosts(HostIdentity self, const std::string& endpoint, HostLink::Hooks hooks, std::uint32_t capacity, std::atomic<std::uint64_t>& sent);

    // False: no thread could be started.
    bool start_emitting() { return (!emitter_ || emitter_->start()) && (!hosts_ || hosts_->start()); }
    void stop_emitting() {
        if (emitter_) emitter_->stop();
        if (hosts_) hosts_->stop();
    }
    void emit_if_due(Instant now) {
        if (emitter_) emitter_->emit_if_due(now);
        if (hosts_) hosts_->turn(now);
    }
    void say_goodbye(Instant now) {
        if (hosts_ && !std::exchange(said_goodbye_, true)) hosts_->say_goodbye(now);
    }
    // Something was published in the memory.
    void wake() noexcept {
        if (hosts_) hosts_->wake();
    }

private:
    Link() = default;
    LinkParts parts_;
    Bus::Subscription subscription_ = 0;
    std::string node_;
    std::optional<Emitter> emitter_;
    std::unique_ptr<HostLink> hosts_;
    Bus::Subscription host_subscription_ = 0;
    bool said_goodbye_ = false;
};

}  // namespace rollcall::engine
