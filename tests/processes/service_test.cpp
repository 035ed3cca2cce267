// `rollcall run` as a service: what its supervisor hears on $NOTIFY_SOCKET, and that a watchdog hears of the detector, not of the process.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/support/supervisor.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Service : public ::testing::Test {
protected:
    // Not yet ready.
    Process start(std::vector<std::string> flags, const std::string& watchdog_us = "") {
        Environment environment{{"NOTIFY_SOCKET", path}};
        if (!watchdog_us.empty()) environment.emplace_back("WATCHDOG_USEC", watchdog_us);
        flags.insert(flags.begin(), {"run", "--node", "engine"});
        return cluster.start(flags, environment);
    }

    TemporaryCluster cluster;
    const std::string path = cluster.dir() + "/notify";
    const Supervisor supervisor{path};
};

// One thread alone stands still, as one that hangs would; let go at the end.
class StoppedThread {
public:
    StoppedThread(pid_t process, const std::string& name) {
        for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
            std::string comm;
            std::getline(std::ifstream(task.path() / "comm"), comm);
            if (comm == name) tid_ = std::stoi(task.path().filename());
        }
        int status = 0;
        if (tid_ == 0 || ::ptrace(PTRACE_SEIZE, tid_, 0, 0) != 0 || ::ptrace(PTRACE_INTERRUPT, tid_, 0, 0) != 0 || ::waitpid(tid_, &status, __WALL) != tid_)
            throw std::runtime_error("cannot stop thread " + name);
    }
    ~StoppedThread() { go_on(); }
    void go_on() {
        if (tid_ != 0) ::ptrace(PTRACE_DETACH, tid_, 0, 0);
        tid_ = 0;
    }

private:
    pid_t tid_ = 0;
};

TEST_F(Service, IsReadyWhenMembersAreAnsweredAndNotBefore) {
    Process engine = start(calm);
    EXPECT_EQ(supervisor.next(), "READY=1\nSTATUS=0 members alive");
    EXPECT_EQ(cluster.run({"members"}).code, 0);
    EXPECT_EQ(cluster.run({"join", "--node", "x", "--", "true"}).code, 0) << "at the first attempt";
}

TEST_F(Service, TellsHowItsMembersAre) {
    Process engine = start(calm);
    supervisor.next();
    Process x = cluster.wrapped_puppet({"--node", "x"});
    x.ask("pid");
    EXPECT_EQ(supervisor.next(), "STATUS=1 member alive");
    x.write_line("exit 1");
    x.wait();
    EXPECT_EQ(supervisor.next(), "STATUS=0 members alive, 1 dead");
}

TEST_F(Service, TellsOfReloadsAndOfItsEnd) {
    const std::string file = cluster.dir() + "/settings.toml";
    Process engine = start({"--config=-" + file});
    EXPECT_THAT(supervisor.next(), StartsWith("READY=1"));
    EXPECT_EQ(cluster.info()->settings.evict, 10s) << "a file that need not be there";
    std::ofstream(file) << "evict = \"150s\"\n";
    const auto before = std::chrono::duration_cast<std::chrono::microseconds>(clock_now().time_since_epoch()).count();
    engine.signal(SIGHUP);
    const std::string reloading = supervisor.next();
    const std::string beginning = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_THAT(reloading, StartsWith(beginning));
    EXPECT_GE(std::stoll(reloading.substr(beginning.size())), before);
    EXPECT_EQ(supervisor.next(), "READY=1");
    EXPECT_EQ(cluster.info()->settings.evict, 150s) << "in force once it says so";
    engine.signal(SIGTERM);
    EXPECT_EQ(supervisor.next(), "STOPPING=1");
    EXPECT_EQ(engine.wait(), 0);
}

TEST_F(Service, TellsOfAnOperatorsStop) {
    Process engine = start(calm);
    supervisor.next();
    EXPECT_EQ(cluster.run({"stop"}).code, 0);
    EXPECT_EQ(supervisor.next(), "STOPPING=1");
    EXPECT_EQ(engine.wait(), 0);
}

// One that waits does its work, which its watchdog hears; when it takes over, the detector's.
TEST_F(Service, StandsByAndTakesOver) {
    cluster.start_engine(calm);
    Process standby = start({"--standby"}, "400000");
    EXPECT_THAT(supervisor.next(), AllOf(StartsWith("READY=1\nSTATUS=standing by: "), HasSubstr("another engine")));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(supervisor.next(), "WATCHDOG=1");
    cluster.kill_engine();
    EXPECT_EQ(supervisor.until("READY=1"), "READY=1\nSTATUS=0 members alive");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(supervisor.next(), "WATCHDOG=1");
}

// The detector alone is stopped: the main thread lives, and the watchdog hears nothing. It goes on: so does that.
TEST_F(Service, AWatchdogHearsOfTheDetectorOnly) {
    Process engine = start(calm, "400000");
    EXPECT_THAT(supervisor.next(), StartsWith("READY=1"));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(supervisor.next(), "WATCHDOG=1");
    StoppedThread detector(engine.pid(), "rollcall-detect");
    int told = 0;  // of looks before: what was under way, and the last one
    while (told < 50 && supervisor.next(300ms) != "(nothing)") ++told;
    EXPECT_LT(told, 50) << "for five seconds";
    EXPECT_EQ(supervisor.next(1s), "(nothing)") << "of ten quarters of a watchdog's patience";
    engine.signal(SIGHUP);
    EXPECT_THAT(supervisor.next(), StartsWith("RELOADING=1")) << "the main thread lives";
    detector.go_on();
    EXPECT_EQ(supervisor.until("WATCHDOG=1"), "WATCHDOG=1");
}

}  // namespace
}  // namespace rollcall::test
