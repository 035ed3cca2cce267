// How late does another process learn of a death?
//
// Real processes: an engine, members that are killed or stopped one after the other, this process as the observer. A crash is timed from kill() to
// the event in this process's hands, beside what the kernel needs to tell a holder of a pidfd. A silence is timed from the end of its timeout (last
// beat + timeout, both from the event's evidence) to the judgement. Argument 1: another process keeps a core busy meanwhile.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "bench/bench.hpp"
#include "bench/child.hpp"
#include "engine/client/member.hpp"
#include "engine/client/observer.hpp"
#include "engine/engine.hpp"
#include "shm/futex.hpp"
#include "shm/segment.hpp"
#include "shm/word.hpp"

namespace {

using namespace rollcall;
using namespace std::chrono_literals;
using bench::Child;
using bench::give_up;

constexpr int samples = 100;

double seconds(Duration d) { return static_cast<double>(d.count()) * 1e-9; }

// The median is the figure; the rest beside it.
void report(benchmark::State& state, std::vector<double> times) {
    std::sort(times.begin(), times.end());
    const auto at = [&](double q) { return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1) + 0.5)]; };
    state.SetIterationTime(at(0.5));
    state.counters["p99_ns"] = at(0.99) * 1e9;
    state.counters["longest_ns"] = times.back() * 1e9;
}

[[noreturn]] void run_engine(const std::string& dir, const Settings& settings, int peers) {
    EngineOptions options{.cluster = "bench", .node = "engine", .dir = dir};
    options.settings = settings;
    options.capacity = 16'384;
    Engine engine(options);
    if (auto started = engine.start(); !started) give_up(started.error().message);
    for (int i = 0; i < peers; ++i) engine.register_peer("peer-" + std::to_string(i), "");
    for (;;) ::pause();
}

[[noreturn]] void keep_busy() {
    for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
}

// An engine in a process of its own, and this process observing.
class Scene {
public:
    explicit Scene(const Settings& settings, bool busy, int peers = 0) : settings_(settings), engine_([&] { run_engine(folder_.path(), settings_, peers); }) {
        if (busy) busy_.emplace(keep_busy);
        for (const Instant deadline = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < deadline; std::this_thread::sleep_for(2ms)) {
            auto attached = Observer::attach({.cluster = "bench", .dir = folder_.path()});
            if (!attached || !attached->info().running || attached->info().high_water < static_cast<std::uint32_t>(peers)) continue;
            observer_.emplace(std::move(*attached));
            return;
        }
        give_up("the engine did not start");
    }
    // The next event of this kind about this node, and when it was in our hands.
    std::pair<Event, Instant> next(EventKind kind, const std::string& node) {
        for (const Instant deadline = std::chrono::steady_clock::now() + 30s; std::chrono::steady_clock::now() < deadline; observer_->wait(1s))
            while (const auto event = observer_->poll())
                if (event->kind == kind && event->node() == node) return {*event, std::chrono::steady_clock::now()};
        give_up("no event '" + std::string(to_string(kind)) + "' of " + node);
    }
    Child start_member(const std::string& node) {
        return Child([&] {
            auto me = Member::join({.cluster = "bench", .node = node, .dir = folder_.path()});
            if (!me || !me->start_beating()) give_up("a member did not join");
            for (;;) ::pause();
        });
    }
    // As large as a member, and with as many threads, but nobody's: what the kernel has to take down is the same.
    Child start_stranger() {
        return Child([&] {
            auto memory = shm::Segment::attach(shm::Paths::of(folder_.path(), "bench"), shm::Access::producer, shm::HostIdentity::current());
            if (!memory) give_up(memory.error().message);
            const std::jthread other([] {
                for (;;) ::pause();
            });
            for (;;) ::pause();
        });
    }
    const std::string& dir() const noexcept { return folder_.path(); }

private:
    bench::Folder folder_;
    Settings settings_;
    Child engine_;
    std::optional<Child> busy_;
    std::optional<Observer> observer_;
};

constexpr Settings quick{100ms, 300ms, 500ms, 700ms, 10ms};

void KillToPidfd(benchmark::State& state) {
    for (auto _ : state) {
        Scene scene(quick, state.range(0) != 0);
        std::vector<double> times;
        for (int i = 0; i < samples; ++i) {
            const Child child = scene.start_stranger();
            std::this_thread::sleep_for(10ms);
            pollfd exit{static_cast<int>(::syscall(SYS_pidfd_open, child.pid(), 0)), POLLIN, 0};
            const Instant killed = std::chrono::steady_clock::now();
            child.signal(SIGKILL);
            ::poll(&exit, 1, -1);
            times.push_back(seconds(std::chrono::steady_clock::now() - killed));
            ::close(exit.fd);
        }
        report(state, std::move(times));
    }
}

// As few hops as rollcall has: whoever holds the pidfd wakes a sleeper, who is timed.
void KillToPidfdToFutex(benchmark::State& state) {
    for (auto _ : state) {
        Scene scene(quick, state.range(0) != 0);
        auto* told = static_cast<std::atomic<std::uint64_t>*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
        std::vector<double> times;
        for (int i = 0; i < samples; ++i) {
            const Child child = scene.start_stranger();
            const std::uint64_t before = told->load();
            const Child watcher([&] {
                pollfd exit{static_cast<int>(::syscall(SYS_pidfd_open, child.pid(), 0)), POLLIN, 0};
                ::poll(&exit, 1, -1);
                told->store(before + 1);
                shm::futex_wake_all(*told);
            });
            std::this_thread::sleep_for(10ms);
            const Instant killed = std::chrono::steady_clock::now();
            child.signal(SIGKILL);
            while (told->load() == before) shm::futex_wait(*told, static_cast<std::uint32_t>(before), 1s);
            times.push_back(seconds(std::chrono::steady_clock::now() - killed));
        }
        ::munmap(told, 4096);
        report(state, std::move(times));
    }
}

void KillToDead(benchmark::State& state) {
    for (auto _ : state) {
        Scene scene(quick, state.range(0) != 0);
        std::vector<double> times;
        for (int i = 0; i < samples; ++i) {
            const std::string node = "crash-" + std::to_string(i);
            const Child member = scene.start_member(node);
            scene.next(EventKind::joined, node);
            std::this_thread::sleep_for(2ms);
            const Instant killed = std::chrono::steady_clock::now();
            member.signal(SIGKILL);
            times.push_back(seconds(scene.next(EventKind::dead, node).second - killed));
        }
        report(state, std::move(times));
    }
}

// Suspect, dead and evicted, each after its own timeout.
void StopToJudgement(benchmark::State& state) {
    for (auto _ : state) {
        Scene scene(quick, state.range(0) != 0);
        std::vector<double> times;
        for (int i = 0; i < samples / 5; ++i) {
            const std::string node = "silent-" + std::to_string(i);
            const Child member = scene.start_member(node);
            scene.next(EventKind::joined, node);
            std::this_thread::sleep_for(quick.heartbeat * (i % 5) / 5);
            member.signal(SIGSTOP);
            for (const auto& [kind, timeout] : {std::pair{EventKind::suspect, quick.suspect}, {EventKind::dead, quick.dead}, {EventKind::evicted, quick.evict}}) {
                const auto [event, seen] = scene.next(kind, node);
                times.push_back(seconds(seen - (event.at - event.evidence.age + timeout)));
            }
        }
        report(state, std::move(times));
    }
}

constexpr std::uint32_t many = 10'000;

// Beats for all peers but one every millisecond, on a thread of its own.
class Beater {
public:
    Beater(shm::Word* words, std::int64_t base_ns) : thread_([this, words, base_ns](std::stop_token ending) {
        for (; !ending.stop_requested(); std::this_thread::sleep_for(1ms)) {
            const Stamp now = to_stamp(std::chrono::steady_clock::now(), base_ns);
            for (std::uint32_t i = 0; i < many; ++i)
                if (i != mute) shm::beat(words[i], now, shm::generation_of(words[i].load(std::memory_order_relaxed)));
        }
    }) {}
    std::atomic<std::uint32_t> mute{many};

private:
    std::jthread thread_;
};

// The clock of a detector: how late a periodic timer of a millisecond wakes whoever waits for it, beside the same work as below.
void TimerLateness(benchmark::State& state) {
    for (auto _ : state) {
        const auto words = bench::allocate<shm::Word>(many);
        Beater beater(words.get(), 0);
        const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
        const Instant first = std::chrono::steady_clock::now() + 1ms;
        const itimerspec every{{0, 1'000'000}, {to_ns(first) / 1'000'000'000, to_ns(first) % 1'000'000'000}};
        ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &every, nullptr);
        std::vector<double> times;
        std::uint64_t turns = 0, more = 0;
        while (turns < 3000 && ::read(timer, &more, sizeof more) == sizeof more) {
            times.push_back(seconds(std::chrono::steady_clock::now() - (first + turns * 1ms)));
            turns += more;
        }
        ::close(timer);
        report(state, std::move(times));
    }
}

// Ten thousand peers that this process beats for, one of whom it forgets.
void DetectionDelay(benchmark::State& state) {
    constexpr Settings fast{4ms, 10ms, 10s, 20s, 1ms};
    for (auto _ : state) {
        Scene scene(fast, false, many);
        auto memory = shm::Segment::attach(shm::Paths::of(scene.dir(), "bench"), shm::Access::producer, shm::HostIdentity::current());
        if (!memory) return state.SkipWithError(memory.error().message.c_str());
        Beater beater(&memory->writable().word(Slot{0}), memory->roster().base_ns());
        std::this_thread::sleep_for(100ms);
        std::vector<double> times;
        for (std::uint32_t i = 0; i < samples; ++i) {
            const std::string node = "peer-" + std::to_string(i * 97);
            beater.mute = i * 97;
            const Event event = scene.next(EventKind::suspect, node).first;
            beater.mute = many;
            times.push_back(seconds(event.evidence.age - fast.suspect));
            scene.next(EventKind::recovered, node);
        }
        report(state, std::move(times));
    }
}

#define ONCE ->UseManualTime()->Iterations(1)->Unit(benchmark::kMicrosecond)
BENCHMARK(KillToPidfd)->Arg(0)->Arg(1) ONCE;
BENCHMARK(KillToPidfdToFutex)->Arg(0)->Arg(1) ONCE;
BENCHMARK(KillToDead)->Arg(0)->Arg(1) ONCE;
BENCHMARK(StopToJudgement)->Arg(1) ONCE;
BENCHMARK(TimerLateness) ONCE;
BENCHMARK(DetectionDelay) ONCE;

}  // namespace

BENCHMARK_MAIN();
