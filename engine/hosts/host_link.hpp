// This host among others: its list follows its memory, what it has to say goes out, and a thread keeps both going.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/hosts/list_keeper.hpp"
#include "engine/hosts/neighbourhood.hpp"
#include "engine/hosts/transport.hpp"

namespace rollcall::engine {

class HostLink {
public:
    struct Hooks {
        Neighbourhood::Hooks neighbourhood;
        // Calls with the memory and this host's incarnation, if there is any memory now.
        std::function<void(const std::function<void(const shm::Roster&, Incarnation)>&)> read;
        std::function<void(const HostTraffic&)> note;  // a few times a second, for show; may be empty
    };

    // `transport` may be none: what would be sent is counted in `sent` all the same.
    HostLink(HostIdentity self, ListKeeper::OwnNode own, std::shared_ptr<Transport> transport, Hooks hooks, std::uint32_t capacity, std::uint64_t seed, std::atomic<std::uint64_t>& sent);
    ~HostLink() { stop(); }
    HostLink(const HostLink&) = delete;
    HostLink& operator=(const HostLink&) = delete;

    // On a receiving thread: neither blocks nor publishes.
    void hear(const Message& message, Instant at);
    // Without a thread: everything that is due at `now`.
    void turn(Instant now);
    // On a thread of its own: a network may block, and the detector must not. False: no thread could be started.
    bool start();
    // Waits for a publication that is under way. Safe twice.
    void stop();
    // Without a thread, or after it: what is left to be said, and that this host leaves.
    void say_goodbye(Instant now);
    // Something was published in the memory. Any thread; blocks for nobody.
    void wake() noexcept;

    std::vector<HostView> hosts() const { return neighbourhood_.hosts(); }
    HostTraffic counters() const { return neighbourhood_.counters(); }

private:
    void run();
    void follow_memory();
    void publish(const std::vector<Message>& messages, Instant now);

    std::shared_ptr<Transport> transport_;
    Hooks hooks_;
    ListKeeper keeper_;
    Neighbourhood neighbourhood_;
    std::atomic<std::uint64_t>& sent_;
    std::vector<Message> out_;
    Instant next_note_{};
    Instant told_failure_{};   // of the network: when that was said last
    Duration pause_{};         // until the next turn, if nothing happens
    std::atomic<std::uint64_t> wakes_{0};
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace rollcall::engine
