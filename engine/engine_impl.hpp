// What an Engine is made of. Its functions stand in engine.cpp, what ties it to other hosts in engine_hosts.cpp.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include <unistd.h>

#include "engine/core.hpp"
#include "engine/dispatcher.hpp"
#include "engine/doorbell.hpp"
#include "engine/engine.hpp"
#include "engine/fair_shared_mutex.hpp"
#include "engine/hosts/link.hpp"
#include "engine/inbox.hpp"
#include "engine/runner.hpp"

namespace rollcall {

struct Engine::Impl {
    explicit Impl(Options o);

    engine::CoreOptions core_options(std::optional<std::uint32_t> gid) const;
    // Without anybody to answer, a refusal goes to the log; at most one a second, since every heartbeat of an unknown node may bring one.
    void tell_refusals(engine::Request& request);
    Result<void> put(engine::Request request);
    Result<void> open_locked();
    void stop_threads();
    void stop_from_callback();
    void let_go();
    Result<void> renew();
    void answer_all_until_now();
    void tell_of_opening() const;
    // On the stepping thread, before each step: the memory takes over what was counted since it was opened.
    void take_counts() {
        core->counter(engine::Counter::heartbeats_received) = received.load(std::memory_order_relaxed);
        core->counter(engine::Counter::heartbeats_sent) = sent.load(std::memory_order_relaxed);
    }
    template <class Part>
    Result<void> set_part(std::shared_ptr<Part> engine::LinkParts::*part, std::shared_ptr<Part> value);
    Result<void> tie(Engine& self);
    engine::HostLink::Hooks host_hooks(Engine& self);
    bool beat(const engine::HostWords& words, bool agrees, Instant at, const engine::PathQuality& quality);
    bool detects() const;
    void note_traffic(const HostTraffic& hosts);
    void untie();
    void wake_link() noexcept {
        if (link) link->wake();
    }
    bool is_threaded() const noexcept { return threaded.load(std::memory_order_acquire); }  // [threaded]

    const pid_t process = ::getpid();
    Options options;
    engine::Doorbell bell;
    engine::Inbox inbox;
    engine::Dispatcher dispatcher;
    std::mutex lifecycle;              // open, start, stop: one at a time
    std::atomic<bool> stopping{false};  // its holder waits for the threads, and so for a running callback
    mutable engine::FairSharedMutex memory;  // held shared by whoever reads the roster, exclusively while it comes and goes
    mutable std::mutex settings;       // guards options.settings and pending
    std::uint64_t pending = 0;         // changes of settings that no step has seen yet
    std::unique_ptr<engine::Core> core;
    engine::LinkParts parts;
    std::unique_ptr<engine::Link> link;  // while open, where there is anything to be tied to
    std::unique_ptr<engine::Runner> runner;
    std::mutex stepping;                  // a step without a runner
    std::atomic<bool> threaded{false};    // a runner has the memory, or had it and ended: nobody else may step
    std::atomic<bool> running{false};
    std::atomic<Ending> ending{Ending::none};
    Instant next_refusal{};               // of a registration that is worth a line; on the stepping thread
    bool lets_go_after_dispatch = false;  // a callback inside dispatch() stopped the engine
    std::atomic<std::uint64_t> received{0}, sent{0};  // heartbeats
    std::optional<std::uint32_t> group;
};

}  // namespace rollcall
