// One connection to a NATS server through libnats, whose threads call back until it is closed, and not after.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/transports/nats.hpp"
#include "shm/error.hpp"

namespace rollcall {

// Called by threads of libnats, one at a time for each connection.
class NatsListener {
public:
    virtual void on_message(std::string_view bytes) = 0;
    virtual void on_line(const std::string& line) = 0;  // what happens to the connection

protected:
    ~NatsListener() = default;
};

// Thread-safe.
class NatsConnection {
public:
    // Goes on trying where no server answers now. `listener` outlives it. Fails with invalid, full.
    static Result<std::shared_ptr<NatsConnection>> open(const NatsOptions& options, NatsListener& listener);
    // Waits for a callback that is under way.
    ~NatsConnection();
    NatsConnection(const NatsConnection&) = delete;
    NatsConnection& operator=(const NatsConnection&) = delete;

    bool is_connected() const noexcept;
    // Blocks for a quarter of a second at most.
    Result<void> publish(const std::string& subject, std::string_view bytes);
    // Once, however often it is asked for.
    void subscribe(const std::string& subject);
    void flush();
    // Messages that came faster than they were taken.
    std::uint64_t dropped() const;

private:
    struct Handles;
    explicit NatsConnection(std::unique_ptr<Handles> handles);
    std::unique_ptr<Handles> handles_;
};

}  // namespace rollcall
