// Everything at once: 64 processes with 200 members each beat, join, leave, change and are killed at random for a minute, while three
// observers in processes of their own fold all of it. In the end every fold is the roster, and nothing was lost or kept.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/support/roster_text.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::StartsWith;

constexpr int processes = 64, members_each = 200;
constexpr std::uint32_t capacity = 16'384;  // little more than all of them: slots that do not come back are missed soon

std::string content_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

class CrowdOfProcesses : public ::testing::Test {
protected:
    // What an engine holds of its host. Not the pages of the shared memory: the ring is touched only once it was filled.
    struct Held {
        std::size_t descriptors = 0, private_kib = 0;
    };

    CrowdOfProcesses() {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        EXPECT_GE(limit.rlim_max, 16'384u) << "a connection for each member is needed";
        cluster.start_engine({"--capacity", std::to_string(capacity), "--ring", "262144"});
        for (int i = 0; i < processes; ++i) crowd.push_back(cluster.crowd(prefix(i), members_each, next_seed++));
    }

    static std::string prefix(int i) { return "p" + std::to_string(i) + "-"; }

    // All do it at the same time; each says that it went well.
    void tell_all(const std::string& command, const std::string& answer) {
        for (Process& process : crowd) process.write_line(command);
        for (Process& process : crowd) EXPECT_THAT(process.read_line(60s).value_or("(nothing)"), StartsWith(answer));
    }

    // Kills one of them and starts it anew, under the same node ids.
    void kill_one() {
        const int i = static_cast<int>(random() % processes);
        Process& process = crowd[static_cast<std::size_t>(i)];
        process.signal(SIGKILL);
        process.wait();
        ++kills[i];
        process = cluster.crowd(prefix(i), members_each, next_seed++);
        EXPECT_EQ(process.ask("join"), "ok 200");
        process.ask("run");
    }

    bool is_empty() const { return cluster.observe().snapshot().value_or(std::vector<Peer>(1)).empty(); }

    Held held_by_engine() {
        const std::string proc = "/proc/" + std::to_string(cluster.engine().pid());
        Held held;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) ++held.descriptors;
        std::ifstream status(proc + "/status");
        for (std::string word; status >> word;)
            if (word == "RssAnon:") status >> held.private_kib;
        return held;
    }

    TemporaryCluster cluster;
    std::vector<Process> crowd;
    std::map<int, int> kills;
    std::mt19937 random{1};
    unsigned next_seed = 1;
};

// Whoever is dead was killed: by proof, and not more often than its process was.
void expect_no_false_death(const std::string& deaths, const std::map<int, int>& kills) {
    std::map<std::string, int> count;
    std::istringstream lines(deaths);
    for (std::string node, reason; lines >> node >> reason;) {
        EXPECT_EQ(reason, "process_exit") << node;
        const auto killed = kills.find(std::stoi(node.substr(1)));
        EXPECT_LE(++count[node], killed == kills.end() ? 0 : killed->second) << node;
    }
    EXPECT_GE(count.size(), static_cast<std::size_t>(members_each) / 2) << "some were killed";
}

TEST_F(CrowdOfProcesses, AMinuteOfEverythingLosesNothingAndKeepsNothing) {
    // Once for warmth: whatever the engine keeps for so many members it has now.
    tell_all("join", "ok 200");
    EXPECT_EQ(cluster.observe().snapshot()->size(), static_cast<std::size_t>(processes) * members_each);
    tell_all("leave", "ok 0");
    ASSERT_TRUE(eventually([&] { return is_empty(); }));
    const Held before = held_by_engine();

    std::vector<Process> folds;
    for (int i = 0; i < 3; ++i) folds.push_back(cluster.fold());
    for (Process& fold : folds) ASSERT_EQ(fold.read_line(), "ready");
    tell_all("join", "ok 200");
    tell_all("run", "ok ");
    for (const Instant end = clock_now() + 60s; clock_now() < end; std::this_thread::sleep_for(500ms)) kill_one();
    tell_all("calm", "ok ");

    // Nobody moves any more; but the last of the killed ones are still to be evicted, or to come back.
    tell_all("join", "ok 200");
    const auto roster = cluster.observe().snapshot();
    ASSERT_TRUE(roster);
    EXPECT_EQ(roster->size(), static_cast<std::size_t>(processes) * members_each);
    for (const Peer& peer : *roster) EXPECT_NE(peer.state, State::dead) << peer.node;
    for (std::size_t i = 0; i < folds.size(); ++i) {
        const std::string file = cluster.dir() + "/view" + std::to_string(i);
        const std::string said = folds[i].ask(file);
        EXPECT_THAT(said, ::testing::HasSubstr(" gaps 0 holes 0"));
        EXPECT_TRUE(content_of(file) == roster_text(*cluster.observe().snapshot())) << "fold " << i << " is not the roster; it saw " << said;
        EXPECT_TRUE(content_of(file + ".deaths") == content_of(cluster.dir() + "/view0.deaths")) << "two folds saw different deaths";
    }
    expect_no_false_death(content_of(cluster.dir() + "/view0.deaths"), kills);
    EXPECT_EQ(cluster.run({"dump", "--verify"}).code, 0);

    // Everything comes back.
    folds.clear();
    tell_all("leave", "ok 0");
    ASSERT_TRUE(eventually([&] { return is_empty(); }));
    EXPECT_TRUE(eventually([&] { return held_by_engine().descriptors <= before.descriptors; }));
    const Held after = held_by_engine();
    EXPECT_LE(after.descriptors, before.descriptors);
    EXPECT_GT(before.private_kib, 0u);
    EXPECT_LE(after.private_kib, before.private_kib + 8 * 1024);
    EXPECT_EQ(cluster.observe().info().counters.unwatched, 0u);
    tell_all("join", "ok 200");
    EXPECT_LE(cluster.observe().info().high_water, capacity);
    EXPECT_EQ(cluster.observe().snapshot()->size(), static_cast<std::size_t>(processes) * members_each);
}

}  // namespace
}  // namespace rollcall::test
