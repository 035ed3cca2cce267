// `--profile` on real engines: below the file's and the flags' single settings, above the defaults, read again on SIGHUP.
#include <csignal>

#include "shm/settings.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ProfileFlag : public CommandTest {
protected:
    bool becomes(const Settings& wanted) const {
        return eventually([&] { return observe().info().settings == wanted; });
    }
};

TEST_F(ProfileFlag, FastIsInForceAndShown) {
    start_engine({"--profile", "fast"});
    const auto settings = read({"stat", "--json"})["settings"];
    EXPECT_EQ(settings["heartbeat_ms"], 10);
    EXPECT_EQ(settings["suspect_ms"], 50);
    EXPECT_EQ(settings["dead_ms"], 100);
    EXPECT_EQ(settings["evict_ms"], 10'000);
    EXPECT_EQ(settings["scan_ms"], 1);
}

// A member that is stopped is called dead, and the reason is silence: these settings are not only shown.
TEST_F(ProfileFlag, FastJudgesByIt) {
    start_engine({"--profile", "fast"});
    Process& member = start_member("a");
    member.stop();
    EXPECT_EQ(run({"wait", "a", "--state", "dead", "--timeout", "30s"}).code, 0);
    const auto evidence = read({"why", "a", "--json"});
    EXPECT_EQ(evidence["peer"]["reason"], "silence");
    EXPECT_NEAR(evidence["peer"]["evidence"]["dead_ms"].get<double>(), 100, 1);
    member.go_on();
}

TEST_F(ProfileFlag, LiesBelowTheFileAndTheFileBelowFlags) {
    const std::string file = write("rollcall.toml", "profile = \"wan\"\nsuspect = \"9s\"\nevict = \"2min\"\n");
    start_engine({"--config", file, "--evict", "3min"});
    EXPECT_EQ(observe().info().settings, (Settings{2s, 9s, 20s, 3min, 50ms}));
}

TEST_F(ProfileFlag, TakesThePlaceOfTheFilesProfileButNotOfItsSettings) {
    const std::string file = write("rollcall.toml", "profile = \"wan\"\nscan = \"5ms\"\n");
    start_engine({"--config", file, "--profile", "local"});
    EXPECT_EQ(observe().info().settings, (Settings{200ms, 600ms, 1s, 10s, 5ms}));
}

TEST_F(ProfileFlag, OfTheFileIsReadAgainOnSighup) {
    const std::string file = write("rollcall.toml", "profile = \"wan\"\n");
    Process& engine = start_engine({"--config", file});
    EXPECT_EQ(observe().info().settings, (Settings{2s, 10s, 20s, 1min, 50ms}));
    write("rollcall.toml", "profile = \"local\"\ndead = \"2s\"\n");
    engine.signal(SIGHUP);
    EXPECT_TRUE(becomes({200ms, 600ms, 2s, 10s, 10ms}));
    write("rollcall.toml", "profile = \"none\"\n");
    engine.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return said_by(engine).find("settings stay as they are: " + file + ":1: 'profile': there is no profile 'none'") != std::string::npos; }))
        << said_by(engine);
    EXPECT_TRUE(becomes({200ms, 600ms, 2s, 10s, 10ms}));
}

TEST_F(ProfileFlag, IsSetWhileTheEngineRuns) {
    start_engine({});
    EXPECT_EQ(run({"set", "--profile", "local", "--dead", "3s"}).out, "heartbeat 200ms, suspect 600ms, dead 3s, evict 10s, scan 10ms\n");
    EXPECT_TRUE(becomes({200ms, 600ms, 3s, 10s, 10ms}));
}

TEST_F(ProfileFlag, ThatThereIsNotOrThatDoesNotFitIsRefused) {
    start_engine();
    const std::string known = "there are fast, local, lan, wan";
    const std::string file = write("rollcall.toml", "\nprofile = \"slow\"\n"), number = write("number.toml", "profile = 7\n");
    refuse({{{"run", "--cluster", "other", "--profile", "slow"}, 2, {"--profile: there is no profile 'slow', ", known}},
            {{"run", "--cluster", "other", "--config", file}, 2, {file + ":2: 'profile': there is no profile 'slow', ", known}},
            {{"run", "--cluster", "other", "--config", number}, 2, {number + ":1: 'profile': takes text in quotes"}},
            {{"run", "--cluster", "other", "--profile", "fast", "--heartbeat", "2s"}, 2, {"setting 'suspect' (50ms) must be longer than 'heartbeat' (2s) (flags over profile 'fast')"}},
            {{"set", "--profile", "slow"}, 2, {"--profile: there is no profile 'slow', ", known}},
            {{"set"}, 2, {"nothing to change"}}});
}

}  // namespace
}  // namespace rollcall::test
