// What every transport does with what arrived: which shard is it for, and who asked for it. And what it counts.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "engine/hosts/datagram.hpp"
#include "engine/hosts/transport.hpp"

namespace rollcall {

// Thread-safe.
class Switchboard {
public:
    void add(std::shared_ptr<Shard> shard);
    // One that is under way may still arrive.
    void remove(const Shard& shard);
    void subscribe(std::string prefix);

    // To the bus of each shard of its cluster, if its path was asked for. One's own message that came back is nobody's.
    std::size_t deliver(const Message& message, Instant at);
    // Is it one that can be sent? Fails with invalid.
    static Result<void> check(const Message& message, std::size_t max_payload);

    void count_published() noexcept { published_.fetch_add(1, std::memory_order_relaxed); }
    // What came from there and is no message. The first of each kind is worth a line; of more there would be no end.
    std::optional<std::string> count_refused(DatagramFault why, const std::string& from);
    void count_failed() noexcept { failed_.fetch_add(1, std::memory_order_relaxed); }
    TransportStatistics statistics() const noexcept;

private:
    bool is_wanted(const std::string& path) const;

    mutable std::shared_mutex mutex_;  // guards the two lists
    using Shards = std::vector<std::shared_ptr<Shard>>;
    std::shared_ptr<const Shards> shards_ = std::make_shared<const Shards>();  // made anew by whoever changes it
    std::vector<std::string> prefixes_;
    std::atomic<std::uint64_t> published_{0}, received_{0}, delivered_{0}, foreign_{0}, failed_{0};  // relaxed: statistics
    enum class Refusal : std::uint8_t { truncated, oversized, unknown_version, garbage, unauthentic };
    static Refusal refusal_for(DatagramFault fault) noexcept;
    std::array<std::atomic<std::uint64_t>, 5> refused_{};  // by Refusal
};

}  // namespace rollcall
