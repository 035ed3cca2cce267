// The command line: what each kind of option takes, and how each mistake is told.
#include "tools/rollcall/options.hpp"

#include <gmock/gmock.h>

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Taken {
    bool loud = false;
    std::optional<std::string> name;
    std::string needed;
    std::vector<std::string> tags;
    std::optional<Duration> pause;
    std::optional<std::uint64_t> count;
    std::string where;
    std::vector<std::string> rest;
    Common common;
    int runs = 0;
    bool has_mark = false;
};
Taken taken;  // of the last command line that was understood

void declare(OptionSet& set, Taken& t) {
    set.flag("--loud,-l", "make noise", t.loud);
    set.text("--name,--alias", "NAME", "a name", t.name);
    set.required_text("--needed", "X", "must be there", t.needed);
    set.texts("--tag", "T", "tags", t.tags);
    set.duration("--pause,--pause-time", "a time", t.pause);
    set.number("--count", "N", "a number", 2, 10, t.count);
    set.positional("WHERE", "a place", t.where);
    set.rest("COMMAND ARGS...", "a command", t.rest, t.has_mark);
}

int run(const Common& common, const Taken& t) {
    const int runs = taken.runs + 1;
    taken = t;
    taken.common = common;
    taken.runs = runs;
    return 42;
}

const Command go = make_command("go", "goes somewhere", {{"rollcall go --needed x here", "goes here"}}, declare, run);

struct Said {
    int code;
    std::string out, err;
};

Said type(const std::vector<std::string>& args) {
    const Command* const commands[] = {&go};
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = dispatch(commands, args);
    std::string out = ::testing::internal::GetCapturedStdout();
    return {code, std::move(out), ::testing::internal::GetCapturedStderr()};
}

Said go_with(std::vector<std::string> args) {
    args.insert(args.begin(), {"go", "--needed", "x", "here"});
    return type(args);
}

TEST(CommandLine, FillsEveryKindOfOption) {
    const Said said = type({"go", "--loud", "--name", "n", "--needed", "x", "--tag", "a", "--pause", "1.5s", "--count", "7", "here", "--tag=b", "--dir", "d", "--cluster=c"});
    EXPECT_EQ(said.code, 42) << said.err;
    EXPECT_TRUE(taken.loud);
    EXPECT_EQ(taken.name, "n");
    EXPECT_EQ(taken.needed, "x");
    EXPECT_THAT(taken.tags, ElementsAre("a", "b"));
    EXPECT_EQ(taken.pause, 1500ms);
    EXPECT_EQ(taken.count, 7u);
    EXPECT_EQ(taken.where, "here");
    EXPECT_THAT(taken.rest, IsEmpty());
    EXPECT_EQ(taken.common.dir, "d");
    EXPECT_EQ(taken.common.cluster_name(), "c");
}

TEST(CommandLine, LeavesAloneWhatIsNotGiven) {
    EXPECT_EQ(go_with({}).code, 42);
    EXPECT_FALSE(taken.loud || taken.name || taken.pause || taken.count || taken.common.cluster || taken.common.dir);
    EXPECT_THAT(taken.tags, IsEmpty());
    EXPECT_EQ(taken.common.cluster_name(), "default");
    EXPECT_EQ(taken.common.folder(), "");
}

TEST(CommandLine, UnderstandsAliasesAndValuesBehindAnEqualsSign) {
    EXPECT_EQ(go_with({"--alias=a=b", "--pause-time=0"}).code, 42);
    EXPECT_EQ(taken.name, "a=b");
    EXPECT_EQ(taken.pause, 0ms);
    EXPECT_EQ(go_with({"-l"}).code, 42);
    EXPECT_TRUE(taken.loud);
}

// A value that begins with one dash is a value; one that begins with two is written behind an equals sign.
TEST(CommandLine, TakesValuesThatLookLikeOptions) {
    EXPECT_EQ(go_with({"--name", "-n"}).code, 42);
    EXPECT_EQ(taken.name, "-n");
    EXPECT_EQ(go_with({"--name=--loud"}).code, 42);
    EXPECT_EQ(taken.name, "--loud");
    EXPECT_FALSE(taken.loud);
}

// Everything behind the first -- is somebody else's: options, help, another --.
TEST(CommandLine, PassesOnWhatStandsBehindTwoDashes) {
    const std::vector<std::string> behind{"prog", "--help", "--loud", "--", "--name", "", "-x"};
    std::vector<std::string> args{"--"};
    args.insert(args.end(), behind.begin(), behind.end());
    EXPECT_EQ(go_with(args).code, 42);
    EXPECT_EQ(taken.rest, behind);
    EXPECT_FALSE(taken.loud || taken.name);
}

TEST(CommandLine, RefusesEveryMistakeInOneLineAndRunsNothing) {
    struct Row {
        std::vector<std::string> args;
        const char* says;
    };
    const Row rows[] = {
        {{"go"}, "--needed X is missing"},
        {{"go", "--needed", "x"}, "WHERE is missing"},
        {{"go", "here"}, "--needed X is missing"},
        {{"go", "--needed"}, "option --needed needs a value"},
        {{"go", "--needed=", "here"}, "option --needed needs a value"},
        {{"go", "--needed", "x", "here", "--alias="}, "option --alias needs a value"},
        {{"go", "--needed", "--loud", "here"}, "option --needed needs a value"},
        {{"go", "--needed", "x", "--needed", "y", "here"}, "option --needed is given 2 times"},
        {{"go", "--needed", "x", "here", "there"}, "'there' is one argument too many"},
        {{"go", "--needed", "x", "here", "--bogus"}, "unknown option '--bogus'"},
        {{"go", "--needed", "x", "here", "--bogus=1"}, "unknown option '--bogus"},
        {{"go", "--needed", "x", "here", "-z"}, "unknown option '-z'"},
        {{"go", "--needed", "x", "here", "--name", "a", "--alias", "b"}, "option --name is given 2 times"},
        {{"go", "--needed", "x", "here", "--pause", "5"}, "option --pause: '5' is not a duration"},
        {{"go", "--needed", "x", "here", "--pause-time", "x"}, "option --pause: 'x' is not a duration"},
        {{"go", "--needed", "x", "here", "--pause", "-1s"}, "no sign"},
        {{"go", "--needed", "x", "here", "--count", "1"}, "option --count: '1' is not a whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", "11"}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", "5x"}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", "+5"}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", "-5"}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", " 5"}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", "0x5"}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", "18446744073709551621"}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--count", ""}, "whole number from 2 to 10"},
        {{"go", "--needed", "x", "here", "--log-level", "loud"}, "option --log-level: 'loud' is none of error, warning, info, debug"},
        {{"go", "--needed", "x", "here", "--cluster"}, "option --cluster needs a value"},
        {{"went"}, "unknown subcommand 'went'"},
        {{"GO"}, "unknown subcommand 'GO'"},
        {{""}, "unknown subcommand ''"},
        {{"--loud", "go"}, "'--loud' stands before the subcommand"},
        {{"--dir", "x", "go"}, "'--dir' stands before the subcommand"},
    };
    const int runs = taken.runs;
    for (const Row& row : rows) {
        const Said said = type(row.args);
        const std::string line = ::testing::PrintToString(row.args);
        EXPECT_EQ(said.code, 2) << line;
        EXPECT_EQ(said.out, "") << line;
        EXPECT_THAT(said.err, HasSubstr(row.says)) << line;
        EXPECT_THAT(said.err, HasSubstr("--help'\n")) << line;
        EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << line;
    }
    EXPECT_EQ(taken.runs, runs);
}

TEST(CommandLine, ShowsHelpOnRequestWithoutRunningAnything) {
    const int runs = taken.runs;
    for (const char* flag : {"--help", "-h"}) {
        const Said said = type({"go", flag, "--bogus"});
        EXPECT_EQ(said.code, 0);
        EXPECT_EQ(said.err, "");
        for (const char* part : {"rollcall go: goes somewhere", "Usage: rollcall go [OPTIONS] WHERE [-- COMMAND ARGS...]", "--name NAME", "--needed X", "(required)",
                                 "--pause D", "--cluster NAME", "--dir DIR", "--log-level LEVEL", "Behind --:", "Examples:\n  rollcall go --needed x here   goes here"})
            EXPECT_THAT(said.out, HasSubstr(part));
        EXPECT_THAT(said.out, ::testing::Not(HasSubstr("--alias")));
    }
    for (const char* flag : {"--help", "-h", "help"}) {
        const Said said = type({flag});
        EXPECT_EQ(said.code, 0);
        EXPECT_THAT(said.out, HasSubstr("  go        goes somewhere\n"));
    }
    EXPECT_EQ(taken.runs, runs);
}

TEST(CommandLine, WithoutASubcommandShowsWhatThereIsAndFails) {
    const Said said = type({});
    EXPECT_EQ(said.code, 2);
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, HasSubstr("Usage: rollcall SUBCOMMAND [OPTIONS]"));
}

TEST(CommandLine, KnowsItsVersion) {
    const Said said = type({"--version"});
    EXPECT_EQ(said.code, 0);
    EXPECT_THAT(said.out, ::testing::MatchesRegex("rollcall [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

}  // namespace
}  // namespace rollcall::cli
