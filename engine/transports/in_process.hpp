// Hosts in one process: a network that loses, delays, doubles, reorders and parts exactly as it is told. For tests, simulations and programs that run
// several engines. Whatever it does at random follows from its seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/hosts/switchboard.hpp"
#include "engine/hosts/transport.hpp"

namespace rollcall {

// What happens to a message on its way to each receiver.
struct InProcessConditions {
    double loss = 0;       // chance of never arriving
    double duplication = 0;  // chance of arriving twice, each after a delay of its own
    Duration delay_min{}, delay_max{};  // different delays reorder
};

class InProcessTransport;

// The wire between transports. Thread-safe. Without delays a message arrives within publish(), on the publisher's thread; with them when deliver_until()
// reaches its time.
class InProcessNetwork : public std::enable_shared_from_this<InProcessNetwork> {
public:
    // `name`: of its transports, and with what addresses on it begin. A host on several networks needs different ones.
    static std::shared_ptr<InProcessNetwork> make(std::uint64_t seed = 1, std::string name = "in-process") { return std::shared_ptr<InProcessNetwork>(new InProcessNetwork(seed, std::move(name))); }
    const std::string& name() const noexcept { return name_; }

    // A host on this network. Names are unique; a second one of a name takes its place.
    std::shared_ptr<InProcessTransport> add_host(const std::string& name);

    void set_conditions(const InProcessConditions& conditions);
    // Nothing that `from` says reaches `to`; one way, until heal().
    void cut(const std::string& from, const std::string& to);
    void heal();
    // What comes for this host waits until it listens again, and comes then.
    void stop_listening(const std::string& host);
    void listen_again(const std::string& host);

    // Time is moved by hand: what is due by `now` arrives, in the order of its times. `now` is also when publish() happens from then on.
    void deliver_until(Instant now);

private:
    friend class InProcessTransport;
    struct Flight {
        Instant at;
        std::uint64_t number;  // of equal times the first one sent comes first
        std::string to;
        Message message;
        bool operator>(const Flight& other) const noexcept { return std::pair(at, number) > std::pair(other.at, other.number); }
    };
    InProcessNetwork(std::uint64_t seed, std::string name) : name_(std::move(name)), random_(seed) {}
    // Locked: is it to wait?
    bool holds_back(const std::string& to, const Message& message);
    Instant heard_until(const std::string& host, Instant now);
    Instant now() const { return now_ == Instant{} ? std::chrono::steady_clock::now() : now_; }
    void send(const std::string& from, Message message);
    void remove(const InProcessTransport* host);
    bool by_chance(double chance) { return chance > 0 && std::uniform_real_distribution<>(0, 1)(random_) < chance; }

    const std::string name_;
    std::mutex mutex_;  // guards what follows
    std::mt19937_64 random_;
    InProcessConditions conditions_;
    std::set<std::pair<std::string, std::string>> cuts_;
    struct HeldBack {
        Instant since;
        std::vector<Message> messages;
    };
    std::map<std::string, HeldBack> deaf_;  // by host
    std::map<std::string, std::weak_ptr<InProcessTransport>> hosts_;
    std::priority_queue<Flight, std::vector<Flight>, std::greater<>> flying_;
    std::uint64_t sent_ = 0;
    Instant now_{};
};

class InProcessTransport : public Transport {
public:
    InProcessTransport(std::shared_ptr<InProcessNetwork> network, std::string host) : network_(std::move(network)), host_(std::move(host)) {}
    ~InProcessTransport() override { network_->remove(this); }

    std::string_view name() const noexcept override { return network_->name(); }
    std::size_t max_message() const noexcept override { return 1u << 20; }
    Result<void> publish(const Message& message) override;
    void register_shard(std::shared_ptr<Shard> shard) override { switchboard_.add(std::move(shard)); }
    void unregister_shard(const Shard& shard) override { switchboard_.remove(shard); }
    void subscribe(std::string prefix) override { switchboard_.subscribe(std::move(prefix)); }
    std::size_t deliver(const Message& message, Instant at) override { return switchboard_.deliver(message, at); }
    Instant heard_until(Instant now) const override { return network_->heard_until(host_, now); }
    void flush() override {}
    TransportStatistics statistics() const override { return switchboard_.statistics(); }
    std::vector<TransportPeer> peers() const override;

    const std::string& host() const noexcept { return host_; }

private:
    friend class InProcessNetwork;
    std::shared_ptr<InProcessNetwork> network_;
    std::string host_;
    Switchboard switchboard_;
};

}  // namespace rollcall
