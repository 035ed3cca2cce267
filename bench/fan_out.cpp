// What do observers cost the detector?
//
// An engine publishes joins and leaves while 1, 8 and 64 processes observe, asleep or spinning. What is shown is the CPU time that its detector's
// thread needs for one event: whoever wakes the sleepers is another thread, and spinning ones ask nobody.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <list>
#include <string>
#include <thread>

#include "bench/bench.hpp"
#include "bench/child.hpp"
#include "engine/client/observer.hpp"
#include "engine/engine.hpp"

namespace {

using namespace rollcall;
using namespace std::chrono_literals;

// Nanoseconds that the thread of this name has run.
std::int64_t cpu_time_of(const std::string& name) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string is;
        std::getline(std::ifstream(task.path() / "comm"), is);
        std::int64_t ns = 0;
        if (is == name && std::ifstream(task.path() / "schedstat") >> ns) return ns;
    }
    return 0;
}

[[noreturn]] void observe(const std::string& dir, bool spinning, std::atomic<int>& ready) {
    auto observer = Observer::attach({.cluster = "bench", .dir = dir});
    if (!observer) bench::give_up(observer.error().message);
    ++ready;
    for (;;) {
        while (observer->poll()) {}
        if (!spinning) observer->wait(1s);
    }
}

void observed(benchmark::State& state, bool spinning) {
    constexpr int events = 2'000;
    for (auto _ : state) {
        bench::Folder folder;
        Engine engine({.cluster = "bench", .node = "engine", .dir = folder.path()});
        if (auto opened = engine.open(); !opened) return state.SkipWithError(opened.error().message.c_str());
        auto* ready = static_cast<std::atomic<int>*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
        std::list<bench::Child> observers;
        for (std::int64_t i = 0; i < state.range(0); ++i) observers.emplace_back([&] { observe(folder.path(), spinning, *ready); });
        while (*ready != state.range(0)) std::this_thread::sleep_for(1ms);
        if (auto started = engine.start(); !started) return state.SkipWithError(started.error().message.c_str());
        const std::int64_t before = cpu_time_of("rollcall-detect");
        for (int i = 0; i < events / 2; ++i) {
            engine.register_peer("peer", "");
            engine.sync();
            engine.leave("peer");
            engine.sync();
        }
        state.SetIterationTime(static_cast<double>(cpu_time_of("rollcall-detect") - before) * 1e-9 / events);
        observers.clear();
        ::munmap(ready, 4096);
    }
}
void CpuTimeOfAnEventAsleep(benchmark::State& state) { observed(state, false); }
void CpuTimeOfAnEventSpinning(benchmark::State& state) { observed(state, true); }

BENCHMARK(CpuTimeOfAnEventAsleep)->Arg(1)->Arg(8)->Arg(64)->UseManualTime()->Iterations(1);
BENCHMARK(CpuTimeOfAnEventSpinning)->Arg(1)->Arg(8)->Arg(64)->UseManualTime()->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
