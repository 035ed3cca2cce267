// What can be read without an engine: a dead one's memory, a copied folder on a disk, what an earlier boot left behind.
#include <filesystem>
#include <fstream>

#include "shm/layout.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class DeadEngine : public CommandTest {
protected:
    // Members `a`, and `b` who left: three events.
    void SetUp() override {
        Words flags = calm;
        flags.insert(flags.end(), {"--capacity", "16", "--ring", "128"});
        engine_ = &start_engine(flags);
        start_member("a", {"--endpoint", "10.0.0.1:7000", "--tag", "role=main"});
        ASSERT_EQ(run({"join", "--node", "b", "--", "true"}).code, 0);
        ASSERT_EQ(observe().info().head, Sequence{3});
    }
    void TearDown() override { fs::remove_all(disk()); }

    static std::string disk() { return std::string(ROLLCALL_DISK_FOLDER) + "/copied-clusters-" + std::to_string(::getpid()); }
    void copy_to_disk() const {
        fs::create_directories(disk() + "/default");
        for (const auto& file : fs::directory_iterator(dir() + "/default"))
            if (fs::is_regular_file(file)) fs::copy(file, disk() + "/default");
    }
    Process& engine() { return *engine_; }

    // All that looks exits with 0, shows the one peer, and says that nothing runs.
    void expect_readable(const Words& where) const {
        const auto typed = [&](Words words) {
            words.insert(words.end(), where.begin(), where.end());
            const Outcome outcome = run(words);
            EXPECT_EQ(outcome.code, 0) << printed(words) << outcome.err;
            return outcome;
        };
        for (const Words& words : std::vector<Words>{{"members", "--json"}, {"dump", "--json"}, {"why", "a", "--json"}, {"stat", "--json"}}) {
            const auto document = nlohmann::json::parse(typed(words).out);
            EXPECT_EQ(document["engine"]["running"], false) << printed(words);
            EXPECT_EQ(document["engine"]["node"], "engine") << printed(words);
            EXPECT_EQ(document["head_sequence"], 3) << printed(words);
        }
        const auto peers = nlohmann::json::parse(typed({"members", "--json"}).out)["peers"];
        ASSERT_EQ(peers.size(), 1u);
        EXPECT_EQ(peers[0]["node"], "a");
        EXPECT_EQ(peers[0]["endpoint"], "10.0.0.1:7000");
        EXPECT_EQ(peers[0]["tags"]["role"], "main");
        EXPECT_THAT(typed({"members"}).out, HasSubstr("10.0.0.1:7000"));
        EXPECT_THAT(typed({"dump"}).out, HasSubstr("peer a\n"));
        EXPECT_THAT(typed({"stat"}).out, HasSubstr("peers joined"));
        EXPECT_THAT(typed({"why", "a"}).out, HasSubstr("a is alive"));
        EXPECT_THAT(typed({"why", "b"}).out, ::testing::AllOf(HasSubstr("b is not a member"), HasSubstr("said goodbye")));
        const std::string events = typed({"watch", "--json", "--from", "0", "--timeout", "20ms"}).out;
        EXPECT_EQ(std::count(events.begin(), events.end(), '\n'), 3);
        EXPECT_EQ(typed({"watch", "--from", "0", "--count", "3"}).err.find("error"), std::string::npos);
    }
    // Fewer than were asked for are too few, here as everywhere.
    void expect_too_few(Words where) const {
        Words words{"watch", "--from", "0", "--count", "4", "--timeout", "20ms"};
        words.insert(words.end(), where.begin(), where.end());
        const Outcome outcome = run(words);
        EXPECT_EQ(outcome.code, 1);
        EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 3);
    }

private:
    Process* engine_ = nullptr;
};

TEST_F(DeadEngine, LeavesItsMemoryReadable) {
    kill(engine());
    expect_readable({});
    expect_too_few({});
    EXPECT_THAT(run({"members"}).out, HasSubstr("Engine 'engine' does not run; it last looked"));
    EXPECT_THAT(run({"list"}).out, HasSubstr("stopped"));
    EXPECT_THAT(run({"watch", "--timeout", "20ms"}).err, HasSubstr("no engine runs in cluster 'default' now: waiting for one"));
}

TEST_F(DeadEngine, ThatWasStoppedLeavesItsMemoryReadable) {
    ASSERT_EQ(run({"stop"}).code, 0);
    ASSERT_EQ(engine().wait(), 0);
    expect_readable({});
}

// The watch goes on when the next engine does, without a gap.
TEST_F(DeadEngine, IsSucceededUnderTheEyesOfAWatch) {
    kill(engine());
    Process& watch = start({"watch", "--json", "--from", "3"});
    ASSERT_TRUE(eventually([&] { return said_by(watch).find("waiting for one") != std::string::npos; }));
    start_engine();
    const Outcome joined = run({"join", "--node", "c", "--", "true"});
    EXPECT_EQ(joined.code, 0) << joined.err;
    std::uint64_t next = 4;
    for (bool seen = false; !seen; ++next) {
        const auto line = watch.read_line();
        ASSERT_TRUE(line) << said_by(watch);
        const auto event = nlohmann::json::parse(*line);
        EXPECT_EQ(event["seq"], next);
        EXPECT_NE(event["event"], "gap");
        seen = event["node"] == "c";
    }
}

TEST_F(DeadEngine, IsReadableAsACopyOnADisk) {
    kill(engine());
    copy_to_disk();
    expect_readable({"--dir", disk()});
    expect_too_few({"--dir", disk()});
    EXPECT_EQ(nlohmann::json::parse(run({"list", "--json", "--dir", disk()}).out)["clusters"][0]["engine"]["running"], false);
}

// A copy of a living engine's folder is no living engine.
TEST_F(DeadEngine, IsWhatACopyOfALivingEnginesFolderHas) {
    copy_to_disk();
    expect_readable({"--dir", disk()});
    EXPECT_TRUE(observe().info().running);
}

TEST_F(DeadEngine, IsReadableUnderAnotherName) {
    kill(engine());
    fs::rename(dir() + "/default", dir() + "/renamed");
    expect_readable({"--cluster", "renamed"});
}

// Its stamps and pids mean nothing here: it is looked at as a copy, in which time stands still. An engine makes it anew.
TEST_F(DeadEngine, OfAnEarlierBootIsReadAsACopy) {
    kill(engine());
    {
        std::fstream roster(dir() + "/default/roster", std::ios::in | std::ios::out | std::ios::binary);
        roster.seekp(offsetof(shm::RosterHeader, boot_id) + sizeof(shm::Preamble));
        roster << "another boot's";
    }
    expect_readable({});
    expect_too_few({});
    EXPECT_THAT(run({"members"}).out, HasSubstr("This is a copy: times are those of its engine's last look"));
    const Outcome watch = run({"watch", "--from", "0"});  // ends by itself: nothing will happen there
    EXPECT_EQ(watch.code, 0);
    EXPECT_EQ(std::count(watch.out.begin(), watch.out.end(), '\n'), 3);
    const auto age = [&] { return read({"members", "--json"})["peers"][0]["since_ms"]; };
    EXPECT_EQ(age(), age());
    refuse({{{"wait", "a", "--state", "alive"}, 3, {"no engine runs"}}, {{"join", "--node", "x"}, 1, {"of another boot of this host"}}});
    Process& next = start_engine();
    EXPECT_THAT(said_by(next), HasSubstr("of another boot of this host"));
    EXPECT_THAT(run({"members"}).out, Not(HasSubstr("copy")));
}

// Looking writes nothing: it works where nothing can be written.
TEST_F(DeadEngine, IsReadableWhereNothingMayBeWritten) {
    kill(engine());
    for (const auto& file : fs::directory_iterator(dir() + "/default"))
        if (fs::is_regular_file(file)) fs::permissions(file, fs::perms(0444));
    fs::permissions(dir() + "/default", fs::perms(0555));
    const How another{.as_another_user = true, .shell = {}, .environment = {}};
    for (const Words& words : std::vector<Words>{{"members"}, {"dump"}, {"why", "a"}, {"stat"}, {"list"}, {"watch", "--from", "0", "--timeout", "20ms"}}) {
        const Outcome outcome = run(words, another);
        EXPECT_EQ(outcome.code, 0) << printed(words) << outcome.err;
    }
    fs::permissions(dir() + "/default", fs::perms(0755));
}

}  // namespace
}  // namespace rollcall::test
