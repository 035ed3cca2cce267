// The programs that people copy: each does what it says, with a real engine beside it.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Example : public CommandTest {
protected:
    // A program of tools/examples; its stdout is read line by line.
    Process run_example(const std::string& name, const Words& words = {}) const {
        std::string path = ROLLCALL_EXAMPLES;
        path += "/" + name;
        Words argv{path};
        argv.insert(argv.end(), words.begin(), words.end());
        return Process({argv, {}, folder() + "/" + name + ".err", {{"ROLLCALL_DIR", dir()}}});
    }
    std::vector<std::string> lines(Process& process, std::size_t count) const {
        std::vector<std::string> all;
        while (all.size() < count) {
            const auto line = process.read_line();
            if (!line) break;
            all.push_back(*line);
        }
        return all;
    }
};

TEST_F(Example, AMemberLivesAsLongAsItsWork) {
    start_engine();
    for (const std::string name : {"member", "member_c"}) {
        Process member = run_example(name, {name});
        ASSERT_TRUE(eventually([&] { return has_member(name); }));
        member.signal(SIGKILL);
        member.wait();
        EXPECT_EQ(run({"wait", name, "--state", "dead", "--timeout", "30s"}).code, 0);
    }
}

TEST_F(Example, AMemberSaysWhyItCannotBe) {
    for (const std::string name : {"member", "member_c"}) {
        Process member = run_example(name);
        EXPECT_EQ(member.wait(), 1);
        std::ifstream err(folder() + "/" + name + ".err");
        std::string line;
        std::getline(err, line);
        EXPECT_THAT(line, HasSubstr("cluster"));
    }
}

TEST_F(Example, APoolGivesTheJobsOfTheDeadToTheLiving) {
    start_engine();
    Process& one = start_member("one", {"--tag", "role=worker"});
    start_member("bystander");
    Process pool = run_example("worker_pool", {"4"});
    EXPECT_THAT(lines(pool, 1), ElementsAre("0:one 1:one 2:one 3:one "));
    kill(one);
    EXPECT_THAT(lines(pool, 1), ElementsAre("0:- 1:- 2:- 3:- "));
    start_member("two", {"--tag", "role=worker"});
    EXPECT_THAT(lines(pool, 1), ElementsAre("0:two 1:two 2:two 3:two "));
}

TEST_F(Example, TheLeaderIsWhoHasLivedLongest) {
    start_engine();
    Process a = run_example("leader", {"a"});
    EXPECT_THAT(lines(a, 1), ElementsAre("a leads: that is me"));
    Process b = run_example("leader", {"b"});
    EXPECT_THAT(lines(b, 1), ElementsAre("a leads"));
    a.signal(SIGKILL);
    EXPECT_THAT(lines(b, 1), ElementsAre("b leads: that is me"));
}

TEST_F(Example, ALoopHearsEventsBesideItsTimer) {
    start_engine();
    Process loop = run_example("epoll_loop");
    EXPECT_THAT(lines(loop, 1), ElementsAre("joined loop"));
    Process& other = start_member("other");
    EXPECT_THAT(lines(loop, 1), ElementsAre("joined other"));
    kill(other);
    EXPECT_THAT(lines(loop, 1), ElementsAre("dead other"));
}

TEST_F(Example, AnEmbeddedEngineJudgesWhoFallsSilent) {
    Process engine = run_example("embedded_engine");
    std::vector<std::string> of_silent;
    for (std::string line; !line.starts_with("left: ");) {
        const auto next = engine.read_line();
        ASSERT_TRUE(next);
        line = *next;
        if (line.find("silent") != std::string::npos && line.find("recovered") == std::string::npos) of_silent.push_back(line);
        if (line.starts_with("left: ")) {
            EXPECT_THAT(line, HasSubstr("left: steady"));
        }
    }
    EXPECT_THAT(of_silent, ElementsAre("joined silent registered", "suspect silent silence", "dead silent silence", "evicted silent silence"));
    EXPECT_EQ(engine.wait(), 0);
}

}  // namespace
}  // namespace rollcall::test
