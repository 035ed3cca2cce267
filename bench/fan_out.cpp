// What do observers cost the detector?
//
// An engine publishes joins and leaves, a few hundred at a time, while 1, 8 and 64 processes observe, asleep or spinning. What is shown is the CPU time
// that its detector's thread needs for one event: it wakes one sleeper, another thread the rest, and spinning ones ask nobody. Beside 64 spinning
// ones stand 64 that spin without observing anything: what they cost is the price of other work on the same cores.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <list>
#include <string>
#include <thread>
#include <vector>

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

enum class Company { asleep, spinning, idle_spinning };

[[noreturn]] void keep_company(const std::string& dir, Company how, std::atomic<int>& ready) {
    auto observer = Observer::attach({.cluster = "bench", .dir = dir});
    if (!observer) bench::give_up(observer.error().message);
    ++ready;
    for (volatile std::uint64_t turns = 0;;) {
        if (how == Company::idle_spinning) {
            turns = turns + 1;
            continue;
        }
        while (observer->poll()) {}
        if (how == Company::asleep) observer->wait(1s);
    }
}

void observed(benchmark::State& state, Company how) {
    constexpr int rounds = 20, peers = 200, events = 2 * rounds * peers;
    std::vector<std::string> nodes;
    for (int i = 0; i < peers; ++i) nodes.push_back("peer-" + std::to_string(i));
    for (auto _ : state) {
        bench::Folder folder;
        Engine engine({.cluster = "bench", .node = "engine", .dir = folder.path()});
        if (auto opened = engine.open(); !opened) return state.SkipWithError(opened.error().message.c_str());
        auto* ready = static_cast<std::atomic<int>*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
        std::list<bench::Child> observers;
        for (std::int64_t i = 0; i < state.range(0); ++i) observers.emplace_back([&] { keep_company(folder.path(), how, *ready); });
        while (*ready != state.range(0)) std::this_thread::sleep_for(1ms);
        if (auto started = engine.start(); !started) return state.SkipWithError(started.error().message.c_str());
        const std::int64_t before = cpu_time_of("rollcall-detect");
        for (int i = 0; i < rounds; ++i) {
            for (const std::string& node : nodes) engine.register_peer(node, "");
            engine.sync();
            for (const std::string& node : nodes) engine.leave(node);
            engine.sync();
        }
        state.SetIterationTime(static_cast<double>(cpu_time_of("rollcall-detect") - before) * 1e-9 / events);
        observers.clear();
        ::munmap(ready, 4096);
    }
}
void CpuTimeOfAnEventAsleep(benchmark::State& state) { observed(state, Company::asleep); }
void CpuTimeOfAnEventSpinning(benchmark::State& state) { observed(state, Company::spinning); }
void CpuTimeOfAnEventBesideOtherWork(benchmark::State& state) { observed(state, Company::idle_spinning); }

BENCHMARK(CpuTimeOfAnEventAsleep)->Arg(1)->Arg(8)->Arg(64)->UseManualTime()->Iterations(1);
BENCHMARK(CpuTimeOfAnEventSpinning)->Arg(1)->Arg(8)->Arg(64)->UseManualTime()->Iterations(1);
BENCHMARK(CpuTimeOfAnEventBesideOtherWork)->Arg(1)->Arg(64)->UseManualTime()->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
