// Hosts in one thread: real engines with memories of their own, the real messages, a network in the same process. Time is moved, everything at random follows
// from one seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/client/cursor.hpp"
#include "engine/core.hpp"
#include "engine/hosts/host_link.hpp"
#include "engine/transports/combined.hpp"
#include "engine/transports/in_process.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {

class HostWorld;

// One host: its memory lives as long as this, its engine comes and goes.
class WorldHost {
public:
    // `name` on the network; what it calls itself is `called`.
    WorldHost(HostWorld& world, std::string name, std::string called, EngineSetup setup, std::uint64_t seed);
    ~WorldHost() { crash(); }

    const std::string& name() const noexcept { return name_; }
    // The engine: from the memory it left, or from nothing.
    void start();
    // It and what it had in mind is gone; the memory stays.
    void crash();
    // The memory too: the next start is a new life.
    void lose_memory();
    bool is_up() const noexcept { return core_ != nullptr; }
    // Stopped like by a debugger: nothing runs, and messages wait.
    void freeze(bool frozen) { frozen_ = frozen; }
    bool is_frozen() const noexcept { return frozen_; }
    // Its wall clock, beside everybody's.
    void set_clock(Duration ahead) { clock_ahead_ = ahead; }
    // Of what arrives it hears only what passes; null: everything.
    void hear_only(std::function<bool(const Message&)> passes) { passes_ = std::move(passes); }

    // Members with a process, which beat until they are told otherwise.
    void join(const std::string& node);
    void exit(const std::string& node);
    void leave(const std::string& node);
    void silence(const std::string& node, bool silent);
    const std::map<std::string, bool>& members() const noexcept { return silent_; }  // and whether they are silent

    // One round at the world's time: a look of the detector, and what the link has to say.
    void turn();

    // "kind node reason", of what was published since the last call.
    std::vector<std::string> take() { return lines_of(take_events()); }
    std::vector<Event> take_events();
    std::vector<Peer> peers() const;
    std::optional<Peer> find(std::string_view node) const;
    engine::Core& core() { return *core_; }
    engine::HostLink& link() { return *link_; }

private:
    void ask(engine::Request request);
    engine::HostLink::Hooks hooks();
    bool beat(const engine::HostWords& words, bool agrees, Instant at);
    bool looks() const;

    std::int64_t wall_us() const;

    HostWorld& world_;
    std::string name_, called_;
    EngineSetup setup_;
    std::unique_ptr<TemporaryFolder> folder_ = std::make_unique<TemporaryFolder>();
    std::uint64_t seed_;
    std::unique_ptr<engine::Inbox> inbox_;
    std::unique_ptr<engine::Core> core_;
    std::shared_ptr<Transport> transport_;
    std::shared_ptr<Shard> shard_;
    std::unique_ptr<engine::HostLink> link_;
    std::atomic<std::uint64_t> sent_{0};
    std::map<std::string, bool> silent_;
    std::map<std::string, Instant> beat_at_;
    std::vector<std::pair<Message, Instant>> waiting_;  // while frozen
    std::function<bool(const Message&)> passes_;
    Cursor cursor_;
    Instant next_look_{};
    Duration clock_ahead_{};
    bool frozen_ = false;
    std::uint32_t next_pid_ = 100;
};

class HostWorld {
public:
    static constexpr Duration step = std::chrono::milliseconds(10);

    // All hosts are on every network: each has a transport of it.
    explicit HostWorld(std::uint64_t seed = 1, std::vector<std::string> networks = {"in-process"}) : seed_(seed) {
        for (const std::string& name : networks) networks_.push_back(InProcessNetwork::make(seed, name));
    }

    // Up and running.
    WorldHost& add(const std::string& name, EngineSetup setup = {}) { return add_as(name, name, std::move(setup)); }
    // Which calls itself so.
    WorldHost& add_as(const std::string& name, const std::string& called, EngineSetup setup = {});
    WorldHost& operator[](const std::string& name) { return *hosts_.at(name); }
    const std::map<std::string, std::unique_ptr<WorldHost>>& hosts() const noexcept { return hosts_; }
    InProcessNetwork& network(std::size_t i = 0) noexcept { return *networks_[i]; }
    // Of a host, for its own use.
    std::shared_ptr<Transport> make_transport(const std::string& host);
    std::size_t networks() const noexcept { return networks_.size(); }
    Instant now() const noexcept { return now_; }
    std::int64_t wall_us() const noexcept { return wall_origin_us + std::chrono::duration_cast<std::chrono::microseconds>(now_ - origin).count(); }

    void run(Duration d);
    // Until it holds, at most so long; says whether it did.
    template <class Condition>
    bool run_until(Duration longest, Condition holds) {
        for (const Instant end = now_ + longest; now_ < end && !holds();) run(step);
        return holds();
    }
    // Both ways, on every network.
    void cut(const std::string& a, const std::string& b);

private:
    std::vector<std::shared_ptr<InProcessNetwork>> networks_;
    std::uint64_t seed_;
    Instant now_ = origin;
    std::map<std::string, std::unique_ptr<WorldHost>> hosts_;
};

}  // namespace rollcall::test
