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
    virtual void on_line(const std::string& line) = 0;    // what happens to the connection
    virtual void on_connected(bool is_connected) = 0;
    virtual void on_closed() = 0;                         // libnats has given it up, and will not try again

protected:
    ~NatsListener() = default;
};

// libnats holds a connection's lock while it connects and writes, which may take seconds: all calls may block as long, and belong on threads that nobody waits for.
class NatsConnection {
public:
    // Goes on trying where no server answers now. `listener` outlives it. Fails with invalid, full.
    static Result<std::shared_ptr<NatsConnection>> open(const NatsOptions& options, NatsListener& listener);
    // Waits for a callback that is under way: not from inside one.
    ~NatsConnection();
    NatsConnection(const NatsConnection&) = delete;
    NatsConnection& operator=(const NatsConnection&) = delete;

    Result<void> publish(const std::string& subject, std::string_view bytes);
    // Once, however often it is asked for. One thread.
    void subscribe(const std::string& subject);
    void flush();
    // Messages that came faster than they were taken. The thread that subscribes.
    std::uint64_t dropped() const;

private:
    struct Handles;
    explicit NatsConnection(std::unique_ptr<Handles> handles);
    std::unique_ptr<Handles> handles_;
};

}  // namespace rollcall
