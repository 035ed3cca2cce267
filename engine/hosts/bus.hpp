// Where a shard's messages arrive, whoever brought them: transports deliver, whoever is interested attaches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/hosts/message.hpp"
#include "shm/units.hpp"

namespace rollcall {

// Thread-safe.
class Bus {
public:
    using Subscription = std::uint64_t;
    // `at`: when the transport received it, on this host's monotonic clock.
    using Handler = std::function<void(const Message&, Instant at)>;

    Bus() = default;
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    // From now on every message whose path begins with `prefix` is handed over, on the delivering thread. The handler must neither block nor
    // publish: another delivery may wait for it.
    Subscription attach(std::string prefix, Handler handler);
    // Waits for a running call, except from inside one on the same thread: after it, the handler is never called again. Safe twice.
    void detach(Subscription subscription);

    // In the order of attaching. Returns how many took it. Cost: one comparison of prefixes a subscription.
    std::size_t deliver(const Message& message, Instant at);

private:
    struct Entry {
        Subscription id;
        std::string prefix;
        Handler handler;
    };
    std::recursive_mutex mutex_;  // a handler may attach and detach
    using Entries = std::vector<std::shared_ptr<const Entry>>;
    std::shared_ptr<const Entries> entries_ = std::make_shared<const Entries>();  // made anew by whoever changes it
    Subscription next_ = 1;
};

}  // namespace rollcall
