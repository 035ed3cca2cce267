// The engine: owns a cluster's memory on this host and judges who is alive. Embed it, or run it as `rollcall run`.
//
//     rollcall::Engine engine({.cluster = "orders", .node = "gw-1"});
//     engine.add_callback([](const rollcall::Event& e) { if (e.kind == rollcall::Event::dead) reassign(e.node()); });
//     if (auto started = engine.start(); !started) return fail(started.error());
//     engine.register_peer("gw-2", "10.0.0.2:7000");
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/peer.hpp"
#include "shm/error.hpp"
#include "shm/settings.hpp"
#include "shm/units.hpp"

namespace rollcall {

class PeerRegistry;
class Shard;
class Transport;

struct EngineOptions {
    std::string cluster = "default";  // 1 to 63 of A-Za-z0-9_-
    std::string node{};                 // this engine's own node id; empty: the host's name. It is not among its peers
    std::string dir{};                  // folder of the shared memory; empty: private memory, no socket, several engines in a process
    Settings settings{};
    std::uint32_t capacity = 0;  // peers, 1 to 16,777,216; 0: 4,096, or what the living folder has
    std::uint32_t ring = 0;      // events kept, rounded up to a power of two; 0: max(65,536, capacity/16), less where memory is small
    std::string host{};            // what other hosts know this one by, 1 to 63 bytes like a node id; empty: the host's name, and what tells several on one host apart
    std::string endpoint{};        // where this node is reached: told to others with its heartbeats; at most 255 bytes
    bool emit_node = false;        // heartbeats of this node alone, counted also where nothing carries them. Whoever has a shard or a transport and does not say so
                                   // tells other hosts of all its members
    std::string group{};           // this group may join: it gets write access to pulse and socket; empty: the owner's group
    std::function<Instant()> clock{};             // default: CLOCK_MONOTONIC
    std::function<std::int64_t()> wall_clock{};   // microseconds since 1970; for show and for incarnations; default: the system's
    std::function<void(const std::string&)> log{};  // one line each, from the engine's threads, whose functions it must not call; default: nowhere
};

// Why an engine that was started does not run any more without having been stopped by its program.
enum class Ending : std::uint8_t {
    none,         // it runs, or its program stopped it
    by_operator,  // `rollcall stop`
    displaced,    // its lock or its roster was removed or replaced
    failed,       // the detector could not wait, or not make memory anew that somebody cut short; the log says why
};

// Thread-safe except where a function says otherwise. Constructors touch nothing and cannot fail. Never throws.
class Engine {
public:
    using Options = EngineOptions;
    using CallbackId = std::uint64_t;
    using Callback = std::function<void(const Event&)>;

    explicit Engine(Options options);
    ~Engine();  // stop(), then lets go of the memory; says nothing to anybody
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    const std::string& cluster_id() const noexcept;
    const std::string& local_node_id() const noexcept;

    // How this engine hears of nodes that are not on this host, and is heard: what arrives at the shard reaches it by itself, its own heartbeats go out
    // over the transport, registry (by default the shard's) and the shard's replica are views of its membership while it is open. In any order, before
    // open(); nullptr takes one back. Shared, and let go when the engine is. Fails with invalid once the engine is open.
    Result<void> set_shard(std::shared_ptr<Shard> shard);
    Result<void> set_transport(std::shared_ptr<Transport> transport);
    Result<void> set_peer_registry(std::shared_ptr<PeerRegistry> registry);

    // Takes the lock and the memory: adopts what a dead engine left, creates what is missing. Safe twice.
    // Fails with held (another engine lives; says who), invalid, full, incompatible, refused, system.
    Result<void> open();
    // open(), then the detector's thread, the control socket and the callbacks' thread. Safe twice. Fails like open().
    Result<void> start();
    // Ends the threads and gives up lock and memory; members stay and the next engine adopts them. Safe twice, and from a callback.
    void stop() noexcept;
    // False also once the detector has ended by itself; ending() then says why.
    bool is_running() const noexcept;
    Ending ending() const;

    // When the detector looked last, by the engine's clock; nothing while the engine is not open. A detector that hangs stands still here, however well the
    // other threads are: what a watchdog should ask. Reads the memory; blocks nobody.
    std::optional<Instant> last_look() const;

    // One round of the detector at `now`: process exits and requests, scan, judgement, publication. Without a runner only;
    // one thread at a time. Cost: O(words) divided by the width of a vector, plus about 100 ns a judgement.
    void step(Instant now);
    // Delivers what was published since the last call to the callbacks, on this thread. Without a runner only.
    void dispatch();
    // Returns when everything queued before it has been answered; without a runner it performs a step without a scan.
    void sync();

    // Replaces the settings; the next step judges by them. Refused with the reason, changing nothing, if they make no sense.
    Result<void> set_config(const Settings& settings);
    Settings config() const;

    // Makes `node` a peer without a process of its own, kept alive by on_heartbeat. A known node is left alone. Queued; sync()
    // waits for it. Fails with invalid (names, lengths, the engine's own node) or busy (inbox over its bound).
    Result<void> register_peer(std::string_view node, std::string_view endpoint = {}, const Tags& tags = {});
    // A sign of life that came by some transport at `at`. The engine itself and other clusters are ignored and counted nowhere; an
    // unknown node is registered; an empty endpoint keeps the known one. A member with a process of its own speaks for itself: ignored. Of a known one it is a beat on the caller's thread.
    Result<void> on_heartbeat(std::string_view node, std::string_view cluster, std::string_view endpoint, Instant at);
    // The node said goodbye: `left`. Queued. An unknown node is no error.
    Result<void> leave(std::string_view node);
    // An operator wants it gone: `evicted`, reason operator. Queued. An unknown node is no error.
    Result<void> evict(std::string_view node);

    // Nothing if no such peer. Reads the memory like any observer; blocks nobody. About 0.4 µs.
    std::optional<Peer> find(std::string_view node) const;
    // All peers as of one moment, in slot order. Reads the memory like any observer; blocks nobody.
    std::vector<Peer> snapshot() const;
    // The other hosts as of one moment. Likewise.
    std::vector<Host> hosts() const;
    Counters counters() const;

    // Callbacks run in order, one after another, on one thread of their own (or inside dispatch()). A slow one makes every callback
    // miss events, told by one `gap`, and never delays the detector; what one throws is logged and dropped.
    CallbackId add_callback(Callback callback);
    // Waits for a running call, except from inside that call. False if there is no such callback.
    bool remove_callback(CallbackId id);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace rollcall
