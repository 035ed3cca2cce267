#include "engine/hosts/emitter.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "engine/quiet_thread.hpp"

namespace rollcall::engine {

Emitter::Emitter(Self self, std::shared_ptr<Transport> transport, Hooks hooks, std::uint64_t seed, std::atomic<std::uint64_t>& sent)
    : self_(std::move(self)), transport_(std::move(transport)), hooks_(std::move(hooks)), random_(seed), sent_(sent) {}

void Emitter::emit() {
    if (!hooks_.speaks()) return;
    sent_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
    if (!transport_) return;
    const auto published = transport_->publish(make_heartbeat(self_.cluster, self_.node, {hooks_.wall_clock(), self_.endpoint}));
    if (!published && !has_failed_ && hooks_.log) hooks_.log("cannot send heartbeats over " + std::string(transport_->name()) + ": " + published.error().message);
    has_failed_ = !published;
    if (hooks_.note) hooks_.note();
}

bool Emitter::is_due(Instant now) const { return now >= last_ + std::chrono::duration_cast<Duration>(hooks_.interval() * part_); }

// Between four fifths of the interval and all of it: hosts that started together do not speak together for ever, and nobody is ever late.
void Emitter::emit_if_due(Instant now) {
    if (!is_due(now)) return;
    emit();
    last_ = now;
    part_ = std::uniform_real_distribution<>(0.8, 1)(random_);
}

bool Emitter::start() {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) return true;
    ending_ = false;
    try {
        thread_ = start_quiet_thread("rollcall-emit", [this] { run(); });
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

void Emitter::run() {
    constexpr Duration look_again = std::chrono::milliseconds(20), shortest = std::chrono::milliseconds(1);  // at the interval, which may have become shorter
    std::unique_lock lock(mutex_);
    while (!ending_) {
        lock.unlock();
        emit_if_due(std::chrono::steady_clock::now());
        const Duration pause = std::clamp<Duration>(hooks_.interval() / 20, shortest, look_again);
        lock.lock();
        wake_.wait_for(lock, pause, [this] { return ending_; });
    }
}

void Emitter::stop() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace rollcall::engine
