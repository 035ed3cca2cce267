// Hosts over NATS: everybody hears everybody through a broker, or a cluster of them.
//
// A broker may be gone, frozen, or deliver what it held back: a host hears its own messages come back, and what did not is time in which nobody listened. From one and a half
// intervals on it changes to the next server by itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/hosts/key_ring.hpp"
#include "engine/hosts/transport.hpp"

namespace rollcall {

struct NatsOptions {
    std::vector<std::string> urls{};  // nats://[USER:PASSWORD@]HOST:PORT, or tls://: tried in this order, from any on
    std::string credentials{};        // file with a JWT and an NKey seed; empty: none
    std::string ca{}, certificate{}, key{};  // files, PEM: whom to trust, and who we are; with tls:// URLs, or by themselves
    std::shared_ptr<KeyRing> keys{};         // everything is signed, and nothing else is believed
    std::function<void(const std::string&)> log{};  // one line each, from threads of the transport's and of libnats
};

class NatsTransport : public Transport {
public:
    // Returns whether or not a server can be reached: it goes on trying. Fails with invalid (an URL or a file that does not read), full.
    static Result<std::shared_ptr<NatsTransport>> open(NatsOptions options);
    ~NatsTransport() override;

    // Is there a connection?
    bool is_connected() const;

    std::string_view name() const noexcept override { return "nats"; }
    std::size_t max_message() const noexcept override;
    // Waits for nobody: a thread hands it to the server. Fails with system without a connection, too, and with full where the server is too slow.
    Result<void> publish(const Message& message) override;
    void register_shard(std::shared_ptr<Shard> shard) override;
    void unregister_shard(const Shard& shard) override;
    // A prefix that ends within a token brings everything beside it, and is sorted out here.
    void subscribe(std::string prefix) override;
    std::size_t deliver(const Message& message, Instant at) override;
    // When the last message of our own that came back was sent.
    Instant heard_until(Instant now) const override;
    void flush() override;
    TransportStatistics statistics() const override;
    std::vector<TransportPeer> peers() const override;  // the names of whoever spoke, at most 16,384 of them

private:
    struct Impl;
    explicit NatsTransport(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace rollcall
