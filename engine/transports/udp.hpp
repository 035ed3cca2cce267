// Hosts over UDP: one datagram a message to everybody it was told of, and one to a multicast group. Without keys nothing is signed, and it stays on this machine unless
// told otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/hosts/key_ring.hpp"
#include "engine/hosts/transport.hpp"

namespace rollcall {

struct UdpOptions {
    std::string bind = "127.0.0.1:0";  // ADDRESS:PORT, or [ADDRESS]:PORT of IPv6; port 0: any
    std::vector<std::string> seeds{};  // HOST:PORT: to whom messages go. Names are resolved again and again
    std::string multicast{};           // GROUP:PORT of IPv4: heard there, and spoken to; it reaches no further than one network (TTL 1). Seeds are spoken to beside it
    bool insecure = false;             // may be reached from other machines although nothing is signed
    std::shared_ptr<KeyRing> keys{};   // everything is signed, and nothing else is believed
    std::function<void(const std::string&)> log{};  // one line each, from the transport's threads
};

class UdpTransport : public Transport {
public:
    // Fails with invalid (an address that does not read, or one that others reach without `insecure`), full, system.
    static Result<std::shared_ptr<UdpTransport>> open(UdpOptions options);
    ~UdpTransport() override;

    // Where it is bound, with the port it was given.
    const std::string& address() const noexcept;
    // One more to send to. Fails with invalid.
    Result<void> add_seed(const std::string& seed);

    std::string_view name() const noexcept override;  // "udp", or "udp6": a host may have one of each
    std::size_t max_message() const noexcept override;
    Result<void> publish(const Message& message) override;
    void register_shard(std::shared_ptr<Shard> shard) override;
    void unregister_shard(const Shard& shard) override;
    void set_audience(const std::vector<std::string>& addresses) override;
    void subscribe(std::string prefix) override;
    std::size_t deliver(const Message& message, Instant at) override;
    void flush() override {}  // sendto() hands over at once
    Instant heard_until(Instant now) const override;
    TransportStatistics statistics() const override;
    std::vector<TransportPeer> peers() const override;  // from whom something that reads has come, at most 16,384 of them

private:
    struct Impl;
    explicit UdpTransport(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace rollcall
