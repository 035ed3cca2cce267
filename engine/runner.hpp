// The threads of an engine: the detector, which waits for its timer, its inbox, its sockets and its processes, and the waker, which
// tells sleeping observers so that the detector never pays for them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/control/server.hpp"
#include "engine/core.hpp"
#include "engine/doorbell.hpp"
#include "engine/engine.hpp"
#include "engine/inbox.hpp"
#include "shm/descriptor.hpp"

namespace rollcall::engine {

class Runner {
public:
    struct Hooks {
        std::function<Instant()> clock;
        std::function<std::int64_t()> wall_clock;
        std::function<void(const std::string&)> log;
        std::function<void()> before_step;     // on the detector's thread
        std::function<void()> published;       // likewise, after a step that published something; blocks for nobody
        std::function<Result<void>()> renew;   // makes the core's memory anew, with nobody looking; on the detector's thread
    };

    // `bell` wakes the detector; `running` is true while it detects; `why` says why it ended by itself. All outlive the runner.
    Runner(Core& core, Inbox& inbox, Doorbell& bell, std::atomic<bool>& running, std::atomic<Ending>& why, Hooks hooks);
    ~Runner() { stop(); }

    // Opens the control socket where the cluster has a folder, performs the first step, and goes on. Fails like Server::listen. Memory
    // that somebody cuts short is made anew, and members join it again by themselves.
    Result<void> start(std::optional<std::uint32_t> group);
    // Ends both threads and waits for them. Safe twice; not from the detector's own thread.
    void stop();

private:
    Result<void> start_threads();
    void has_ended() noexcept;
    void detect();
    void turn(bool scan);
    bool wait(bool& scan);
    void arm();
    Result<void> serve();
    bool check_memory(Instant now);
    bool renew();
    void end(Ending why) noexcept;
    bool is_displaced() const noexcept { return why_.load(std::memory_order_relaxed) == Ending::displaced; }  // relaxed: written by this thread
    void wake_sleepers();

    Core& core_;
    Inbox& inbox_;
    Doorbell& bell_;
    std::atomic<bool>& running_;
    std::atomic<Ending>& why_;
    Hooks hooks_;
    shm::Descriptor epoll_, timer_;
    std::optional<std::uint32_t> group_;
    std::unique_ptr<control::Server> server_;
    std::mutex roster_mutex_;                    // guards what follows: the waker reads it
    std::shared_ptr<const shm::Roster> roster_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint32_t> published_{0};
    Duration armed_for_{};
    Instant next_check_{};
    std::thread detector_, waker_;
};

}  // namespace rollcall::engine
