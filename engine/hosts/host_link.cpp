#include "engine/hosts/host_link.hpp"

#include <chrono>
#include <system_error>

#include "engine/quiet_thread.hpp"
#include "shm/futex.hpp"

namespace rollcall::engine {

namespace {
constexpr Duration between_lines = std::chrono::minutes(1), between_notes = std::chrono::milliseconds(250);
}

HostLink::HostLink(HostIdentity self, ListKeeper::OwnNode own, std::shared_ptr<Transport> transport, Hooks hooks, std::uint32_t capacity, std::uint64_t seed, std::atomic<std::uint64_t>& sent)
    : transport_(std::move(transport)), hooks_(std::move(hooks)), keeper_(std::move(own)), neighbourhood_(std::move(self), hooks_.neighbourhood, capacity, seed), sent_(sent) {}

void HostLink::hear(const Message& message, Instant at) {
    if (neighbourhood_.hear(message, at)) wake();
}

void HostLink::follow_memory() {
    // The list's lock first, like whoever hears: the memory may be about to be made anew, and wait for all who read it.
    neighbourhood_.change_list([this](OwnList& list) {
        std::optional<Incarnation> life;
        hooks_.read([&](const shm::Roster& roster, Incarnation host) {
            if (keeper_.follow(roster, host, list)) life = host;
        });
        return life;
    });
}

void HostLink::turn(Instant now) {
    follow_memory();
    out_.clear();
    pause_ = neighbourhood_.tick(now, out_);
    if (const auto audience = neighbourhood_.new_audience(); audience && transport_) transport_->set_audience(*audience);
    publish(out_, now);
    if (!hooks_.note || now < next_note_) return;
    next_note_ = now + between_notes;
    hooks_.note(neighbourhood_.counters());
}

void HostLink::publish(const std::vector<Message>& messages, Instant now) {
    for (const Message& message : messages) {
        if (message.via.empty()) sent_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
        if (!transport_) continue;
        const auto published = transport_->publish(message);
        const auto& log = hooks_.neighbourhood.log;
        if (published || !log || (told_failure_ != Instant{} && now - told_failure_ < between_lines)) continue;
        told_failure_ = now;
        log("cannot send over " + std::string(transport_->name()) + ": " + published.error().message + "; said once a minute");
    }
}

void HostLink::say_goodbye(Instant now) {
    follow_memory();
    out_.clear();
    neighbourhood_.say_goodbye(now, out_);
    publish(out_, now);
}

bool HostLink::start() {
    if (thread_.joinable()) return true;
    ending_.store(false, std::memory_order_relaxed);  // relaxed: the thread's start orders it
    try {
        thread_ = start_quiet_thread("rollcall-hosts", [this] { run(); });
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

void HostLink::run() {
    while (!ending_.load(std::memory_order_relaxed)) {  // relaxed: woken after it was set
        const auto seen = static_cast<std::uint32_t>(wakes_.load(std::memory_order_acquire));  // [wakes]
        turn(std::chrono::steady_clock::now());
        shm::futex_wait(wakes_, seen, pause_);
    }
}

void HostLink::wake() noexcept {
    wakes_.fetch_add(1, std::memory_order_release);  // [wakes]
    shm::futex_wake_one(wakes_);
}

void HostLink::stop() {
    ending_.store(true, std::memory_order_relaxed);
    wake();
    if (thread_.joinable()) thread_.join();
}

}  // namespace rollcall::engine
