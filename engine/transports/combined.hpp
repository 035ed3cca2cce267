// Several transports as one: what goes to everybody goes by all of them, what goes to an address by the one whose it is. A copy that came by another way counts as heard
// there, and for nothing else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/hosts/transport.hpp"

namespace rollcall {

class CombinedTransport : public Transport {
public:
    // Each with a name of its own: addresses begin with it. Fails with invalid if two are called the same, or there is none.
    static Result<std::shared_ptr<CombinedTransport>> make(std::vector<std::shared_ptr<Transport>> parts);

    std::string_view name() const noexcept override { return name_; }  // "udp+nats"
    std::size_t max_message() const noexcept override;                 // of the part that carries least
    // To everybody: it fails only if no part takes it. One that is slow keeps the others waiting.
    Result<void> publish(const Message& message) override;
    void register_shard(std::shared_ptr<Shard> shard) override;
    void unregister_shard(const Shard& shard) override;
    void set_audience(const std::vector<std::string>& addresses) override;
    void subscribe(std::string prefix) override;
    std::size_t deliver(const Message& message, Instant at) override;
    Instant heard_until(Instant now) const override;  // of the part that has listened longest
    std::vector<const Transport*> parts() const override;
    void flush() override;
    TransportStatistics statistics() const override;  // sums; what went out by several parts was published once
    std::vector<TransportPeer> peers() const override;

private:
    CombinedTransport(std::vector<std::shared_ptr<Transport>> parts, std::string name) : parts_(std::move(parts)), name_(std::move(name)) {}
    Transport* part_of(std::string_view address) const noexcept;

    const std::vector<std::shared_ptr<Transport>> parts_;
    const std::string name_;
    std::atomic<std::uint64_t> published_{0};  // relaxed: a statistic
};

// Is this an address of a transport that is called so?
inline bool is_address_of(std::string_view transport, std::string_view address) noexcept {
    return address.size() > transport.size() && address.starts_with(transport) && address[transport.size()] == ':';
}

}  // namespace rollcall
