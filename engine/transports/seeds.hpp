// Whom a datagram to everybody goes to: addresses that were named to us, whose names are resolved again and again, and those who listen.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/transports/address.hpp"
#include "shm/error.hpp"

namespace rollcall {

// Thread-safe. Shared with the resolver's thread, which a dead name server may keep for longer than the transport lives.
class Seeds {
public:
    explicit Seeds(int family) : family_(family) {}

    // Numbers count at once; names when the resolver comes to them. Fails with invalid.
    Result<void> add(const std::string& seed);
    void set_audience(std::vector<Address> audience);
    // Each once, and not oneself. The same list as the last time unless something has changed.
    std::shared_ptr<const std::vector<Address>> addresses(const Address& self);
    // A name may move to another address, or be unknown when we start. Returns after end().
    void resolve_until_end();
    void end();

private:
    struct Seed {
        HostPort where;
        std::vector<Address> addresses;
    };
    const int family_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable wake_;
    std::vector<Seed> seeds_;
    std::vector<Address> audience_;
    std::shared_ptr<const std::vector<Address>> all_;  // what addresses() says, until something changes
    bool ending_ = false;
};

}  // namespace rollcall
