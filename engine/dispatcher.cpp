#include "engine/dispatcher.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "engine/client/present.hpp"
#include "shm/futex.hpp"

namespace rollcall::engine {

rollcall::Engine::CallbackId Dispatcher::add(Callback callback) {
    const std::lock_guard lock(mutex_);
    callbacks_.push_back({next_id_, std::make_shared<const Callback>(std::move(callback))});
    return next_id_++;
}

bool Dispatcher::remove(rollcall::Engine::CallbackId id) {
    std::unique_lock lock(mutex_);
    const auto it = std::find_if(callbacks_.begin(), callbacks_.end(), [&](const Entry& e) { return e.id == id; });
    if (it == callbacks_.end()) return false;
    callbacks_.erase(it);
    if (caller_ != std::this_thread::get_id()) idle_.wait(lock, [&] { return running_ != id; });
    return true;
}

bool Dispatcher::is_inside_callback() {
    const std::lock_guard lock(mutex_);
    return caller_ == std::this_thread::get_id();
}

void Dispatcher::attach(std::shared_ptr<const shm::Roster> roster, Sequence from) {
    roster_ = std::move(roster);
    ending_.store(false, std::memory_order_relaxed);
    cursor_.go_on_after(from);
}

void Dispatcher::move_to(std::shared_ptr<const shm::Roster> roster, Sequence from) {
    const std::lock_guard lock(mutex_);
    next_ = std::move(roster);
    next_from_ = from;
}

void Dispatcher::follow_move() {
    Sequence from;
    {
        const std::lock_guard lock(mutex_);
        if (!next_) return;
        roster_ = std::exchange(next_, nullptr);
        from = next_from_;
    }
    cursor_.go_on_after(from);
    tell_gap(Sequence{1}, from);
}

void Dispatcher::tell_gap(Sequence from, Sequence to) {
    Event gap;
    gap.kind = EventKind::gap;
    gap.stream = roster_->header().stream.load(std::memory_order_relaxed);
    gap.from = from;
    gap.to = gap.sequence = to;
    call_all(gap);
}

// Each callback of the list as it is now; one that is removed meanwhile is not called any more.
void Dispatcher::call_all(const Event& event) {
    std::unique_lock lock(mutex_);
    const std::vector<Entry> now = callbacks_;
    for (const Entry& entry : now) {
        const bool still = std::any_of(callbacks_.begin(), callbacks_.end(), [&](const Entry& e) { return e.id == entry.id; });
        if (!still) continue;
        running_ = entry.id;
        caller_ = std::this_thread::get_id();
        lock.unlock();
        std::string thrown;
        try {
            (*entry.call)(event);
        } catch (const std::exception& e) {
            thrown = e.what();
        } catch (...) {
            thrown = "something that is no std::exception";
        }
        if (!thrown.empty() && log_) log_("callback " + std::to_string(entry.id) + " threw: " + thrown);
        lock.lock();
        running_ = 0;
        caller_ = {};
        idle_.notify_all();
    }
}

void Dispatcher::deliver() {
    shm::StoredEvent stored;
    while (roster_ != nullptr && !ending_.load(std::memory_order_relaxed)) {  // relaxed: only asks whether to go on
        follow_move();
        switch (cursor_.next(*roster_, stored)) {
            case Cursor::Outcome::nothing: return;
            case Cursor::Outcome::event: call_all(present_event(*roster_, stored)); break;
            case Cursor::Outcome::lapped: tell_gap(cursor_.from(), cursor_.to()); break;
        }
    }
}

void Dispatcher::run() {
    while (!ending_.load(std::memory_order_relaxed)) {
        const auto before = roster_;  // keeps the selector's memory while this thread may sleep on it
        const auto& selector = before->header().selector;
        const std::uint64_t seen = selector.load(std::memory_order_acquire);  // [publish]
        deliver();
        if (ending_.load(std::memory_order_relaxed)) return;
        if (before == roster_) shm::futex_wait(selector, static_cast<std::uint32_t>(seen), std::chrono::milliseconds(100));
    }
}

void Dispatcher::start() {
    ending_.store(false, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();  // ended from inside a callback
    thread_ = std::thread([this] { run(); });
}

void Dispatcher::stop() {
    ending_.store(true, std::memory_order_relaxed);
    if (!thread_.joinable() || is_inside_callback()) return;
    {
        const std::lock_guard lock(mutex_);
        if (roster_ != nullptr) shm::futex_wake_all(roster_->header().selector);
    }
    thread_.join();
    roster_.reset();
    next_.reset();
}

}  // namespace rollcall::engine
