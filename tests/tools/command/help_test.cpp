// Help that helps: every subcommand has it, and what its examples show exists.
#include <regex>
#include <set>
#include <sstream>

#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// The lines behind this one, up to the next that is empty.
std::vector<std::string> section(const std::string& text, const std::string& title) {
    std::vector<std::string> found;
    bool inside = false;
    for (const std::string& line : lines_of(text)) {
        if (inside && line.empty()) break;
        if (inside) found.push_back(line);
        inside = inside || line == title;
    }
    return found;
}

// What to type, up to the explanation behind it.
std::string typed(const std::string& example) { return example.substr(2, example.find("   ", 2) - 2); }

std::set<std::string> flags_in(const std::string& text) {
    std::set<std::string> flags;
    const std::regex flag("--[a-z][a-z-]*");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), flag); it != std::sregex_iterator(); ++it) flags.insert(it->str());
    return flags;
}

class Help : public CommandTest {
protected:
    std::vector<std::string> subcommands() const {
        std::vector<std::string> names;
        for (const std::string& line : section(run({"--help"}).out, "Subcommands:")) names.push_back(line.substr(2, line.find(' ', 2) - 2));
        return names;
    }
    std::string of(const std::string& subcommand) const { return run({subcommand, "--help"}).out; }
};

TEST_F(Help, ListsEverySubcommandThereIs) {
    EXPECT_THAT(subcommands(), ::testing::IsSupersetOf({"run", "join", "members", "list", "dump", "watch", "wait", "why", "stat", "set", "evict", "stop", "demo", "hosts", "doctor", "bugreport"}));
    EXPECT_EQ(run({"--help"}).out, run({"-h"}).out);
    EXPECT_EQ(run({"--help"}).out, run({"help"}).out);
    for (const char* part : {"Usage: rollcall SUBCOMMAND [OPTIONS]", "Examples:", "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such cluster or no engine"})
        EXPECT_THAT(run({"--help"}).out, HasSubstr(part));
}

TEST_F(Help, OfEverySubcommandHasItsUsageItsOptionsAndExamples) {
    for (const std::string& name : subcommands()) {
        SCOPED_TRACE(name);
        const Outcome outcome = run({name, "--help"});
        EXPECT_EQ(outcome.code, 0);
        EXPECT_EQ(outcome.err, "");
        EXPECT_THAT(outcome.out, ::testing::StartsWith("rollcall " + name + ": "));
        EXPECT_THAT(outcome.out, HasSubstr("\nUsage: rollcall " + name + " [OPTIONS]"));
        EXPECT_THAT(flags_in(outcome.out), ::testing::IsSupersetOf({"--help", "--cluster", "--dir", "--log-level"}));
        EXPECT_FALSE(section(outcome.out, "Examples:").empty());
        EXPECT_EQ(run({name, "-h"}).out, outcome.out);
    }
}

// Each example is typed as it stands, with --help behind it: it is read as far as its options go, and each of those is shown in the help above.
TEST_F(Help, ShowsExamplesWhoseSubcommandsAndFlagsExist) {
    const std::vector<std::string> names = subcommands();
    std::vector<std::string> all = section(run({"--help"}).out, "Examples:");
    for (const std::string& name : names)
        for (const std::string& example : section(of(name), "Examples:")) all.push_back(example);
    EXPECT_GT(all.size(), names.size());
    for (const std::string& example : all) {
        std::string line = typed(example);
        SCOPED_TRACE(line);
        line = line.substr(0, line.find(" -- "));  // what stands behind is another program's
        ASSERT_THAT(line, ::testing::StartsWith("rollcall "));
        const std::string name = line.substr(9, line.find(' ', 9) - 9);
        ASSERT_THAT(names, ::testing::Contains(name));
        EXPECT_THAT(flags_in(of(name)), ::testing::IsSupersetOf(flags_in(line)));
    }
}

TEST_F(Help, IsAskedForAnywhereButBehindTwoDashes) {
    EXPECT_EQ(run({"join", "--node", "x", "--help"}).code, 0);
    EXPECT_THAT(run({"wait", "--help", "--no-such-flag"}).out, HasSubstr("Usage: rollcall wait"));
    const Outcome passed_on = run({"join", "--node", "x", "--", "true", "--help"});
    EXPECT_EQ(passed_on.code, 3);
    EXPECT_EQ(passed_on.out, "");
}

TEST_F(Help, FitsATerminal) {
    for (const std::string& name : subcommands())
        for (const std::string& line : lines_of(of(name))) EXPECT_LE(line.size(), 140u) << name << ": " << line;
}

TEST_F(Help, TellsTheVersion) {
    const Outcome outcome = run({"--version"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, MatchesRegex("rollcall [0-9]+\\.[0-9]+\\.[0-9]+\n"));
    EXPECT_EQ(outcome.err, "");
    start_engine();
    const std::string version = read({"members", "--json"})["engine"]["version"];
    EXPECT_EQ("rollcall " + version + "\n", outcome.out);
}

}  // namespace
}  // namespace rollcall::test
