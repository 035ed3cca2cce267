// What does an engine cost that has nothing to tell?
//
// Beside it a process that wakes as often, for nothing. A running engine with ten thousand peers that all beat once a second, observed for two seconds: its CPU time as a part of one core. The beats are this
// process's cost, not the engine's.
#include <ctime>
#include <thread>

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "bench/bench.hpp"
#include "bench/child.hpp"
#include "engine/engine.hpp"
#include "shm/segment.hpp"
#include "shm/word.hpp"

namespace {

using namespace rollcall;
using namespace std::chrono_literals;

[[noreturn]] void run_engine(const std::string& dir, std::int64_t peers) {
    EngineOptions options{.cluster = "bench", .node = "engine", .dir = dir};
    options.capacity = 16'384;
    Engine engine(options);
    if (auto started = engine.start(); !started) bench::give_up(started.error().message);
    for (std::int64_t i = 0; i < peers; ++i) engine.register_peer("peer-" + std::to_string(i), "");
    for (;;) ::pause();
}

double cpu_seconds_of(pid_t process) {
    clockid_t clock;
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) bench::give_up("no CPU clock of the engine");
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void EngineAtRest(benchmark::State& state) {
    bench::Folder folder;
    const auto peers = static_cast<std::uint32_t>(state.range(0));
    const bench::Child engine([&] { run_engine(folder.path(), peers); });
    Result<shm::Segment> memory = fail(ErrorKind::no_cluster, "");
    for (int tries = 0; tries < 1000 && (!memory || memory->roster().high_water() < peers); ++tries) {
        std::this_thread::sleep_for(10ms);
        memory = shm::Segment::attach(shm::Paths::of(folder.path(), "bench"), shm::Access::producer, shm::HostIdentity::current());
    }
    if (!memory || memory->roster().high_water() < peers) return state.SkipWithError("the engine did not start");
    const auto beat_all = [&] {
        const Stamp now = to_stamp(std::chrono::steady_clock::now(), memory->roster().base_ns());
        for (std::uint32_t i = 0; i < peers; ++i) {
            shm::Word& word = memory->writable().word(Slot{i});
            shm::beat(word, now, shm::generation_of(word.load(std::memory_order_relaxed)));
        }
    };
    for (auto _ : state) {
        const double before = cpu_seconds_of(engine.pid());
        for (int second = 0; second < 2; ++second) {
            beat_all();
            std::this_thread::sleep_for(1s);
        }
        state.SetIterationTime((cpu_seconds_of(engine.pid()) - before) / 2);
    }
}

// What the kernel charges for waking a hundred times a second.
void TimerAtRest(benchmark::State& state) {
    const bench::Child idler([] {
        const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0), set = ::epoll_create1(0);
        constexpr timespec period{0, 10'000'000};
        const itimerspec every{period, period};
        ::timerfd_settime(timer, 0, &every, nullptr);
        epoll_event event{EPOLLIN, {}};
        ::epoll_ctl(set, EPOLL_CTL_ADD, timer, &event);
        for (std::uint64_t turns;;)
            if (::epoll_wait(set, &event, 1, -1) == 1) (void)!::read(timer, &turns, sizeof turns);
    });
    for (auto _ : state) {
        const double before = cpu_seconds_of(idler.pid());
        std::this_thread::sleep_for(2s);
        state.SetIterationTime((cpu_seconds_of(idler.pid()) - before) / 2);
    }
}

BENCHMARK(TimerAtRest)->UseManualTime()->Iterations(2)->Unit(benchmark::kMillisecond);
BENCHMARK(EngineAtRest)->Arg(10'000)->UseManualTime()->Iterations(2)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
