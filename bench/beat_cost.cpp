// What does a heartbeat cost?
//
// A member's beat beside its physical limit (a load and a compare-and-swap on such a word), and the usual designs: a mutex around two maps of
// strings (who it is, when it was heard), and a message through a socket to whoever keeps the book. Each beat carries a newer stamp.
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include <sys/socket.h>

#include "bench/bench.hpp"
#include "bench/child.hpp"
#include "engine/client/member.hpp"
#include "engine/engine.hpp"
#include "shm/layout.hpp"
#include "shm/word.hpp"

namespace {

using namespace rollcall;

constexpr Duration unit = from_stamp_units(1);

// An engine in this process and a member in its memory, as between two processes.
class Joined {
public:
    Joined() : engine_({.cluster = "bench", .node = "engine", .dir = folder_.path(), .settings = patient}) {
        if (auto started = engine_.start(); !started) bench::give_up(started.error().message);
        auto joined = Member::join({.cluster = "bench", .node = "me", .dir = folder_.path()});
        if (!joined) bench::give_up(joined.error().message);
        member_.emplace(std::move(*joined));
    }
    Member& member() noexcept { return *member_; }

private:
    // Beats whose time runs ahead of the engine's by hours find it present all the same.
    static constexpr Settings patient{std::chrono::seconds(1), std::chrono::hours(10), std::chrono::hours(11), std::chrono::hours(12), std::chrono::milliseconds(10)};
    bench::Folder folder_;
    Engine engine_;
    std::optional<Member> member_;
};

void MemberBeatNow(benchmark::State& state) {
    Joined joined;
    Member& me = joined.member();
    Instant now = std::chrono::steady_clock::now();
    std::uint64_t refused = 0;
    for (auto _ : state) {
        now += unit;
        refused += !me.beat(now).counted();
    }
    if (refused != 0) state.SkipWithError("beats were refused");
}

void MemberBeat(benchmark::State& state) {
    Joined joined;
    Member& me = joined.member();
    for (auto _ : state) benchmark::DoNotOptimize(me.beat());
}

void BareLoadAndSwap(benchmark::State& state) {
    const auto words = bench::allocate<shm::Word>(8);
    std::uint64_t stamp = 1;
    for (auto _ : state) {
        std::int64_t seen = words[0].load(std::memory_order_acquire);
        benchmark::DoNotOptimize(words[0].compare_exchange_weak(seen, static_cast<std::int64_t>(++stamp << 16), std::memory_order_release, std::memory_order_acquire));
    }
}

void ReadTheClock(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(std::chrono::steady_clock::now());
}

void MutexAndTwoMaps(benchmark::State& state) {
    std::mutex mutex;
    std::unordered_map<std::string, std::string> endpoints;
    std::unordered_map<std::string, std::int64_t> last_heartbeat;
    std::vector<std::string> nodes;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        nodes.push_back("node-" + std::to_string(i));
        endpoints.emplace(nodes.back(), "10.0.0.1:7000");
        last_heartbeat.emplace(nodes.back(), 0);
    }
    std::int64_t now = 0;
    std::size_t at = 0;
    for (auto _ : state) {
        const std::string& node = nodes[at = (at + 7919) % nodes.size()];
        const std::lock_guard lock(mutex);
        if (endpoints.find(node) != endpoints.end()) last_heartbeat[node] = ++now;
    }
}

void MessageThroughASocket(benchmark::State& state) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return state.SkipWithError("no socket");
    const bench::Child reader([&] {
        char message[64];
        while (::recv(ends[1], message, sizeof message, 0) > 0) {}
    });
    char message[32] = "node-1";
    for (auto _ : state) benchmark::DoNotOptimize(::send(ends[0], message, sizeof message, 0));
    ::close(ends[0]);
    ::close(ends[1]);
}

BENCHMARK(MemberBeatNow);
BENCHMARK(BareLoadAndSwap);
BENCHMARK(MemberBeat);
BENCHMARK(ReadTheClock);
BENCHMARK(MutexAndTwoMaps)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(MessageThroughASocket);

}  // namespace

BENCHMARK_MAIN();
