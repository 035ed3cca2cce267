// One node's attachment to one cluster: who it is, and where its messages arrive.
#pragma once

#include <memory>
#include <string>

#include "engine/hosts/bus.hpp"
#include "engine/hosts/peer_registry.hpp"
#include "engine/hosts/replica.hpp"

namespace rollcall {

// Thread-safe; neither copied nor moved: engines and transports share it.
class Shard {
public:
    Shard(std::string cluster, std::string node) : cluster_(std::move(cluster)), node_(std::move(node)) {}
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    const std::string& cluster() const noexcept { return cluster_; }
    const std::string& node() const noexcept { return node_; }

    Bus& bus() noexcept { return bus_; }
    const std::shared_ptr<PeerRegistry>& registry() const noexcept { return registry_; }
    Replica& replica() noexcept { return replica_; }
    const Replica& replica() const noexcept { return replica_; }

private:
    std::string cluster_, node_;
    Bus bus_;
    std::shared_ptr<PeerRegistry> registry_ = std::make_shared<PeerRegistry>();
    Replica replica_;
};

}  // namespace rollcall
