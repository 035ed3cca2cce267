// Command lines that are no command lines: unknown flags and subcommands, what is missing, what is too much.
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

const std::vector<Words> subcommands{{"run"},  {"join", "--node", "x"}, {"members"},      {"watch"}, {"wait", "x", "--state", "alive"}, {"why", "x"}, {"stat"},
                                     {"list"}, {"set", "--suspect", "40s"}, {"evict", "a"}, {"stop"},  {"dump"},                            {"demo"}};

class BadUsage : public CommandTest {
protected:
    void SetUp() override {
        start_engine();
        start_member("a");
    }
    // Every subcommand with these words behind it; `says` may name the subcommand as COMMAND.
    void refuse_behind_each(const Words& behind, const Words& says) const {
        std::vector<Refused> rows;
        for (const Words& subcommand : subcommands) {
            Refused row{subcommand, 2, says};
            row.words.insert(row.words.end(), behind.begin(), behind.end());
            row.says.push_back("see 'rollcall " + subcommand.front() + " --help'");
            rows.push_back(std::move(row));
        }
        refuse(rows);
    }
};

TEST_F(BadUsage, UnknownFlagsAreNamedByEverySubcommand) {
    refuse_behind_each({"--no-such-flag"}, {"unknown option '--no-such-flag'"});
    refuse_behind_each({"-x"}, {"unknown option '-x'"});
    refuse_behind_each({"--no-such-flag=1"}, {"unknown option '--no-such-flag"});
}

TEST_F(BadUsage, OneArgumentTooManyIsNamedByEverySubcommand) { refuse_behind_each({"too-many"}, {"'too-many' is one argument too many"}); }

TEST_F(BadUsage, MissingValuesAreNamedByEverySubcommand) {
    for (const std::string flag : {"--cluster", "--dir", "--log-level"}) {
        refuse_behind_each({flag}, {"option " + flag + " needs a value"});
        refuse_behind_each({flag + "="}, {"option " + flag + " needs a value"});
    }
}

TEST_F(BadUsage, ALogLevelThatDoesNotExistIsRefusedByEverySubcommand) {
    refuse_behind_each({"--log-level", "loud"}, {"option --log-level: 'loud' is none of error, warning, info, debug"});
}

TEST_F(BadUsage, OptionsGivenTwiceAreRefused) { refuse_behind_each({"--cluster", "default", "--cluster", "default"}, {"option --cluster is given 2 times"}); }

TEST_F(BadUsage, WhatIsMissingIsNamed) {
    refuse({
        {{"join"}, 2, {"--node ID is missing", "see 'rollcall join --help'"}},
        {{"join", "--", "touch", folder() + "/it-ran"}, 2, {"--node ID is missing"}},
        {{"join", "--node"}, 2, {"option --node needs a value"}},
        {{"join", "--node="}, 2, {"option --node needs a value"}},
        {{"join", "--node", "--replace"}, 2, {"option --node needs a value"}},
        {{"join", "--node", "x", "--tag"}, 2, {"option --tag needs a value"}},
        {{"join", "--node", "x", "--wait", "--", "true"}, 2, {"option --wait needs a value"}},
        {{"wait"}, 2, {"NODE is missing", "see 'rollcall wait --help'"}},
        {{"wait", "a"}, 2, {"--state S is missing"}},
        {{"wait", "--state", "alive"}, 2, {"NODE is missing"}},
        {{"why"}, 2, {"NODE is missing"}},
        {{"evict"}, 2, {"NODE is missing"}},
        {{"watch", "--from"}, 2, {"option --from needs a value"}},
        {{"watch", "--count", "--json"}, 2, {"option --count needs a value"}},
        {{"run", "--config"}, 2, {"option --config needs a value"}},
        {{"run", "--suspect", "--dead", "5s"}, 2, {"option --suspect needs a value"}},
    });
    EXPECT_NE(::access((folder() + "/it-ran").c_str(), F_OK), 0);
}

TEST_F(BadUsage, UnknownSubcommandsAndFlagsBeforeThemAreNamed) {
    refuse({
        {{"no-such-command"}, 2, {"unknown subcommand 'no-such-command'", "see 'rollcall --help'"}},
        {{"Members"}, 2, {"unknown subcommand 'Members'"}},
        {{""}, 2, {"unknown subcommand ''"}},
        {{"members\x1b[31m"}, 2, {"unknown subcommand 'members?[31m'"}},
        {{"--cluster", "default", "members"}, 2, {"'--cluster' stands before the subcommand"}},
        {{"--no-such-flag"}, 2, {"'--no-such-flag' stands before the subcommand"}},
        {{"-v"}, 2, {"'-v' stands before the subcommand"}},
    });
}

// Without anything it shows what there is, as programs do, on stderr.
TEST_F(BadUsage, NothingAtAllShowsWhatThereIs) {
    const Outcome outcome = run({});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, ::testing::HasSubstr("Usage: rollcall SUBCOMMAND [OPTIONS]"));
}

}  // namespace
}  // namespace rollcall::test
