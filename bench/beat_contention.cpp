// What does a heartbeat cost while others are at work?
//
// This process beats; beside it, on the other core: nobody, a busy loop, a producer on its own line (a slot as the engine hands them out), on
// the same line, on the same word (argument 0: another process, 1: another thread), and an engine that scans at 100 Hz, 1 kHz and 10 kHz with this
// member among ten thousand. Beats of two producers in all are twice one's if this one's cost does not change.
#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "bench/bench.hpp"
#include "bench/child.hpp"
#include "engine/client/member.hpp"
#include "engine/engine.hpp"
#include "shm/layout.hpp"
#include "shm/word.hpp"

namespace {

using namespace rollcall;
using bench::stay_on;

constexpr Duration unit = from_stamp_units(1);

using Ending = std::atomic<bool>;

void beat_until(const Ending& ending, shm::Word& word) {
    for (std::uint64_t stamp = 1; !ending.load(std::memory_order_relaxed); ++stamp) shm::beat(word, Stamp{stamp}, shm::first_generation);
}

// Shared words, each a producer's; what the other process or thread does with them, on the other core.
void beat_beside(benchmark::State& state, const std::function<void(shm::Word*, const Ending&)>& other, bool in_thread = false) {
    stay_on(0);
    auto* words = static_cast<shm::Word*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    for (int i = 0; i < 512; ++i) words[i].store(shm::make_word(Stamp{0}, shm::first_generation), std::memory_order_relaxed);
    {
        Ending ending{false};
        std::optional<bench::Child> child;
        std::thread thread;
        if (other && in_thread) thread = std::thread([&] { stay_on(1), other(words, ending); });
        else if (other) child.emplace([&] { stay_on(1), other(words, ending); });
        std::uint64_t stamp = 1;
        for (auto _ : state) benchmark::DoNotOptimize(shm::beat(words[0], Stamp{++stamp}, shm::first_generation));
        ending = true;
        if (thread.joinable()) thread.join();
    }
    ::munmap(words, 4096);
}

void Alone(benchmark::State& state) { beat_beside(state, nullptr); }
void BesideABusyLoop(benchmark::State& state) {
    beat_beside(state, [](shm::Word*, const Ending&) {
        for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
    });
}
template <int word>
void beside_a_producer(benchmark::State& state) {
    beat_beside(state, [](shm::Word* words, const Ending& ending) { beat_until(ending, words[word]); }, state.range(0) == 1);
}

// Members of two processes in one engine's memory.
Result<Member> join(const std::string& dir, const std::string& node) { return Member::join({.cluster = "bench", .node = node, .dir = dir}); }

[[noreturn]] void run_engine(const std::string& dir, Duration scan, int peers) {
    EngineOptions options{.cluster = "bench", .node = "engine", .dir = dir};
    options.settings.scan = scan;
    options.capacity = 16'384;
    Engine engine(options);
    for (int i = 0; i < peers; ++i) (void)engine.register_peer("peer-" + std::to_string(i), "");
    if (auto started = engine.start(); !started) bench::give_up(started.error().message);
    for (;;) ::pause();
}

enum class Other { nobody, busy_loop, member };

void member_beats(benchmark::State& state, Duration scan, Other beside) {
    stay_on(0);
    bench::Folder folder;
    const bench::Child engine([&] { stay_on(1), run_engine(folder.path(), scan, 10'000); });
    auto me = Member::join({.cluster = "bench", .node = "me", .dir = folder.path(), .wait = std::chrono::seconds(10)});
    if (!me) return state.SkipWithError(me.error().message.c_str());
    std::optional<bench::Child> other;
    if (beside == Other::busy_loop)
        other.emplace([] {
            stay_on(1);
            for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
        });
    if (beside == Other::member)
        other.emplace([&] {
            stay_on(1);
            auto it = join(folder.path(), "other");
            if (!it) bench::give_up(it.error().message);
            for (Instant now = std::chrono::steady_clock::now();; now += unit) (void)it->beat(now);
        });
    Instant now = std::chrono::steady_clock::now();
    for (auto _ : state) benchmark::DoNotOptimize(me->beat(now += unit));
}
// The engine is there, and hardly ever scans.
constexpr Duration seldom = std::chrono::milliseconds(500);
void MemberAlone(benchmark::State& state) { member_beats(state, seldom, Other::nobody); }
void MemberBesideABusyLoop(benchmark::State& state) { member_beats(state, seldom, Other::busy_loop); }
void MemberBesideAMember(benchmark::State& state) { member_beats(state, seldom, Other::member); }
void MemberBesideAnEngine(benchmark::State& state) { member_beats(state, std::chrono::nanoseconds(1'000'000'000 / state.range(0)), Other::nobody); }

BENCHMARK(Alone);
BENCHMARK(BesideABusyLoop);
BENCHMARK(beside_a_producer<8>)->Name("OtherOnItsOwnLine")->Arg(0)->Arg(1);
BENCHMARK(beside_a_producer<1>)->Name("OtherOnTheSameLine")->Arg(0)->Arg(1);
BENCHMARK(beside_a_producer<0>)->Name("OtherOnTheSameWord")->Arg(0)->Arg(1);
BENCHMARK(MemberBesideAMember);
BENCHMARK(MemberAlone);
BENCHMARK(MemberBesideABusyLoop);
BENCHMARK(MemberBesideAnEngine)->Arg(100)->Arg(1'000)->Arg(10'000);

}  // namespace

BENCHMARK_MAIN();
