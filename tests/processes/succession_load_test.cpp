// A hundred engines in a row, each killed at any moment, while members beat, join, change, leave and die: nobody is lost, nobody is judged
// falsely, every death is told once, and whoever folded all of it sees what the memory says.
#include <csignal>
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

constexpr int engines = 100, crowds = 6, members_each = 20;

std::string content_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

class ManyEngines : public ::testing::TestWithParam<bool> {
protected:
    static bool with_standby() { return GetParam(); }

    ManyEngines() {
        engine_.push_back(launch());
        EXPECT_TRUE(eventually([&] { return runs(engine_.front()); }));
        for (int i = 0; i < crowds; ++i) crowd_.push_back(cluster.crowd("p" + std::to_string(i) + "-", members_each, static_cast<unsigned>(i)));
        for (int i = 0; i < 5; ++i) steady_ids_.push_back("steady" + std::to_string(i));
        for (const std::string& id : steady_ids_) EXPECT_THAT(steady_.ask("join " + id + "; beating " + id), StartsWith("ok "));
        for (int i = 0; i < 2; ++i) folds_.push_back(cluster.fold());
        for (Process& fold : folds_) EXPECT_EQ(fold.read_line(), "ready");
    }

    Process launch() {
        std::vector<std::string> words{"run", "--node", "engine", "--ring", "262144"};
        if (with_standby()) words.push_back("--standby");
        words.insert(words.end(), calm.begin(), calm.end());
        return cluster.start(std::move(words));
    }
    bool runs(const Process& engine) const {
        const auto info = cluster.info();
        return info && info->running && info->engine_pid == static_cast<std::uint32_t>(engine.pid());
    }
    void tell_crowds(const std::string& command) {
        for (Process& process : crowd_) process.write_line(command);
        for (Process& process : crowd_) EXPECT_THAT(process.read_line(60s).value_or("(nothing)"), StartsWith("ok"));
    }
    std::map<std::string, Incarnation> steady_lives() const {
        std::map<std::string, Incarnation> lives;
        for (const std::string& id : steady_ids_) lives[id] = cluster.find(id).incarnation;
        return lives;
    }
    // Kills the engine, and a member with it in every fourth round: before, after, or while nobody looks.
    void next_engine(int round) {
        std::optional<Process> victim;
        const std::string id = "victim" + std::to_string(round);
        if (round % 4 == 0) {
            victim.emplace(cluster.puppet());
            EXPECT_THAT(victim->ask("join " + id), StartsWith("ok "));
            victims_.push_back(id);
        }
        if (with_standby()) {
            engine_.push_back(launch());
            EXPECT_TRUE(eventually([&] { return stands_by(round); }));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 60));
        if (victim && round % 8 == 0) victim->signal(SIGKILL);
        engine_.front().signal(SIGKILL);
        engine_.front().wait();
        engine_.pop_front();
        if (victim) victim->signal(SIGKILL);
        if (victim) victim->wait();
        if (!with_standby()) engine_.push_back(launch());
        EXPECT_TRUE(eventually([&] { return runs(engine_.front()); })) << cluster.said_by_engine();
    }
    bool stands_by(int round) const {
        const std::string said = cluster.said_by_engine();
        int count = 0;
        for (std::size_t at = said.find("standing by"); at != std::string::npos; at = said.find("standing by", at + 1)) ++count;
        return count >= round;
    }
    // Each victim once, by proof, and nobody else. A crowd's member whose goodbye was heard by nobody tries until it is.
    void expect_true_deaths(const std::string& deaths) const {
        std::map<std::string, int> count;
        std::istringstream lines(deaths);
        for (std::string node, reason; lines >> node >> reason; ++count[node]) EXPECT_EQ(reason, "process_exit") << node;
        for (const std::string& id : victims_) EXPECT_EQ(count[id], 1) << id;
        EXPECT_EQ(count.size(), victims_.size());
    }

    TemporaryCluster cluster;
    std::list<Process> engine_;
    std::vector<Process> crowd_, folds_;
    Process steady_ = cluster.puppet();
    std::vector<std::string> steady_ids_, victims_;
    std::mt19937 random_{7};
};

INSTANTIATE_TEST_SUITE_P(Succession, ManyEngines, ::testing::Bool(), [](const auto& row) { return std::string(row.param ? "Standby" : "StartedAnew"); });

TEST_P(ManyEngines, AreOneToThoseWhoMayNotNotice) {
    const auto before = steady_lives();
    tell_crowds("join");
    tell_crowds("endure");
    tell_crowds("run");
    for (int round = 1; round <= engines; ++round) next_engine(round);
    tell_crowds("calm");
    tell_crowds("join");
    for (const std::string& id : victims_) EXPECT_TRUE(eventually([&] { return cluster.find(id).state == State::dead; })) << id;

    EXPECT_EQ(steady_lives(), before);
    const ClusterInfo info = cluster.observe().info();
    EXPECT_EQ(info.epoch, static_cast<std::uint32_t>(engines) + 1);
    EXPECT_EQ(info.counters.peers_suspected, 0u);
    EXPECT_EQ(info.counters.words_repaired, 0u);
    EXPECT_EQ(cluster.observe().snapshot()->size(), crowds * members_each + steady_ids_.size() + victims_.size());
    for (std::size_t i = 0; i < folds_.size(); ++i) {
        const std::string file = cluster.dir() + "/view" + std::to_string(i);
        EXPECT_THAT(folds_[i].ask(file), HasSubstr(" gaps 0 holes 0"));
        EXPECT_TRUE(content_of(file) == roster_text(*cluster.observe().snapshot())) << "fold " << i << " is not the roster";
        expect_true_deaths(content_of(file + ".deaths"));
    }
    EXPECT_EQ(cluster.run({"dump", "--verify"}).code, 0);
}

}  // namespace
}  // namespace rollcall::test
