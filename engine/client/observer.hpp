// An observer: reads a cluster's memory and its events without asking anybody, and without being able to disturb anybody.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/peer.hpp"
#include "engine/traffic.hpp"
#include "shm/error.hpp"
#include "shm/settings.hpp"
#include "shm/units.hpp"

namespace rollcall {

class View;

struct ObserverOptions {
    std::string cluster = "default";
    std::string dir{};  // empty: $ROLLCALL_DIR, else the folders of this user, of the service and of root
    // Where to go on: the last sequence seen of this stream. 0 with from_start: everything the ring still holds. Default: what comes next.
    std::optional<std::uint64_t> after{};
    std::optional<std::uint64_t> stream{};  // of `after`; another one than the memory's is answered with one gap
    bool copy = false;  // the folder is a copy or of another boot: look at it, wait for nothing
};

// How often something took how long. Bucket b counts durations of at least 2^(b-1) and less than 2^b nanoseconds; bucket 0 counts zeros.
struct Histogram {
    std::array<std::uint64_t, 64> buckets{};

    std::uint64_t total() const noexcept;
    // At least this part of all durations (0 to 1) was shorter than this; zero without any.
    Duration below(double part) const noexcept;
};

// What the memory says of its engine and of itself.
struct ClusterInfo {
    std::string cluster, node, host;  // node: the engine's own
    std::uint64_t stream = 0, view = 0, instance = 0;
    Sequence head{};
    std::string engine_version;  // "1.2.3"
    std::uint32_t epoch = 0, engine_pid = 0, capacity = 0, ring = 0, high_water = 0;
    bool running = false;  // lock held, socket listening, first step done
    Settings settings;
    Counters counters;
    Instant last_step{};
    Histogram step_time;  // of each look of the detector
    Histogram lateness;   // of each judgement of a silence, after its timeout
    Traffic traffic;      // with other hosts
    std::uint64_t inbox = 0;  // requests that the last step with any found waiting
};

// One thread at a time. Movable. Never throws.
class Observer {
public:
    using Options = ObserverOptions;

    // Fails with no_cluster, incompatible, damaged, refused. A dead engine's memory is readable too.
    static Result<Observer> attach(Options options);
    Observer(Observer&&) noexcept;
    Observer& operator=(Observer&&) noexcept;
    ~Observer();

    // One peer by node id; unknown_node, or busy if the memory would not hold still (never "absent" by mistake). About 0.4 µs.
    Result<Peer> find(std::string_view node) const;
    // All peers at exactly one moment, and its sequence in `at` if given; poll() then goes on behind it. Blocks nobody.
    // Fails with busy, or damaged. Where the engine died in the middle of a publication, it is what its successor will publish first.
    Result<std::vector<Peer>> snapshot(Sequence* at = nullptr);

    // The other hosts at one moment. Blocks nobody. Fails with busy.
    Result<std::vector<Host>> hosts() const;

    // The next event, if there is one. An observer that was too slow gets one `gap` with the range it will never see.
    std::optional<Event> poll();
    // Waits on a futex until something was published or `timeout` is over. False: time over. Wakes once a second to see whether
    // the memory was replaced; is_stale() then says so.
    bool wait(Duration timeout);
    // A descriptor for poll/epoll, readable when events may be waiting (clear it by read()). Costs one helper thread. -1 if none could be made.
    int fd();
    // The memory was superseded or its path now names another one: attach again. Costs a stat.
    bool is_stale() const;

    ClusterInfo info() const;

    // Folds events into a View and hands both over until `step` returns false: gaps, resynchronisation and re-attachment are done
    // for you. Calls once at the start with kind none. With `timeout`, also returns (false) when it is over.
    Result<bool> follow(const std::function<bool(const View&, const Event&)>& step, std::optional<Duration> timeout = {});

private:
    friend class View;
    struct Impl;
    explicit Observer(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

// The membership as one observer knows it: a snapshot and every event since.
class View {
public:
    // All peers, ordered by node id.
    const std::map<std::string, Peer, std::less<>>& peers() const noexcept { return peers_; }
    const Peer* find(std::string_view node) const noexcept;
    // The last event folded in.
    Sequence at() const noexcept { return at_; }
    std::uint64_t number() const noexcept { return number_; }

    // Takes an exact snapshot; the observer's poll() goes on behind it.
    Result<void> resync(Observer& observer);
    // Folds in one event of `observer`; a gap leads to a resync.
    Result<void> apply(const Event& event, Observer& observer);

private:
    std::map<std::string, Peer, std::less<>> peers_;
    Sequence at_{};
    std::uint64_t number_ = 0;
};

}  // namespace rollcall
