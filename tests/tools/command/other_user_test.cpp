// Another user than the engine's may look, and may join where it is let in; it may command nobody. Root ignores the modes of files, so these
// tests type their commands as user 65534, and need root to become that one.
#include <filesystem>

#include <sys/stat.h>

#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

const How another{.as_another_user = true, .shell = {}, .environment = {}};

class OtherUser : public CommandTest {
protected:
    void SetUp() override {
        start_engine();
        start_member("a");
    }
    // Lets that user's group in, as --group does.
    void open_the_doors() const {
        for (const auto& file : std::filesystem::directory_iterator(dir() + "/default")) {
            const std::string name = file.path().filename().string();
            const bool is_door = name == "control.sock" || name.starts_with("pulse.");
            ASSERT_TRUE(!is_door || ::chown(file.path().c_str(), static_cast<uid_t>(-1), 65534) == 0) << name;
        }
    }
};

TEST_F(OtherUser, SeesEverything) {
    for (const Words& words : std::vector<Words>{{"members"}, {"members", "--json"}, {"list"}, {"dump"}, {"dump", "--json"}, {"stat"}, {"stat", "--json"}, {"why", "a"},
                                                 {"watch", "--from", "0", "--count", "1", "--timeout", "30s"}}) {
        const Outcome outcome = run(words, another);
        EXPECT_EQ(outcome.code, 0) << printed(words) << outcome.err;
        EXPECT_EQ(outcome.err, "") << printed(words);
        EXPECT_NE(outcome.out, "") << printed(words);
    }
    EXPECT_EQ(run({"wait", "a", "--state", "alive", "--timeout", "30s"}, another).code, 0);
    EXPECT_TRUE(nlohmann::json::parse(run({"members", "--json"}, another).out)["engine"]["running"].get<bool>());
}

TEST_F(OtherUser, IsNotLetInWithoutItsGroup) {
    const std::string place = dir() + "/default/";
    refuse(
        {
            {{"join", "--node", "x"}, 1, {place, "Permission denied"}},
            {{"join", "--node", "x", "--wait", "30s"}, 1, {place, "Permission denied"}},  // waiting would not help
            {{"join", "--node", "x", "--", "touch", "/dev/null"}, 1, {place, "Permission denied"}},
            {{"join", "--node", "a", "--replace"}, 1, {place, "Permission denied"}},
            {{"set", "--suspect", "40s"}, 1, {place + "control.sock", "Permission denied"}},
            {{"evict", "a"}, 1, {place + "control.sock", "Permission denied"}},
            {{"stop"}, 1, {place + "control.sock", "Permission denied"}},
            {{"stop", "--leave"}, 1, {place + "control.sock", "Permission denied"}},
            {{"stop", "--remove"}, 1, {place, "Permission denied"}},
            {{"run"}, 1, {place + "lock", "Permission denied"}},
        },
        another);
}

// The socket lets everybody in: now it is the engine that refuses, by what the kernel says of the caller.
TEST_F(OtherUser, CommandsNobody) {
    open_the_doors();
    const std::string only = "only the engine's user (uid 0) or root may do this";
    refuse(
        {
            {{"set", "--suspect", "40s"}, 1, {only}},
            {{"evict", "a"}, 1, {only}},
            {{"evict", "nobody"}, 1, {only}},
            {{"stop"}, 1, {only}},
            {{"stop", "--leave"}, 1, {only}},
            {{"stop", "--remove"}, 1, {only}},
        },
        another);
}

TEST_F(OtherUser, ReplacesOnlyItsOwn) {
    open_the_doors();
    refuse(
        {
            {{"join", "--node", "a"}, 1, {"node id 'a' is held by pid"}},
            {{"join", "--node", "a", "--replace"}, 1, {"node id 'a' is held by pid", "only its own user or an operator may replace it"}},
            {{"join", "--node", "a", "--replace", "--", "touch", "/dev/null"}, 1, {"only its own user or an operator may replace it"}},
        },
        another);
    Process& first = start_member("x", {}, another);
    Process& second = start_member("x", {"--replace"}, another);
    EXPECT_EQ(first.wait(), 1);
    EXPECT_THAT(said_by(first), ::testing::HasSubstr("another life of node 'x' has taken over"));
    EXPECT_FALSE(second.has_ended());
    // Root is an operator: it replaces anybody's.
    start_member("x", {"--replace"});
    EXPECT_EQ(second.wait(), 1);
}

TEST_F(OtherUser, IsToldWhatItMayNotRead) {
    ASSERT_EQ(::chmod((dir() + "/default/roster").c_str(), 0600), 0);
    const Words says{dir() + "/default/roster", "Permission denied"};
    refuse({{{"members"}, 1, says}, {{"members", "--json"}, 1, says}, {{"dump"}, 1, says}, {{"stat"}, 1, says}, {{"why", "a"}, 1, says}, {{"watch"}, 1, says},
            {{"wait", "a", "--state", "alive"}, 1, says}, {{"join", "--node", "x"}, 1, says}},
           another);
    const Outcome list = run({"list"}, another);
    EXPECT_EQ(list.code, 0);
    EXPECT_THAT(list.out, ::testing::AllOf(::testing::HasSubstr("unreadable"), ::testing::HasSubstr("Permission denied")));
}

// A folder that one may not look into is no folder without a cluster.
TEST_F(OtherUser, IsToldWhereItMayNotLook) {
    ASSERT_EQ(::chmod((dir() + "/default").c_str(), 0700), 0);
    const Words says{dir() + "/default", "Permission denied"};
    const std::vector<Refused> rows{{{"members"}, 1, says}, {{"dump"}, 1, says}, {{"join", "--node", "x"}, 1, says}, {{"stop"}, 1, says}};
    refuse(rows, another);
    ASSERT_EQ(::chmod(dir().c_str(), 0700), 0);
    refuse(rows, another);
}

TEST_F(OtherUser, StartsNoEngineWhereItMayNotWrite) {
    refuse(
        {
            {{"run", "--cluster", "other"}, 1, {"cannot create folder " + dir() + "/other", "Permission denied"}},
            {{"run", "--dir", folder() + "/elsewhere"}, 1, {"cannot create folder " + folder() + "/elsewhere", "Permission denied"}},
        },
        another);
}

TEST_F(OtherUser, IsToldThatItsConfigurationMayNotBeRead) {
    const std::string file = write("secret.toml", "suspect = \"4s\"\n");
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    refuse({{{"run", "--cluster", "other", "--config", file}, 1, {"cannot read the configuration file '" + file + "'", "Permission denied"}}}, another);
}

// An engine of that user's own, where such a user's engines lie by themselves: it commands it, and so does root.
TEST_F(OtherUser, CommandsAnEngineOfItsOwn) {
    const std::string runtime = folder() + "/runtime";
    std::filesystem::create_directory(runtime);
    ASSERT_EQ(::chown(runtime.c_str(), 65534, 65534), 0);
    const How own{.as_another_user = true, .shell = {}, .environment = {{"ROLLCALL_DIR", ""}, {"XDG_RUNTIME_DIR", runtime}}};
    Process& engine = start({"run", "--node", "engine"}, own);
    ASSERT_TRUE(eventually([&] { return said_by(engine).find("is ready in " + runtime + "/rollcall/default") != std::string::npos; })) << said_by(engine);
    EXPECT_EQ(run({"set", "--suspect", "4s"}, own).code, 0);
    EXPECT_EQ(run({"set", "--suspect", "3500ms", "--dir", runtime + "/rollcall"}).code, 0);
    EXPECT_EQ(run({"join", "--node", "x", "--", "true"}, own).code, 0);
    EXPECT_EQ(run({"stop"}, own).code, 0);
    EXPECT_EQ(engine.wait(), 0);
}

}  // namespace
}  // namespace rollcall::test
