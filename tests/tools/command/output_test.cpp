// Results on stdout and nothing else there; what happens when nobody reads them; colours only where somebody sees them.
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "shm/descriptor.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<Words> printing{{"members"}, {"members", "--json"}, {"hosts"}, {"hosts", "--json"}, {"list"}, {"list", "--json"}, {"dump"}, {"dump", "--json"}, {"dump", "--verify"}, {"stat"}, {"stat", "--json"},
                                  {"why", "a"}, {"why", "a", "--json"}, {"watch", "--from", "0", "--count", "1"}, {"watch", "--json", "--from", "0", "--count", "1"}};

class Output : public CommandTest {
protected:
    void SetUp() override {
        start_engine();
        start_member("a");
    }
    static How in_shell(const std::string& script) { return {.as_another_user = false, .shell = script, .environment = {}}; }
    // With a terminal as its stdout: all that it showed there.
    std::string shown_on_a_terminal(const Words& words, std::vector<std::pair<std::string, std::string>> environment) {
        const shm::Descriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        if (!terminal || ::grantpt(terminal.get()) != 0 || ::unlockpt(terminal.get()) != 0) throw std::runtime_error("no terminal");
        environment.emplace_back("ROLLCALL_DIR", dir());
        Process::Start start;
        start.argv = words;
        start.argv.insert(start.argv.begin(), ROLLCALL_COMMAND);
        start.out = ::ptsname(terminal.get());
        start.environment = std::move(environment);
        Process process(start);
        std::string text;
        char buffer[4096];
        for (ssize_t size; (size = ::read(terminal.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(size));  // EIO once it has ended
        EXPECT_EQ(process.wait(), 0);
        return text;
    }
};

TEST_F(Output, IsOnStdoutAlone) {
    for (const Words& words : printing) {
        const Outcome outcome = run(words);
        EXPECT_EQ(outcome.code, 0) << printed(words);
        EXPECT_NE(outcome.out, "") << printed(words);
        EXPECT_EQ(outcome.err, "") << printed(words);
        EXPECT_TRUE(outcome.out.ends_with('\n')) << printed(words);
    }
}

TEST_F(Output, OfProgramsIsOneDocument) {
    for (const Words& words : printing) {
        const bool is_json = std::find(words.begin(), words.end(), "--json") != words.end();
        EXPECT_EQ(nlohmann::json::accept(run(words).out), is_json) << printed(words);
    }
}

// Results that cannot be written are no results.
TEST_F(Output, ThatDoesNotFitIsAFailureInOneLine) {
    std::vector<Words> all = printing;
    all.insert(all.end(), {{"set", "--suspect", "31s"}, {"--help"}, {"--version"}, {"members", "--help"}});
    for (const std::string redirect : {">/dev/full", ">&-"})
        for (const Words& words : all) {
            SCOPED_TRACE(printed(words) + redirect);
            expect_refused(run(words, in_shell("exec \"$@\" " + redirect)), 1, {"cannot write the results to stdout"});
        }
}

// Who has read enough had what it wanted.
TEST_F(Output, ThatIsReadInPartIsNoFailure) {
    for (Words words : std::vector<Words>{{"members"}, {"dump"}, {"stat"}, {"list"}, {"watch", "--from", "0"}, {"watch", "--json", "--from", "0"}, {"--help"}}) {
        SCOPED_TRACE(printed(words));
        const Outcome outcome = run(words, in_shell("{ \"$@\"; echo \"code $?\" >&2; } | head -n 1"));
        EXPECT_EQ(outcome.code, 0);
        EXPECT_EQ(outcome.err, "code 0\n");
        EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
    }
}

// A watch ends when its reader does, though nothing happens that it could write: before its time is over, which would be a failure.
TEST_F(Output, ThatNobodyWillReadEndsAWatch) {
    const Outcome outcome = run({"watch", "--count", "1", "--timeout", "20s"}, in_shell("{ \"$@\"; echo \"code $?\" >&2; } | true"));
    EXPECT_EQ(outcome.err, "code 0\n");
}

TEST_F(Output, IsColouredOnATerminalUnlessItsUserSaidNo) {
    const std::vector<Words> coloured{{"members"}, {"list"}, {"why", "a"}, {"watch", "--from", "0", "--count", "1"}};
    for (const Words& words : coloured) {
        SCOPED_TRACE(printed(words));
        EXPECT_THAT(shown_on_a_terminal(words, {{"TERM", "xterm"}, {"NO_COLOR", ""}}), HasSubstr("\x1b[32m"));
        EXPECT_THAT(shown_on_a_terminal(words, {{"TERM", "xterm"}, {"NO_COLOR", "1"}}), Not(HasSubstr("\x1b")));
        EXPECT_THAT(shown_on_a_terminal(words, {{"TERM", "dumb"}, {"NO_COLOR", ""}}), Not(HasSubstr("\x1b")));
        EXPECT_THAT(run(words).out, Not(HasSubstr("\x1b")));
    }
    EXPECT_THAT(shown_on_a_terminal({"members", "--json"}, {{"TERM", "xterm"}, {"NO_COLOR", ""}}), Not(HasSubstr("\x1b")));
}

// Names from elsewhere steer no terminal. Such a name cannot be typed, but an endpoint or a tag of another program's may hold anything printable.
TEST_F(Output, AlignsNamesOfAnyScript) {
    start_member("größe-東京");
    const Outcome outcome = run({"members"});
    EXPECT_THAT(outcome.out, HasSubstr("größe-東京  alive"));
    EXPECT_THAT(outcome.out, HasSubstr("a           alive"));
}

// Whoever starts an engine or a member with its descriptors closed must not find its lines in the cluster's memory.
TEST_F(Output, OfAProgramStartedWithItsDescriptorsClosedIsNotInTheMemory) {
    const How closed = in_shell("exec \"$@\" >&- 2>&- <&-");
    Process& engine = start({"run", "--cluster", "closed", "--node", "engine"}, closed);
    ASSERT_TRUE(eventually([&] { return run({"stat", "--cluster", "closed"}).code == 0 && read({"stat", "--json", "--cluster", "closed"})["engine"]["running"] == true; }));
    Process& member = start({"join", "--node", "x", "--cluster", "closed"}, closed);
    ASSERT_TRUE(eventually([&] { return observe("closed").find("x").has_value(); }));
    EXPECT_EQ(run({"set", "--suspect", "4s", "--cluster", "closed"}).code, 0);  // the engine logs that
    EXPECT_EQ(run({"evict", "x", "--cluster", "closed"}).code, 0);              // and the member, that it has joined again
    EXPECT_TRUE(eventually([&] { return observe("closed").find("x").has_value(); }));
    EXPECT_EQ(run({"dump", "--verify", "--cluster", "closed"}).code, 0);
    EXPECT_EQ(run({"members", "--cluster", "closed"}).code, 0);
    EXPECT_FALSE(engine.has_ended());
    EXPECT_FALSE(member.has_ended());
}

TEST_F(Output, OfTheLogIsAsLoudAsWasAskedFor) {
    const auto log_of = [&](const std::string& level) {
        Process& engine = start({"run", "--cluster", level, "--log-level", level, "--heartbeat", "1s", "--suspect", "2s"});
        EXPECT_TRUE(eventually([&] { return run({"stop", "--cluster", level}).code == 0; }));
        EXPECT_EQ(engine.wait(), 0);
        return said_by(engine);
    };
    EXPECT_EQ(log_of("error"), "");
    EXPECT_THAT(log_of("warning"), ::testing::StartsWith("rollcall: setting 'suspect' (2s) is shorter than 2.5 times 'heartbeat' (1s)"));
    EXPECT_THAT(log_of("info"), ::testing::AllOf(HasSubstr("is ready in"), HasSubstr("is shorter than 2.5 times"), HasSubstr("stops the engine")));
    EXPECT_THAT(run({"members", "--log-level", "error", "--cluster", "nothing-here"}).err, HasSubstr("no cluster"));
}

}  // namespace
}  // namespace rollcall::test
