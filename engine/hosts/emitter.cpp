#include "engine/hosts/emitter.hpp"

#include <system_error>
#include <utility>

#include "engine/quiet_thread.hpp"

namespace rollcall::engine {

Emitter::Emitter(Self self, std::shared_ptr<Transport> transport, Hooks hooks, std::uint64_t seed, std::atomic<std::uint64_t>& sent)
    : self_(std::move(self)), transport_(std::move(transport)), hooks_(std::move(hooks)), random_(seed), sent_(sent) {}

// Between four fifths of the interval and all of it: hosts that started together do not speak together for ever, and nobody is ever late.
Duration Emitter::next_pause() {
    const Duration interval = hooks_.interval();
    return Duration(std::uniform_int_distribution<std::int64_t>(interval.count() * 4 / 5, interval.count())(random_));
}

void Emitter::emit() {
    sent_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
    if (!transport_) return;
    const auto published = transport_->publish(make_heartbeat(self_.cluster, self_.node, {hooks_.wall_clock(), self_.endpoint}));
    if (!published && !has_failed_ && hooks_.log) hooks_.log("cannot send heartbeats over " + std::string(transport_->name()) + ": " + published.error().message);
    has_failed_ = !published;
}

void Emitter::emit_if_due(Instant now) {
    if (now < next_) return;
    emit();
    next_ = now + next_pause();
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
    std::unique_lock lock(mutex_);
    while (!ending_) {
        lock.unlock();
        emit();
        const Duration pause = next_pause();
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
