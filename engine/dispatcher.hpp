// Callbacks of the embedding program: run in order, one after another, by a reader of the ring like any other. A slow one falls behind
// and gets a gap; nothing here can delay the detector.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/client/cursor.hpp"
#include "engine/engine.hpp"

namespace rollcall::engine {

class Dispatcher {
public:
    using Callback = rollcall::Engine::Callback;
    using Log = std::function<void(const std::string&)>;

    explicit Dispatcher(Log log) : log_(std::move(log)) {}
    ~Dispatcher() { stop(); }

    rollcall::Engine::CallbackId add(Callback callback);
    // Waits for a running call of it, except from inside that call.
    bool remove(rollcall::Engine::CallbackId id);

    // Events after `from` will be delivered. Not while the thread runs.
    void attach(std::shared_ptr<const shm::Roster> roster, Sequence from);
    // The memory was made anew: callbacks get a gap that ends the old stream, then what the new one holds after `from`. Waits for nobody.
    void move_to(std::shared_ptr<const shm::Roster> roster, Sequence from);
    // Delivers everything published, on this thread.
    void deliver();

    void start();
    // From a callback: asks the thread to end, without waiting. After it, nothing touches the roster any more, except from a callback.
    void stop();
    // Does this thread stand inside a callback?
    bool is_inside_callback();

private:
    struct Entry {
        rollcall::Engine::CallbackId id;
        std::shared_ptr<const Callback> call;
    };
    void run();
    void follow_move();
    void tell_gap(Sequence from, Sequence to);
    void call_all(const Event& event);

    Log log_;
    std::mutex mutex_;  // guards what follows, up to caller_
    std::condition_variable idle_;
    std::vector<Entry> callbacks_;
    rollcall::Engine::CallbackId next_id_ = 1, running_ = 0;
    std::thread::id caller_;
    std::shared_ptr<const shm::Roster> next_;  // where to go on
    Sequence next_from_{};
    std::shared_ptr<const shm::Roster> roster_;  // changed by the delivering thread only
    Cursor cursor_;                              // that thread's
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace rollcall::engine
