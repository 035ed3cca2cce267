// No cluster, no engine, no room, or somebody else in the place: the right exit code, who or what is in the way, and what to do.
#include <filesystem>

#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

class Absent : public CommandTest {};

TEST_F(Absent, WithoutAClusterEverybodyIsToldHowToMakeOne) {
    const std::vector<Words> subcommands{{"join", "--node", "x"}, {"join", "--node", "x", "--wait", "50ms"}, {"members"}, {"members", "--json"}, {"watch"}, {"watch", "--from", "0"},
                                         {"wait", "x", "--state", "gone"}, {"why", "x"}, {"stat"}, {"set", "--suspect", "4s"}, {"evict", "x"},
                                         {"stop"}, {"stop", "--leave"}, {"stop", "--remove"}, {"dump"}, {"dump", "--json"}};
    std::vector<Refused> rows;
    for (const Words& words : subcommands) {
        rows.push_back({words, 3, {"no cluster 'default' in " + dir(), "rollcall run --cluster default"}});
        Words elsewhere = words;
        elsewhere.insert(elsewhere.end(), {"--cluster", "orders", "--dir", folder() + "/elsewhere"});
        rows.push_back({elsewhere, 3, {"no cluster 'orders' in " + folder() + "/elsewhere", "rollcall run --cluster orders --dir " + folder() + "/elsewhere"}});
    }
    refuse(rows);
    EXPECT_FALSE(std::filesystem::exists(dir()));
    EXPECT_FALSE(std::filesystem::exists(folder() + "/elsewhere"));
}

// Nobody waits for what nobody made, unless asked to; and the program behind the wrapper does not run meanwhile.
TEST_F(Absent, WithoutAClusterNoProgramRuns) {
    refuse({{{"join", "--node", "x", "--wait", "50ms", "--", "touch", folder() + "/it-ran"}, 3, {"no cluster 'default'"}}});
    EXPECT_FALSE(std::filesystem::exists(folder() + "/it-ran"));
}

// The memory outlives its engine. Whoever needs an answer from one is told how to start one; nothing in the memory changes.
TEST_F(Absent, WithoutAnEngineEverybodyIsToldHowToStartOne) {
    Process& engine = start_engine();
    start_member("a");
    kill(engine);
    std::vector<Refused> rows;
    for (const Words& words : std::vector<Words>{{"join", "--node", "x"}, {"join", "--node", "x", "--wait", "50ms"}, {"join", "--node", "x", "--", "touch", folder() + "/it-ran"},
                                                 {"wait", "a", "--state", "alive"}, {"set", "--suspect", "40s"}, {"evict", "a"}, {"stop"}, {"stop", "--leave"}})
        rows.push_back({words, 3, {"no engine runs", "cluster 'default'", "rollcall run"}});
    refuse(rows);
    EXPECT_FALSE(std::filesystem::exists(folder() + "/it-ran"));
}

TEST_F(Absent, AnEngineThatComesInTimeIsWaitedFor) {
    Process& patient = start({"join", "--node", "early", "--wait", "30s"});
    Process& program = start({"join", "--node", "program", "--wait", "30s", "--", "true"});
    start_engine();
    EXPECT_TRUE(eventually([&] { return has_member("early"); })) << said_by(patient);
    EXPECT_EQ(program.wait(), 0);
}

class Occupied : public CommandTest {
protected:
    void SetUp() override {
        Words flags = calm;
        flags.insert(flags.end(), {"--capacity", "2"});
        engine = &start_engine(flags);
        holder = &start_member("a");
    }
    Process* engine = nullptr;
    Process* holder = nullptr;
};

TEST_F(Occupied, AnIdThatIsHeldIsRefusedNamingItsHolder) {
    const std::string pid = "pid " + std::to_string(holder->pid());
    refuse({
        {{"join", "--node", "a"}, 1, {"node id 'a' is held by " + pid, "alive", "end it first, or ask to replace it"}},
        {{"join", "--node", "a", "--wait", "50ms"}, 1, {"node id 'a' is held by " + pid}},
        {{"join", "--node", "a", "--", "touch", folder() + "/it-ran"}, 1, {"node id 'a' is held by " + pid}},
        {{"join", "--node", "engine"}, 1, {"node id 'engine' is the engine's own"}},
        {{"join", "--node", "engine", "--replace"}, 1, {"node id 'engine' is the engine's own"}},
    });
    EXPECT_FALSE(std::filesystem::exists(folder() + "/it-ran"));
    EXPECT_FALSE(holder->has_ended());
}

TEST_F(Occupied, AnIdThatIsGivenUpInTimeIsWaitedFor) {
    Process& next = start({"join", "--node", "a", "--wait", "30s"});
    holder->signal(SIGTERM);
    EXPECT_EQ(holder->wait(), 0);
    EXPECT_TRUE(eventually([&] { return said_by(next).find("joined cluster") != std::string::npos; })) << said_by(next);
}

TEST_F(Occupied, AClusterThatIsFullRefusesTheNextNamingItsCapacity) {
    start_member("b");
    refuse({
        {{"join", "--node", "c"}, 1, {"the cluster is full: capacity 2", "--capacity"}},
        {{"join", "--node", "c", "--", "touch", folder() + "/it-ran"}, 1, {"the cluster is full: capacity 2"}},
    });
    EXPECT_FALSE(std::filesystem::exists(folder() + "/it-ran"));
    ASSERT_EQ(run({"evict", "a"}).code, 0);
    // Its place is free again, unless `a`, which lives and learns of it, takes it back first.
    EXPECT_TRUE(eventually([&] { return has_member("a") || run({"join", "--node", "c", "--", "true"}).code == 0; }));
}

TEST_F(Occupied, ASecondEngineIsRefusedNamingTheFirst) {
    const std::string pid = "pid " + std::to_string(engine->pid()), lock = dir() + "/default/lock";
    refuse({
        {{"run"}, 1, {pid, lock}},
        {{"run", "--node", "other"}, 1, {pid, lock}},
        {{"run", "--suspect", "4s", "--capacity", "3"}, 1, {pid, lock}},
    });
}

TEST_F(Occupied, NodesThatNobodyKnowsAreRefusedByName) {
    refuse({
        {{"evict", "nobody"}, 1, {"no node 'nobody'"}},
        {{"why", "nobody"}, 1, {"no node 'nobody'"}},
        {{"why", "nobody", "--json"}, 1, {"no node 'nobody'"}},
    });
}

// What runs is not removed: `stop --remove` ends it first, and then nothing is left.
TEST_F(Occupied, StopWithRemoveLeavesNothingOfTheCluster) {
    const Outcome outcome = run({"stop", "--remove"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "stopped the engine of cluster 'default'\nremoved cluster 'default'\n");
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(engine->wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(dir() + "/default"));
    EXPECT_EQ(run({"stop", "--remove"}).code, 3);
}

}  // namespace
}  // namespace rollcall::test
