// Says regularly, to whoever listens, that this engine's node lives.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "engine/hosts/message.hpp"
#include "engine/hosts/transport.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

class Emitter {
public:
    struct Self {
        std::string cluster, node, endpoint;
    };
    struct Hooks {
        std::function<bool()> speaks;               // does the detector do its work? Else nothing is said: a wedged engine must not look alive
        std::function<Duration()> interval;         // the heartbeat setting in force
        std::function<std::int64_t()> wall_clock;   // microseconds
        std::function<void(const std::string&)> log;  // one line; may be empty
        std::function<void()> note{};                   // after each heartbeat, for show; may be empty
    };

    // `transport` may be none: what would be sent is counted in `sent` all the same.
    Emitter(Self self, std::shared_ptr<Transport> transport, Hooks hooks, std::uint64_t seed, std::atomic<std::uint64_t>& sent);
    ~Emitter() { stop(); }
    Emitter(const Emitter&) = delete;
    Emitter& operator=(const Emitter&) = delete;

    // Without a thread: emits if its time has come at `now`.
    void emit_if_due(Instant now);
    // On a thread of its own: a network may block, and the detector must not. False: no thread could be started.
    bool start();
    // Waits for a publication that is under way. Safe twice.
    void stop();

private:
    void emit();
    bool is_due(Instant now) const;
    void run();

    Self self_;
    std::shared_ptr<Transport> transport_;
    Hooks hooks_;
    std::mt19937_64 random_;
    std::atomic<std::uint64_t>& sent_;
    Instant last_{};
    double part_ = 0;          // of the interval, until the next one
    bool has_failed_ = false;  // and this was said
    std::mutex mutex_;         // guards what follows
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace rollcall::engine
