// An engine inside a program of its own: private memory, no socket, no file. Peers are fed from whatever the program hears them by; here two are made up, and one falls silent.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

#include <rollcall/rollcall.hpp>

using namespace std::chrono_literals;

int main() {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_over = false;

    rollcall::Engine engine({.cluster = "orders", .node = "gateway", .settings = {.heartbeat = 20ms, .suspect = 100ms, .dead = 200ms, .evict = 400ms, .scan = 5ms}});
    // On a thread of the engine's own, one event after the other; a slow callback delays nobody but other callbacks.
    engine.add_callback([&](const rollcall::Event& event) {
        const std::string kind(to_string(event.kind)), node(event.node()), reason(to_string(event.reason));
        std::printf("%s %s %s\n", kind.c_str(), node.c_str(), reason.c_str());
        if (event.kind != rollcall::Event::evicted) return;
        const std::lock_guard lock(mutex);
        is_over = true;
        changed.notify_one();
    });
    if (auto started = engine.start(); !started) return std::fprintf(stderr, "%s\n", started.error().message.c_str()), 1;

    engine.register_peer("steady", "10.0.0.2:7000");
    engine.register_peer("silent", "10.0.0.3:7000");
    engine.sync();
    for (std::unique_lock lock(mutex); !changed.wait_for(lock, 20ms, [&] { return is_over; });)
        engine.on_heartbeat("steady", "orders", "", std::chrono::steady_clock::now());  // as its messages would arrive
    for (const rollcall::Peer& peer : engine.snapshot()) {
        const std::string state(to_string(peer.state));
        std::printf("left: %s, %s\n", peer.node.c_str(), state.c_str());
    }
}
