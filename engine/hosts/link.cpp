#include "engine/hosts/link.hpp"

#include "engine/engine.hpp"
#include "shm/host.hpp"

namespace rollcall::engine {

namespace {

class Membership final : public PeerSource {
public:
    explicit Membership(Engine& engine) : engine_(engine) {}
    std::optional<Peer> find(std::string_view node) const override { return engine_.find(node); }
    std::vector<Peer> peers() const override { return engine_.snapshot(); }
    Result<void> add(std::string_view node, std::string_view endpoint) override { return engine_.register_peer(node, endpoint); }
    Result<void> remove(std::string_view node) override { return engine_.leave(node); }
    Result<void> note_seen(std::string_view node, Instant at) override { return engine_.on_heartbeat(node, engine_.cluster_id(), "", at); }

private:
    Engine& engine_;
};

// A stranger's message: what does not read is dropped, what reads may still be of another cluster.
void hear(Engine& engine, const Message& message, Instant at) {
    if (message.content_type != heartbeat_content_type) return;
    if (const auto heartbeat = read_heartbeat(message)) (void)engine.on_heartbeat(message.origin, message.cluster, heartbeat->endpoint, at);
}

}  // namespace

Result<std::unique_ptr<Link>> Link::make(Engine& engine, LinkParts parts) {
    if (!parts.shard) parts.shard = std::make_shared<Shard>(engine.cluster_id(), engine.local_node_id());
    const Shard& shard = *parts.shard;
    if (shard.cluster() != engine.cluster_id() || shard.node() != engine.local_node_id())
        return fail(ErrorKind::invalid, "the shard is of node '" + shard.node() + "' in cluster '" + shard.cluster() + "', the engine is '" + engine.local_node_id() + "' in '" + engine.cluster_id() + "'");
    if (!parts.registry) parts.registry = shard.registry();

    std::unique_ptr<Link> link(new Link());
    link->parts_ = std::move(parts);
    const auto membership = std::make_shared<Membership>(engine);
    link->parts_.registry->attach(membership, engine.cluster_id());
    link->parts_.shard->replica().attach(membership);
    link->subscription_ = link->parts_.shard->bus().attach(membership_prefix(engine.cluster_id()), [&engine](const Message& message, Instant at) { hear(engine, message, at); });
    if (link->parts_.transport) link->parts_.transport->register_shard(link->parts_.shard);
    engine.sync();  // what the registry handed over is in the membership before anything can fail
    link->node_ = engine.local_node_id();
    return link;
}

void Link::emit_node(const std::string& endpoint, Emitter::Hooks hooks, std::atomic<std::uint64_t>& sent) {
    emitter_.emplace(Emitter::Self{parts_.shard->cluster(), node_, endpoint}, parts_.transport, std::move(hooks), shm::random_bits(), sent);
}

void Link::join_hosts(HostIdentity self, const std::string& endpoint, HostLink::Hooks hooks, std::uint32_t capacity, std::atomic<std::uint64_t>& sent) {
    hosts_ = std::make_unique<HostLink>(std::move(self), ListKeeper::OwnNode{node_, endpoint}, parts_.transport, std::move(hooks), capacity, shm::random_bits(), sent);
    host_subscription_ = parts_.shard->bus().attach(membership_prefix(parts_.shard->cluster()) + "@.", [this](const Message& message, Instant at) { hosts_->hear(message, at); });
}

Link::~Link() {
    stop_emitting();
    if (parts_.transport) parts_.transport->unregister_shard(*parts_.shard);
    parts_.shard->bus().detach(subscription_);
    if (hosts_) parts_.shard->bus().detach(host_subscription_);
    parts_.shard->replica().detach();
    parts_.registry->detach();
}

}  // namespace rollcall::engine
