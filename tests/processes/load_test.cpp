// An engine that does not get to run, and members that hardly do: nobody is judged for what the detector missed. Takes minutes.
#include <atomic>
#include <csignal>
#include <thread>

#include <gmock/gmock.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::StartsWith;

constexpr Duration heartbeat = 1s, suspect_after = 3s, dead_after = 5s;  // the defaults

class Load : public ::testing::Test {
protected:
    Load() { cluster.start_engine(); }

    void start_members(int count) {
        for (int i = 0; i < count; ++i) {
            const std::string node = "m" + std::to_string(i);
            members.push_back(cluster.puppet());
            EXPECT_THAT(members.back().ask("join " + node + "; beating " + node), StartsWith("ok "));
        }
    }
    // Nothing happened to them but that they joined.
    void expect_unharmed(Watch& watch) {
        watch.catch_up();
        for (std::size_t i = 0; i < members.size(); ++i) EXPECT_EQ(watch.story("m" + std::to_string(i)), "joined:join");
    }

    TemporaryCluster cluster;
    std::vector<Process> members;
};

// Stopped for twice the dead timeout: nobody was observed, so nobody is judged. The one who died meanwhile did so by proof, and is announced.
TEST_F(Load, AnEngineThatWasStoppedTellsOnePauseAndJudgesNobody) {
    Watch watch(cluster);
    start_members(10);
    Process wrapper = cluster.wrapped_puppet({"--node", "wrapped"});
    Process victim = cluster.puppet();
    victim.ask("join victim; beating victim");
    wrapper.ask("pid");
    watch.catch_up();

    const Instant before = clock_now();
    cluster.engine().stop();
    const Instant stopped = clock_now();
    victim.signal(SIGKILL);
    std::this_thread::sleep_for(2 * dead_after);
    const Instant woken = clock_now();
    cluster.engine().go_on();
    const SeenEvent paused = watch.until("paused");
    if (watch.story("victim") == "joined:join") watch.until("dead", "victim");
    EXPECT_EQ(watch.story("victim"), "joined:join dead:process_exit");
    EXPECT_GE(*paused.length_ms, to_ms(woken - stopped - heartbeat / 2)) << "half a heartbeat of it was observed";
    EXPECT_LE(*paused.length_ms, static_cast<double>(*paused.mono_us - to_ns(before) / 1000) / 1000 + to_ms(heartbeat)) << paused.line;

    std::this_thread::sleep_for(dead_after + heartbeat);  // nor does it judge them later for what it missed
    expect_unharmed(watch);
    EXPECT_EQ(watch.story("wrapped"), "joined:join");
    const auto& seen = watch.seen();
    const auto is_long_pause = [](const SeenEvent& e) { return e.event == "paused" && *e.length_ms > to_ms(dead_after); };
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(), is_long_pause), 1);
    EXPECT_GE(cluster.observe().info().counters.pauses, 1u);
}

// Members and engine stopped together, as by a frozen container or a laptop's lid, and the engine wakes first: nobody is to blame.
TEST_F(Load, AWholeHostThatWasStoppedJudgesNobody) {
    Watch watch(cluster);
    start_members(5);
    cluster.engine().stop();
    for (const Process& member : members) member.stop();
    std::this_thread::sleep_for(2 * dead_after);
    cluster.engine().go_on();
    watch.until("paused");
    std::this_thread::sleep_for(heartbeat / 2);
    for (const Process& member : members) member.go_on();
    std::this_thread::sleep_for(dead_after + heartbeat);
    expect_unharmed(watch);
}

// Stops the engine for nine tenths of every second, as long as it lives.
class DutyCycle {
public:
    explicit DutyCycle(const Process& engine) : thread_([this, pid = engine.pid()] {
        while (!ending_.load()) {
            ::kill(pid, SIGSTOP);
            std::this_thread::sleep_for(900ms);
            ::kill(pid, SIGCONT);
            std::this_thread::sleep_for(100ms);
        }
    }) {}
    ~DutyCycle() {
        ending_.store(true);
        thread_.join();
    }

private:
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

// Half a heartbeat of every stop is observed, so a true silence is found within twice its timeout; and nobody else is judged.
TEST_F(Load, AnEngineThatIsStoppedMostOfTheTimeStillFindsATrueSilence) {
    Watch watch(cluster);
    start_members(5);
    Process silent = cluster.puppet();
    silent.ask("join silent; beating silent");
    {
        const DutyCycle cycle(cluster.engine());
        std::this_thread::sleep_for(3s);
        silent.stop();
        const Instant last_beat = cluster.last_beat("silent");
        const SeenEvent suspect = watch.until("suspect", "silent");
        EXPECT_TRUE(suspect.is_not_before(last_beat, suspect_after)) << suspect.line;
        EXPECT_FALSE(suspect.is_not_before(last_beat, 2 * suspect_after)) << suspect.line;
        const SeenEvent dead = watch.until("dead", "silent");
        EXPECT_TRUE(dead.is_not_before(last_beat, dead_after)) << dead.line;
        EXPECT_FALSE(dead.is_not_before(last_beat, 2 * dead_after)) << dead.line;
        EXPECT_GE(*dead.age_ms - *dead.lost_ms, to_ms(dead_after)) << "so much of it was observed";
    }
    expect_unharmed(watch);
}

// Eight processes that want both cores all the time, for a minute; fifty members and the defaults. None of them may be called dead.
TEST_F(Load, ABusyHostKillsNobody) {
    Watch watch(cluster);
    start_members(50);
    Process stress({.argv = {"stress-ng", "--cpu", "8", "--timeout", "60"}, .out = "/dev/null", .err = {}, .environment = {}});
    EXPECT_EQ(stress.wait(150s), 0) << "stress-ng must be installed";
    watch.catch_up();
    for (const SeenEvent& e : watch.seen()) EXPECT_NE(e.event, "dead") << e.line;
    for (std::size_t i = 0; i < members.size(); ++i) EXPECT_NE(cluster.find("m" + std::to_string(i)).state, State::dead);
    EXPECT_TRUE(watch.is_whole());
}

}  // namespace
}  // namespace rollcall::test
