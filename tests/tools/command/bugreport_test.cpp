// `rollcall bugreport`: every section is there whatever state the cluster is in, and nothing of what members keep in tags.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <sys/stat.h>

#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<std::string> headings{"version", "doctor", "stat", "settings", "hosts", "invariants", "events", "dump"};

class BugReport : public CommandTest {
protected:
    std::string text(const Words& words = {}) const {
        Words all{"bugreport", "--output", "-"};
        all.insert(all.end(), words.begin(), words.end());
        const Outcome outcome = run(all);
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        EXPECT_EQ(outcome.err, "");
        return outcome.out;
    }
    // What stands below a heading.
    static std::string section(const std::string& report, const std::string& heading) {
        const std::string title = "\n== " + heading + " ==\n\n";
        const std::size_t begin = report.find(title);
        if (begin == std::string::npos) return "no such section";
        const std::size_t end = std::min(report.find("\n== ", begin + title.size()), report.rfind("\nend of report\n"));
        return report.substr(begin + title.size(), end - begin - title.size());
    }
    static void expect_all_sections(const std::string& report) {
        EXPECT_THAT(report, StartsWith("Tags are left out"));
        EXPECT_THAT(report, testing::EndsWith("\nend of report\n"));
        for (const std::string& heading : headings) EXPECT_NE(section(report, heading), "no such section") << heading;
    }
    static std::string content_of(const std::string& path) {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }
    std::string roster() const { return dir() + "/default/roster"; }
};

TEST_F(BugReport, TellsEverythingButTags) {
    start_engine();
    start_member("worker", {"--tag", "password=hunter2-secret", "--tag", "unguessable-key=7", "--endpoint", "10.0.0.1:7000"});
    ASSERT_EQ(run({"join", "--node", "guest", "--tag", "token=hunter3-secret", "--", "true"}).code, 0);
    ASSERT_THAT(run({"dump"}).out, HasSubstr("hunter2-secret")) << "the dump itself shows tags";
    const std::string report = text();
    expect_all_sections(report);
    for (const char* secret : {"hunter2", "hunter3", "password", "token=", "unguessable-key"}) EXPECT_THAT(report, Not(HasSubstr(secret)));
    EXPECT_THAT(section(report, "version"), StartsWith(run({"--version"}).out.substr(0, 12)));
    EXPECT_THAT(section(report, "doctor"), HasSubstr("ok    memory: every invariant holds"));
    EXPECT_THAT(section(report, "stat"), HasSubstr("peers joined"));
    EXPECT_THAT(section(report, "settings"), StartsWith("heartbeat 10s, suspect 30s"));
    EXPECT_THAT(section(report, "hosts"), HasSubstr("No other hosts"));
    EXPECT_THAT(section(report, "invariants"), HasSubstr("0 broken"));
    EXPECT_THAT(section(report, "events"), testing::ContainsRegex("joined +worker(.|\n)*left +guest"));
    EXPECT_THAT(section(report, "dump"), testing::AllOf(HasSubstr("\npeer worker\n"), HasSubstr("10.0.0.1:7000"), HasSubstr("2, not shown"), HasSubstr("roster_preamble")));
    EXPECT_THAT(report, Not(HasSubstr("cannot be read")));
}

TEST_F(BugReport, KeepsTheLastThousandEvents) {
    Process& engine = start_engine();
    const How many{.as_another_user = false, .shell = "for i in $(seq 520); do \"$@\" --node n$i -- true 2>&1 || exit 1; done", .environment = {}};
    ASSERT_EQ(run({"join"}, many).code, 0);
    const std::string events = section(text(), "events");
    EXPECT_EQ(std::count(events.begin(), events.end(), '\n'), 1001);
    EXPECT_THAT(events, HasSubstr("1000 events, the last of 1040\n"));
    EXPECT_THAT(events, Not(testing::ContainsRegex(" n20 ")));
    EXPECT_THAT(events, testing::ContainsRegex(" n21 (.|\n)* n520 "));
    EXPECT_FALSE(engine.has_ended());
}

// A dead engine's memory says the same; a cluster that is not there is said in each section, and the machine is examined all the same.
TEST_F(BugReport, IsWrittenWithoutAnEngineAndWithoutACluster) {
    kill(start_engine({"--profile", "lan"}));
    const std::string dead = text();
    expect_all_sections(dead);
    EXPECT_THAT(dead, Not(HasSubstr("cannot be read")));
    EXPECT_THAT(section(dead, "settings"), HasSubstr("(profile lan)"));
    EXPECT_THAT(section(dead, "doctor"), HasSubstr("none holds the lock"));
    const std::string none = text({"--cluster", "nowhere"});
    expect_all_sections(none);
    for (const char* heading : {"stat", "settings", "hosts", "invariants", "events", "dump"})
        EXPECT_THAT(section(none, heading), testing::MatchesRegex("cannot be read: no cluster 'nowhere' in [^\n]*\n")) << heading;
    EXPECT_THAT(section(none, "doctor"), HasSubstr("ok    kernel"));
}

TEST_F(BugReport, IsWrittenOfDamagedMemory) {
    kill(start_engine());
    const std::string whole = folder() + "/whole";
    fs::copy(roster(), whole);
    const std::vector<std::pair<std::uintmax_t, std::string>> damages{{0, ""}, {5000, ""}, {fs::file_size(whole), std::string(64, '\xff')}};
    for (const auto& [size, bytes] : damages) {
        fs::copy_file(whole, roster(), fs::copy_options::overwrite_existing);
        fs::resize_file(roster(), size);
        if (!bytes.empty()) std::fstream(roster(), std::ios::in | std::ios::out | std::ios::binary) << bytes;
        const std::string report = text();
        expect_all_sections(report);
        for (const char* heading : {"stat", "dump", "events"}) EXPECT_THAT(section(report, heading), testing::MatchesRegex("cannot be read: [^\n]*\n")) << heading;
        EXPECT_THAT(section(report, "doctor"), HasSubstr("bad   memory"));
    }
    fs::copy_file(whole, roster(), fs::copy_options::overwrite_existing);
    {
        std::fstream file(roster(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096);
        for (int i = 0; i < 1000; ++i) file << std::string(1000, static_cast<char>(i * 37));
    }
    expect_all_sections(text());
}

// By default here, named by cluster and time, for its owner alone.
TEST_F(BugReport, IsAFileThatOthersMayNotRead) {
    start_engine();
    const Outcome outcome = run({"bugreport"}, {.as_another_user = false, .shell = "umask 0; cd '" + folder() + "' && exec \"$@\"", .environment = {}});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const std::string name = outcome.out.substr(0, outcome.out.size() - 1);
    EXPECT_TRUE(std::regex_match(name, std::regex("rollcall-bugreport-default-[0-9]{8}T[0-9]{6}Z\\.txt"))) << name;
    struct stat s{};
    ASSERT_EQ(::stat((folder() + "/" + name).c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 07777, 0600u);
    expect_all_sections(content_of(folder() + "/" + name));
}

TEST_F(BugReport, OverwritesNothing) {
    const std::string there = write("there.txt", "mine"), link = folder() + "/link";
    fs::create_symlink(folder() + "/elsewhere", link);
    refuse({{{"bugreport", "--output", there}, 1, {"'" + there + "' is there already and stays as it is; choose another --output"}},
            {{"bugreport", "--output", link}, 1, {"is there already"}},
            {{"bugreport", "--output", folder() + "/no/such"}, 1, {"cannot make the report '" + folder() + "/no/such': No such file or directory"}},
            {{"bugreport", "--cluster", "a b"}, 2, {"the cluster name must be"}}});
    EXPECT_EQ(content_of(there), "mine");
    EXPECT_FALSE(fs::exists(folder() + "/elsewhere"));
}

// Where there is no room for it, nothing is left of it, and whoever set the limit is told in a line.
TEST_F(BugReport, ThatDoesNotFitLeavesNothing) {
    start_engine();
    const Outcome outcome = run({"bugreport", "--output", folder() + "/large.txt"}, {.as_another_user = false, .shell = "ulimit -f 1; exec \"$@\"", .environment = {}});
    expect_refused(outcome, 1, {"cannot write the report to '" + folder() + "/large.txt': File too large"});
    EXPECT_FALSE(fs::exists(folder() + "/large.txt"));
}

// ramfs knows no files without a name: it is written under its name, and taken back if that fails.
TEST_F(BugReport, IsWrittenWhereFilesMustHaveNames) {
    start_engine();
    const std::string place = folder() + "/plain", report = place + "/report.txt";
    fs::create_directory(place);
    const auto on_ramfs = [&](const std::string& then) { return How{.as_another_user = false, .shell = "exec unshare --mount --propagation unchanged sh -c '" + of_its_own + "mount -t ramfs ramfs " + place + " && " + then + "' sh \"$@\"", .environment = {}}; };
    const Outcome copied = run({"bugreport", "--output", report}, on_ramfs("\"$@\" && cat " + report));
    EXPECT_EQ(copied.code, 0) << copied.err;
    EXPECT_THAT(copied.out, StartsWith(report + "\n"));
    expect_all_sections(copied.out.substr(report.size() + 1));
    const Outcome large = run({"bugreport", "--output", report}, on_ramfs("ulimit -f 1; \"$@\"; echo $?; ls " + place));
    EXPECT_EQ(large.out, "1\n") << "and no file";
    EXPECT_THAT(large.err, HasSubstr("File too large"));
}

}  // namespace
}  // namespace rollcall::test
