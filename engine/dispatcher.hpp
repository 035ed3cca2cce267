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

    // Events after `from` will be delivered.
    void attach(const shm::Roster& roster, Sequence from);
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
    void call_all(const Event& event);

    Log log_;
    std::mutex mutex_;  // guards what follows, up to caller_
    std::condition_variable idle_;
    std::vector<Entry> callbacks_;
    rollcall::Engine::CallbackId next_id_ = 1, running_ = 0;
    std::thread::id caller_;
    const shm::Roster* roster_ = nullptr;
    Cursor cursor_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace rollcall::engine
