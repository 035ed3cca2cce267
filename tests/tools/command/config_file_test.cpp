// The configuration file of `rollcall run`: flags over file over defaults, SIGHUP, and every kind of file that is none.
#include <sys/stat.h>
#include <unistd.h>

#include "shm/settings.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ConfigurationFile : public CommandTest {
protected:
    Settings settings(const std::string& cluster = "default") const { return observe(cluster).info().settings; }
    // How often it has said this so far.
    int said(const Process& process, const std::string& text) const {
        const std::string all = said_by(process);
        int count = 0;
        for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
        return count;
    }
    // SIGHUP, until it has said `text` once more.
    void hang_up(Process& engine, const std::string& text) const {
        const int before = said(engine, text);
        engine.signal(SIGHUP);
        ASSERT_TRUE(eventually([&] { return said(engine, text) > before; })) << said_by(engine);
    }
};

TEST_F(ConfigurationFile, WithoutFlagsAndFileTheDefaultsApply) {
    start_engine({});
    EXPECT_EQ(settings(), Settings{});
    EXPECT_EQ(observe().info().capacity, 4096u);
}

TEST_F(ConfigurationFile, FlagsWinOverTheFileAndTheFileOverTheDefaults) {
    const std::string file = write("rollcall.toml", "heartbeat = \"2s\"\nsuspect = \"6s\"\ndead = \"20s\"\ncapacity = 32\nring = 128\nevict-timeout = \"60s\"\n");
    start_engine({"--config", file, "--dead-timeout", "30s", "--capacity", "64"});
    EXPECT_EQ(settings(), (Settings{2s, 6s, 30s, 60s, 10ms}));
    EXPECT_EQ(observe().info().capacity, 64u);
    EXPECT_EQ(observe().info().ring, 128u);
}

TEST_F(ConfigurationFile, EveryLongerNameOfASettingIsUnderstood) {
    start_engine({"--heartbeat-interval", "2s", "--suspect-timeout=7s", "--dead-timeout", "8s", "--evict-timeout", "9s", "--scan-interval", "20ms"});
    EXPECT_EQ(settings(), (Settings{2s, 7s, 8s, 9s, 20ms}));
    EXPECT_EQ(run({"set", "--suspect-timeout", "6s", "--evict-timeout", "10s"}).code, 0);
    EXPECT_TRUE(eventually([&] { return settings() == Settings{2s, 6s, 8s, 10s, 20ms}; }));
}

TEST_F(ConfigurationFile, MayNameClusterFolderAndNode) {
    const std::string elsewhere = folder() + "/elsewhere";
    const std::string file = write("rollcall.toml", "cluster = \"orders\"\ndir = \"" + elsewhere + "\"\nnode = \"gw-1\"\nlog-level = \"info\"\n");
    Process& engine = start({"run", "--config", file});
    ASSERT_TRUE(eventually([&] { return said(engine, "engine 'gw-1' of cluster 'orders' is ready in " + elsewhere + "/orders") == 1; })) << said_by(engine);
    EXPECT_EQ(read({"stat", "--json", "--cluster", "orders", "--dir", elsewhere})["engine"]["node"], "gw-1");
    Process& other = start({"run", "--config", file, "--node", "gw-2", "--cluster", "second", "--dir", dir()});
    EXPECT_TRUE(eventually([&] { return said(other, "engine 'gw-2' of cluster 'second' is ready in " + dir() + "/second") == 1; })) << said_by(other);
}

TEST_F(ConfigurationFile, ItsLogLevelCountsUnlessAFlagSaysOtherwise) {
    const std::string file = write("rollcall.toml", "log-level = \"error\"\n");
    Process& quiet = start({"run", "--config", file, "--cluster", "quiet"});
    Process& loud = start({"run", "--config", file, "--cluster", "loud", "--log-level", "info"});
    ASSERT_TRUE(eventually([&] { return said(loud, "is ready in") == 1; }));
    ASSERT_TRUE(eventually([&] { return run({"stop", "--cluster", "quiet"}).code == 0; }));
    EXPECT_EQ(quiet.wait(), 0);
    EXPECT_EQ(said_by(quiet), "");
}

TEST_F(ConfigurationFile, IsReadAgainOnSighup) {
    const std::string file = write("rollcall.toml", "suspect = \"3500ms\"\n");
    Process& engine = start_engine({"--config", file, "--evict", "1min"});
    start_member("a");
    EXPECT_EQ(settings(), (Settings{1s, 3500ms, 5s, 1min, 10ms}));
    write("rollcall.toml", "suspect = \"4s\"\ndead = \"6s\"\nevict = \"2min\"\ncapacity = 17\nnode = \"other\"\n");
    hang_up(engine, "settings in force: heartbeat 1s, suspect 4s, dead 6s, evict 1min, scan 10ms");
    EXPECT_TRUE(eventually([&] { return settings() == Settings{1s, 4s, 6s, 1min, 10ms}; }));
    EXPECT_THAT(said_by(engine), HasSubstr("in force only after a restart: "));
    EXPECT_THAT(said_by(engine), HasSubstr("capacity"));
    EXPECT_EQ(observe().info().capacity, 4096u);
    EXPECT_TRUE(has_member("a"));
}

// What an operator has set lasts until the file counts again.
TEST_F(ConfigurationFile, EndsWhatAnOperatorHasSet) {
    const std::string file = write("rollcall.toml", "suspect = \"3500ms\"\n");
    Process& engine = start_engine({"--config", file});
    EXPECT_EQ(run({"set", "--suspect", "4s", "--dead", "7s"}).code, 0);
    EXPECT_TRUE(eventually([&] { return settings() == Settings{1s, 4s, 7s, 10s, 10ms}; }));
    hang_up(engine, "settings in force: ");
    EXPECT_TRUE(eventually([&] { return settings() == Settings{1s, 3500ms, 5s, 10s, 10ms}; }));
}

TEST_F(ConfigurationFile, ThatBrokeMeanwhileChangesNothing) {
    const std::string file = write("rollcall.toml", "suspect = \"3500ms\"\n");
    Process& engine = start_engine({"--config", file});
    start_member("a");
    const std::string before = state();
    const std::vector<std::pair<std::string, std::string>> broken{
        {"suspect = \"4s\"\nnode = \n", file + ":2: "}, {"suspect = \"500ms\"\n", "setting 'suspect' (500ms) must be longer than 'heartbeat' (1s)"}, {"unknown = 1\n", "unknown key 'unknown'"}};
    for (const auto& [content, why] : broken) {
        write("rollcall.toml", content);
        hang_up(engine, "settings stay as they are: ");
        EXPECT_THAT(said_by(engine), HasSubstr(why));
    }
    ASSERT_EQ(::unlink(file.c_str()), 0);
    hang_up(engine, "settings stay as they are: cannot read the configuration file");
    EXPECT_EQ(state(), before);
    EXPECT_FALSE(engine.has_ended());
}

TEST_F(ConfigurationFile, ThatIsBrokenStartsNoEngineAndNamesTheLine) {
    start_engine();
    struct Row {
        const char* content;
        int line;
        const char* says;
    };
    const Row rows[] = {
        {"\n\nnode = \n", 3, "expected value"},
        {"cluster \"x\"\n", 1, "expected"},
        {"# fine\nno-such-key = 1\n", 2, "unknown key 'no-such-key', keys are the names of the flags of 'rollcall run'"},
        {"[engine]\nsuspect = \"4s\"\n", 1, "unknown key 'engine'"},
        {"suspect = \"4s\"\nsuspect-timeout = \"4s\"\n", 2, "'suspect-timeout' and 'suspect' are the same setting, keep one"},
        {"suspect = \"4s\"\nsuspect = \"4s\"\n", 2, "suspect"},
        {"suspect = 4\n", 1, "'suspect': takes a duration in quotes, for example \"300ms\""},
        {"\nsuspect = \"4\"\n", 2, "'4' is not a duration: it has no unit"},
        {"capacity = \"many\"\n", 1, "'capacity': takes a whole number from 1 to 16777216"},
        {"capacity = 0\n", 1, "'capacity': takes a whole number from 1 to 16777216"},
        {"ring = 16777217\n", 1, "'ring': takes a whole number from 1 to 16777216"},
        {"node = 7\n", 1, "'node': takes text in quotes"},
        {"node = \"\xFF\"\n", 1, "utf-8"},
    };
    for (const Row& row : rows) {
        const std::string file = write("broken.toml", row.content);
        refuse({{{"run", "--cluster", "other", "--config", file}, 2, {file + ":" + std::to_string(row.line) + ": ", row.says}}});
    }
}

TEST_F(ConfigurationFile, WithValuesThatMakeNoSenseStartsNoEngine) {
    start_engine();
    const std::vector<std::pair<std::string, std::string>> rows{
        {"cluster = \"a b\"\n", "the cluster name must be 1 to 63 of A-Za-z0-9_-"}, {"node = \"a b\"\n", "white space at byte 2"}, {"node = \"\"\n", "the node id is empty"},
        {"group = \"no-such-group\"\n", "no group 'no-such-group'"}, {"log-level = \"loud\"\n", "'loud' is none of error, warning, info, debug"},
        {"heartbeat = \"3s\"\n", "setting 'suspect' (3s) must be longer than 'heartbeat' (3s)"}, {"dead = \"0s\"\n", "setting 'dead' must be longer than zero"},
        {"evict = \"2161h\"\n", "setting 'evict' is longer than 90 days"}};
    for (const auto& [content, says] : rows) {
        const std::string file = write("senseless.toml", content);
        Words words{"run", "--config", file};
        if (!content.starts_with("cluster")) words.insert(words.end(), {"--cluster", "other"});
        refuse({{words, 2, {says}}});
    }
}

// Missing, a folder, something that nobody writes to, something without an end.
TEST_F(ConfigurationFile, ThatIsNoneStartsNoEngine) {
    start_engine();
    const std::string fifo = folder() + "/fifo", huge = write("huge.toml", std::string(2 << 20, '#'));
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    for (const std::string& file : {folder() + "/missing.toml", folder(), fifo, huge, std::string("/dev/zero"), std::string(), huge + "/below"})
        refuse({{{"run", "--cluster", "other", "--config", file}, 1, {"cannot read the configuration file '" + file + "': "}}});
}

}  // namespace
}  // namespace rollcall::test
