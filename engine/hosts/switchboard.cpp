#include "engine/hosts/switchboard.hpp"

#include <algorithm>
#include <mutex>

#include "engine/hosts/host_message.hpp"
#include "shm/name.hpp"

namespace rollcall {

namespace {
constexpr auto relaxed = std::memory_order_relaxed;  // statistics, each for itself
}

void Switchboard::add(std::shared_ptr<Shard> shard) {
    const std::lock_guard lock(mutex_);
    if (std::find(shards_->begin(), shards_->end(), shard) != shards_->end()) return;
    const std::string prefix = membership_prefix(shard->cluster());
    if (std::find(prefixes_.begin(), prefixes_.end(), prefix) == prefixes_.end()) prefixes_.push_back(prefix);
    Shards shards = *shards_;
    shards.push_back(std::move(shard));
    shards_ = std::make_shared<const Shards>(std::move(shards));
}

void Switchboard::remove(const Shard& shard) {
    const std::lock_guard lock(mutex_);
    Shards shards = *shards_;
    std::erase_if(shards, [&](const auto& known) { return known.get() == &shard; });
    shards_ = std::make_shared<const Shards>(std::move(shards));
}

void Switchboard::subscribe(std::string prefix) {
    const std::lock_guard lock(mutex_);
    prefixes_.push_back(std::move(prefix));
}

bool Switchboard::is_wanted(const std::string& path) const {
    return std::any_of(prefixes_.begin(), prefixes_.end(), [&](const std::string& prefix) { return path.starts_with(prefix); });
}

std::size_t Switchboard::deliver(const Message& message, Instant at) {
    std::shared_ptr<const Shards> shards;
    {
        const std::shared_lock lock(mutex_);
        if (is_wanted(message.path)) shards = shards_;
    }
    std::size_t taken = 0;
    if (shards)
        for (const auto& shard : *shards)
            if (shard->cluster() == message.cluster && (shard->node() != message.origin || message.content_type == engine::host_content_type)) taken += shard->bus().deliver(message, at);
    (taken == 0 ? foreign_ : delivered_).fetch_add(1, relaxed);
    received_.fetch_add(1, relaxed);
    return taken;
}

Switchboard::Refusal Switchboard::refusal_for(DatagramFault fault) noexcept {
    switch (fault) {
        case DatagramFault::oversized: return Refusal::oversized;
        case DatagramFault::truncated: return Refusal::truncated;
        case DatagramFault::version:
        case DatagramFault::kind:
        case DatagramFault::flags: return Refusal::unknown_version;
        case DatagramFault::unsigned_message:
        case DatagramFault::unknown_key:
        case DatagramFault::forged: return Refusal::unauthentic;
        case DatagramFault::none:
        case DatagramFault::magic:
        case DatagramFault::names: break;
    }
    return Refusal::garbage;
}

std::optional<std::string> Switchboard::count_refused(DatagramFault why, const std::string& from) {
    received_.fetch_add(1, relaxed);
    if (refused_[static_cast<std::size_t>(refusal_for(why))].fetch_add(1, relaxed) != 0) return std::nullopt;
    return "a message from " + from + " is refused: " + std::string(to_string(why)) + "; others like it are only counted";
}

Result<void> Switchboard::check(const Message& message, std::size_t max_payload) {
    if (auto ok = shm::validate_cluster_name(message.cluster); !ok) return ok;
    if (auto ok = shm::validate_node_id(message.origin); !ok) return ok;
    if (message.path.empty()) return fail(ErrorKind::invalid, "a message without a path");
    if (message.payload.size() <= max_payload) return {};
    return fail(ErrorKind::invalid, "a payload of " + std::to_string(message.payload.size()) + " bytes: this transport carries " + std::to_string(max_payload));
}

TransportStatistics Switchboard::statistics() const noexcept {
    const auto refused = [this](Refusal why) { return refused_[static_cast<std::size_t>(why)].load(relaxed); };
    TransportStatistics s;
    s.published = published_.load(relaxed);
    s.received = received_.load(relaxed);
    s.delivered = delivered_.load(relaxed);
    s.foreign = foreign_.load(relaxed);
    s.truncated = refused(Refusal::truncated);
    s.oversized = refused(Refusal::oversized);
    s.unknown_version = refused(Refusal::unknown_version);
    s.garbage = refused(Refusal::garbage);
    s.unauthentic = refused(Refusal::unauthentic);
    s.refused = s.truncated + s.oversized + s.unknown_version + s.garbage + s.unauthentic;
    s.failed = failed_.load(relaxed);
    return s;
}

}  // namespace rollcall
