// What carries messages between hosts: a contract that every transport keeps (tests/conformance). A transport knows nothing of membership.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/hosts/message.hpp"
#include "engine/hosts/shard.hpp"
#include "engine/traffic.hpp"
#include "shm/error.hpp"
#include "shm/units.hpp"

namespace rollcall {

// Whom a transport has heard of lately, or was told to speak to.
struct TransportPeer {
    std::string name;     // as the transport names it: an address, a subject
    Instant last_seen{};  // never: the epoch
};

// Thread-safe. Destruction ends its threads; shards that are still registered are left alone.
class Transport {
public:
    virtual ~Transport() = default;

    virtual std::string_view name() const noexcept = 0;
    // The longest payload that one message may have, in bytes.
    virtual std::size_t max_message() const noexcept = 0;

    // Hands a message to the network: to the address in `via` alone, or, if that is empty, to everybody who asked for its path. May block as long as the network makes it: never from a detector.
    // Fails with invalid if the message is none (empty cluster or origin, payload over max_message()), with system or full if the network did not take it:
    // then it is lost, and counted.
    virtual Result<void> publish(const Message& message) = 0;

    // What arrives for the shard's cluster and below a prefix that was subscribed to goes to its bus, from a thread of the transport's. A shard
    // is registered with its cluster's membership path subscribed. Safe twice.
    virtual void register_shard(std::shared_ptr<Shard> shard) = 0;
    // Safe twice. A delivery that is under way may still arrive: whoever must not be called any more detaches from the bus.
    virtual void unregister_shard(const Shard& shard) = 0;
    // Whoever is not reached otherwise: what goes to everybody goes to these addresses as well, named as in `via` of what came from them. In place of those that
    // were said before; what does not read is passed over. A transport that reaches everybody by itself has no use for it.
    virtual void set_audience(const std::vector<std::string>& addresses) { (void)addresses; }
    // Messages below this path are wanted, too.
    virtual void subscribe(std::string prefix) = 0;

    // As if it had come from the network: for whoever receives by other means, and for tests. Returns how many handlers took it.
    virtual std::size_t deliver(const Message& message, Instant at) = 0;
    // Up to when it has listened: what came until then was handed over. `now` as a rule; earlier while messages wait, were dropped on this machine, or what brings them
    // is known to be gone. Never blocks: the detector asks.
    virtual Instant heard_until(Instant now) const { return now; }
    // A transport that is made of several names them, in an order that stays; each has a name of its own.
    virtual std::vector<const Transport*> parts() const { return {this}; }
    // Returns once everything published before it was handed to the network, or given up.
    virtual void flush() = 0;

    virtual TransportStatistics statistics() const = 0;
    virtual std::vector<TransportPeer> peers() const = 0;
};

}  // namespace rollcall
