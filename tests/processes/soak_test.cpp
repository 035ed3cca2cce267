// Everything at once, for long: 64 processes with 1,000 members each beat, join, leave, change and are killed at random, three observers
// fold all of it, and every few seconds the engine is killed. Two minutes; $ROLLCALL_SOAK_SECONDS asks for more.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>

#include "tests/support/roster_text.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int processes = 64, members_each = 1'000;
constexpr std::uint32_t capacity = 66'000;  // little more than all of them: slots that do not come back are missed soon

std::chrono::seconds length() {
    const char* wanted = std::getenv("ROLLCALL_SOAK_SECONDS");
    return std::chrono::seconds(wanted != nullptr ? std::stol(wanted) : 120);
}

std::string content_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

class Soak : public ::testing::Test {
protected:
    Soak() {
        start_engine();
        for (int i = 0; i < processes; ++i) crowd.push_back(cluster.crowd(prefix(i), members_each, next_seed++));
    }

    static std::string prefix(int i) { return "p" + std::to_string(i) + "-"; }

    // Death by silence would be a false one: nobody is ever silent for long.
    void start_engine() { cluster.start_engine({"--capacity", std::to_string(capacity), "--ring", "1048576", "--dead", "30s", "--evict", "60s"}); }

    void tell_all(const std::string& command, const std::string& answer) {
        for (Process& process : crowd) process.write_line(command);
        for (Process& process : crowd) EXPECT_THAT(process.read_line(180s).value_or("(nothing)"), StartsWith(answer));
    }

    void kill_one() {
        const int i = static_cast<int>(random() % processes);
        Process& process = crowd[static_cast<std::size_t>(i)];
        process.signal(SIGKILL);
        process.wait();
        ++kills[i];
        process = cluster.crowd(prefix(i), members_each, next_seed++);
        for (const char* command : {"endure", "join", "run"}) process.write_line(command);
        started_anew.push_back(i);
    }
    // What it answers to the three commands of its start, when there is time.
    void hear_the_new() {
        for (const int i : std::exchange(started_anew, {}))
            for (int answers = 0; answers < 3; ++answers) EXPECT_THAT(crowd[static_cast<std::size_t>(i)].read_line(180s).value_or("(nothing)"), StartsWith("ok"));
    }

    // Whoever is dead was killed: by proof, and not more often than its process was.
    void expect_no_false_death(const std::string& deaths) {
        std::map<std::string, int> count;
        std::istringstream lines(deaths);
        for (std::string node, reason; lines >> node >> reason;) {
            EXPECT_EQ(reason, "process_exit") << node;
            EXPECT_LE(++count[node], kills[std::stoi(node.substr(1))]) << node;
        }
        EXPECT_GE(count.size(), static_cast<std::size_t>(members_each) / 2) << "some were killed";
    }

    TemporaryCluster cluster;
    std::vector<Process> crowd;
    std::vector<int> started_anew;
    std::map<int, int> kills;
    std::mt19937 random{1};
    unsigned next_seed = 1;
};

TEST_F(Soak, NothingIsLostWhoeverDies) {
    std::vector<Process> folds;
    for (int i = 0; i < 3; ++i) folds.push_back(cluster.fold());
    for (Process& fold : folds) ASSERT_EQ(fold.read_line(), "ready");
    tell_all("endure", "ok 0");
    tell_all("join", "ok 1000");
    tell_all("run", "ok ");
    std::uint32_t engines = 1;
    Instant next_engine = clock_now() + 2s;
    for (const Instant end = clock_now() + length(); clock_now() < end; std::this_thread::sleep_for(500ms)) {
        hear_the_new();
        kill_one();
        if (clock_now() < next_engine) continue;
        next_engine = clock_now() + std::chrono::milliseconds(2'000 + random() % 4'000);
        cluster.kill_engine();
        start_engine();
        ++engines;
    }
    hear_the_new();
    tell_all("calm", "ok ");
    tell_all("join", "ok 1000");

    const auto roster = cluster.observe().snapshot();
    ASSERT_TRUE(roster);
    EXPECT_EQ(roster->size(), static_cast<std::size_t>(processes) * members_each);
    for (const Peer& peer : *roster) ASSERT_NE(peer.state, State::dead) << peer.node;
    EXPECT_EQ(cluster.observe().info().epoch, engines);
    for (std::size_t i = 0; i < folds.size(); ++i) {
        const std::string file = cluster.dir() + "/view" + std::to_string(i);
        const std::string said = folds[i].ask(file);
        EXPECT_THAT(said, HasSubstr(" gaps 0 holes 0"));
        EXPECT_TRUE(content_of(file) == roster_text(*cluster.observe().snapshot())) << "fold " << i << " is not the roster; it saw " << said;
        RecordProperty("fold" + std::to_string(i), said);
    }
    expect_no_false_death(content_of(cluster.dir() + "/view0.deaths"));
    EXPECT_EQ(cluster.run({"dump", "--verify"}).code, 0);
    RecordProperty("engines", static_cast<int>(engines));

    tell_all("leave", "ok 0");
    EXPECT_TRUE(eventually([&] { return cluster.observe().snapshot().value_or(std::vector<Peer>(1)).empty(); }));
    EXPECT_LE(cluster.observe().info().high_water, capacity);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(cluster.dir() + "/default")) ++files;
    EXPECT_EQ(files, 4u) << "roster, pulse, lock and socket: no engine left anything behind";
}

}  // namespace
}  // namespace rollcall::test
