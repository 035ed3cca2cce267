// Engines whose time is moved by hand: a Core that is driven request by request, and an Engine with injected clocks. Their memory is
// private unless a folder is given.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/client/cursor.hpp"
#include "engine/core.hpp"
#include "engine/engine.hpp"
#include "shm/word.hpp"

namespace rollcall::test {

// A thousand seconds after boot, and on no boundary of a stamp.
inline constexpr Instant origin = instant_from_ns(1'000'000'004'321);
inline constexpr std::int64_t wall_origin_us = 1'700'000'000'000'000;
inline constexpr Duration stamp_unit = from_stamp_units(1);

// "kind node reason", as tests compare events; a pause and a gap are one word.
std::string line_of(const Event& event);
std::vector<std::string> lines_of(const std::vector<Event>& events);

// A folder on tmpfs that ends with the test.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

struct EngineSetup {
    Settings settings{};
    std::uint32_t capacity = 64;
    std::uint32_t ring = 1024;
    std::string dir{};  // empty: private memory
    Instant start = origin;
};

// The engine without threads, clocks and sockets. Each member is given a process of its own, with a pid of its own.
class TimedCore {
public:
    // Opens and makes the first pass, from which on time is observed. Throws if it does not open.
    explicit TimedCore(EngineSetup setup = {});

    Instant now() const noexcept { return now_; }
    Stamp now_stamp() const noexcept { return to_stamp(now_, core_->roster().base_ns()); }
    void advance(Duration d) noexcept { now_ += d; }
    void set_wall(std::int64_t us) noexcept { wall_us_ = us; }

    // One pass at now, or after `d`.
    void step() { core_->step(now_, wall_us_, inbox_, true); }
    void step_after(Duration d);
    // A pass at every scan for `d`; before each of them the nodes named beat.
    void run(Duration d, std::initializer_list<std::string_view> beating = {});

    // Waits for the next step.
    void put(engine::Request request) { inbox_.put(std::move(request)); }
    // Performed at once, in steps without a pass.
    engine::Answer ask(engine::Request request);
    engine::Answer join(std::string_view node, std::string_view endpoint = {}, const Tags& tags = {});
    engine::Answer register_peer(std::string_view node);
    engine::Answer replace(std::string_view node);
    engine::Answer exit(std::string_view node, std::optional<ExitStatus> status = {});
    engine::Answer leave(std::string_view node);
    engine::Answer evict(std::string_view node);
    engine::Answer configure(const Settings& settings);
    static engine::Request join_request(std::string_view node, std::uint32_t pid, std::string_view endpoint = {}, const Tags& tags = {});
    static engine::Request about(std::string_view node, engine::Request::Kind kind);

    // By whoever holds the id at present; foreign if nobody does.
    shm::WordBeat beat(std::string_view node) { return beat(node, now_); }
    shm::WordBeat beat(std::string_view node, Instant at);
    std::int64_t word(Slot slot) const noexcept { return core_->roster().word(slot).load(std::memory_order_relaxed); }
    void set_word(Slot slot, std::int64_t value) noexcept { core_->writable().word(slot).store(value, std::memory_order_relaxed); }

    // What was published since the last call, read from the ring.
    std::vector<Event> take_events();
    std::vector<std::string> take() { return lines_of(take_events()); }

    // What is published now; peer() throws if there is no such peer.
    std::optional<Peer> find(std::string_view node) const;
    Peer peer(std::string_view node) const;
    std::vector<Peer> peers() const;
    shm::CheckpointValues checkpoint() const;
    std::uint64_t counter(engine::Counter c) const { return checkpoint().counters[static_cast<std::size_t>(c)]; }

    engine::Core& core() noexcept { return *core_; }
    const shm::Roster& roster() const noexcept { return core_->roster(); }

private:
    Instant now_;
    std::int64_t wall_us_ = wall_origin_us;
    engine::Inbox inbox_;
    std::unique_ptr<engine::Core> core_;
    Cursor cursor_;
    std::uint32_t next_pid_ = 100;
};

// The engine as an embedding program has it. Its callback collects events; without a runner, take() dispatches first.
class TimedEngine {
public:
    explicit TimedEngine(EngineSetup setup = {});

    // Opens and makes the first pass. Throws if it does not open.
    void open();
    Engine& operator*() noexcept { return engine_; }
    Engine* operator->() noexcept { return &engine_; }

    Instant now() const noexcept { return instant_from_ns(now_ns_.load(std::memory_order_relaxed)); }
    void advance(Duration d) noexcept { now_ns_.fetch_add(d.count(), std::memory_order_relaxed); }
    void set_wall(std::int64_t us) noexcept { wall_us_.store(us, std::memory_order_relaxed); }
    void step() { engine_.step(now()); }
    void step_after(Duration d);
    void run(Duration d, std::initializer_list<std::string_view> beating = {});
    // on_heartbeat of this cluster, now, without an endpoint.
    void hear(std::string_view node);

    std::vector<Event> take_events();
    std::vector<std::string> take() { return lines_of(take_events()); }
    std::vector<std::string> take_log();

private:
    // Relaxed throughout: each stands for itself.
    std::atomic<std::int64_t> now_ns_;
    std::atomic<std::int64_t> wall_us_{wall_origin_us};
    std::mutex mutex_;  // guards what the engine's threads collect here
    std::vector<Event> events_;
    std::vector<std::string> log_;
    Engine engine_;
};

EngineOptions options_of(const EngineSetup& setup);

}  // namespace rollcall::test
