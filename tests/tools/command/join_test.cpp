// `rollcall join`: what a program sees of its wrapper, what the wrapper answers for it, and what the cluster is told.
#include <csignal>
#include <filesystem>

#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using ::testing::HasSubstr;

class Join : public CommandTest {
protected:
    void SetUp() override { start_engine(); }
    // What happened last: "left:goodbye".
    std::string last_event() const {
        const std::string out = run({"watch", "--json", "--from", "0", "--timeout", "0"}).out;
        const std::size_t line = out.rfind("{\"seq\"");
        if (line == std::string::npos) return "";
        const auto event = nlohmann::json::parse(out.substr(line));
        return event["event"].get<std::string>() + ":" + event["reason"].get<std::string>();
    }
};

// The command's exit code is the wrapper's, as shells do; success is a leave, everything else a death.
TEST_F(Join, EndsAsItsCommandEnds) {
    struct Row {
        Words command;
        int code;
        const char* event;
    };
    const Row rows[] = {
        {{"true"}, 0, "left:goodbye"},
        {{"sh", "-c", "exit 7"}, 7, "dead:process_exit"},
        {{"sh", "-c", "exit 255"}, 255, "dead:process_exit"},
        {{"sh", "-c", "kill -KILL $$"}, 137, "dead:process_exit"},
        {{"sh", "-c", "kill -TERM $$"}, 143, "dead:process_exit"},
    };
    for (const Row& row : rows) {
        Words words{"join", "--node", "a", "--"};
        words.insert(words.end(), row.command.begin(), row.command.end());
        const Outcome outcome = run(words);
        EXPECT_EQ(outcome.code, row.code) << printed(words);
        EXPECT_EQ(outcome.out, "") << printed(words);
        EXPECT_EQ(outcome.err, "") << printed(words);
        EXPECT_EQ(last_event(), row.event) << printed(words);
    }
}

// What the command itself does about its files' sizes (SIGXFSZ, bit 24) is none of its programs' business, and what was in force before is.
TEST_F(Join, LetsItsCommandEndByTheLimitOfFileSizes) {
    const auto ignored = [](const Outcome& outcome) { return outcome.out.starts_with("SigIgn:") && (std::stoull(outcome.out.substr(7), nullptr, 16) >> 24 & 1) != 0; };
    const Words words{"join", "--node", "a", "--", "grep", "SigIgn", "/proc/self/status"};
    const Outcome plain = run(words);
    EXPECT_EQ(plain.code, 0) << plain.err;
    EXPECT_FALSE(ignored(plain)) << plain.out;
    EXPECT_TRUE(ignored(run(words, {.as_another_user = false, .shell = "trap '' XFSZ; exec \"$@\"", .environment = {}})));
    const Outcome watch = run({"watch", "--from", "0", "--count", "1", "--exec", "grep SigIgn /proc/self/status"});
    EXPECT_THAT(watch.out, ::testing::StartsWith("SigIgn:"));
    EXPECT_FALSE(ignored(watch)) << watch.out;
}

// A command that cannot run is said so in one line, with the codes of shells, and was a member only to leave.
TEST_F(Join, SaysWhyItsCommandDidNotRun) {
    const std::string no_program = write("not-executable", "#!/bin/sh\n"), no_interpreter = write("no-interpreter", "#!/no/such/interpreter\n");
    std::filesystem::permissions(no_interpreter, std::filesystem::perms(0755));
    const std::vector<Refused> rows{
        {{"no-such-command"}, 127, {"cannot run 'no-such-command'", "No such file or directory", "$PATH"}},
        {{folder() + "/missing"}, 127, {"cannot run '" + folder() + "/missing'", "No such file or directory"}},
        {{no_program}, 126, {"cannot run '" + no_program + "'", "Permission denied"}},
        {{folder()}, 126, {"cannot run '" + folder() + "'", "Permission denied"}},
        {{no_interpreter}, 126, {"cannot run '" + no_interpreter + "'", "interpreter"}},
    };
    for (const Refused& row : rows) {
        SCOPED_TRACE(row.words.front());
        expect_refused(run({"join", "--node", "a", "--", row.words.front()}), row.code, row.says);
        EXPECT_EQ(last_event(), "left:goodbye");
        EXPECT_FALSE(has_member("a"));
    }
}

// A program notices nothing of its wrapper: its input, its output, its arguments and its environment are its own.
TEST_F(Join, LeavesInputOutputAndArgumentsToItsCommand) {
    Process& program = start({"join", "--node", "a", "--", "sh", "-c", "read line; echo \"$line, $0 $1\"; echo wrong >&2; echo \"$ROLLCALL_TEST\"", "zero", "--help"},
                             {.as_another_user = false, .shell = {}, .environment = {{"ROLLCALL_TEST", "kept"}}});
    program.write_line("hello");
    EXPECT_EQ(program.read_line(), "hello, zero --help");
    EXPECT_EQ(program.read_line(), "kept");
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(said_by(program), "wrong\n");
}

// The command is the member: its pid, its endpoint, its tags.
TEST_F(Join, MakesTheCommandTheMember) {
    Process& program = start({"join", "--node", "a", "--endpoint", "10.0.0.5:5432", "--tag", "role=main", "--tag", "empty=", "--", "sh", "-c", "echo $$; read line"});
    const auto pid = program.read_line();
    ASSERT_TRUE(pid);
    const auto peer = read({"members", "--json"})["peers"][0];
    EXPECT_EQ(peer["pid"].dump(), *pid);
    EXPECT_EQ(peer["endpoint"], "10.0.0.5:5432");
    EXPECT_EQ(peer["tags"].dump(), R"({"empty":"","role":"main"})");
    EXPECT_EQ(peer["state"], "alive");
    EXPECT_THAT(run({"members"}).out, HasSubstr("empty=,role=main"));
    program.write_line("");
    EXPECT_EQ(program.wait(), 0);
}

// Asked to end through its wrapper, it leaves, however it then ends.
TEST_F(Join, PassesOnTheRequestToEnd) {
    for (const int signal : {SIGTERM, SIGINT}) {
        Process& program = start({"join", "--node", "a", "--", "sh", "-c", "trap 'exit 5' TERM INT; echo ready; while :; do sleep 0.01; done"});
        ASSERT_EQ(program.read_line(), "ready");
        program.signal(signal);
        EXPECT_EQ(program.wait(), 5) << signal;
        EXPECT_EQ(last_event(), "left:goodbye") << signal;
    }
}

TEST_F(Join, WithoutACommandIsAMemberUntilASignal) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        Process& member = start_member("a");
        EXPECT_EQ(said_by(member), "rollcall: joined cluster 'default' as 'a'\n");
        member.signal(signal);
        EXPECT_EQ(member.wait(), 0) << signal;
        EXPECT_EQ(last_event(), "left:goodbye") << signal;
    }
    kill(start_member("a"));
    EXPECT_TRUE(eventually([&] { return last_event() == "dead:process_exit"; }));
}

// Whoever waits for an engine can be asked to end meanwhile.
TEST_F(Join, EndsByASignalWhileItWaits) {
    for (const Words& command : {Words{}, Words{"--", "touch", folder() + "/it-ran"}}) {
        Words words{"join", "--cluster", "other", "--node", "a", "--wait", "1h"};
        words.insert(words.end(), command.begin(), command.end());
        Process& waiting = start(words);
        // It may still be on its way to where it listens for signals, so it is asked until it hears.
        ASSERT_TRUE(eventually([&] {
            waiting.signal(SIGTERM);
            return waiting.has_ended();
        }));
        EXPECT_EQ(waiting.wait(), 128 + SIGTERM);
    }
    EXPECT_FALSE(std::filesystem::exists(folder() + "/it-ran"));
}

TEST_F(Join, ReplacesALivingHolderOnRequest) {
    Process& first = start_member("a");
    Process& second = start_member("a", {"--replace"});
    EXPECT_EQ(first.wait(), 1);
    EXPECT_TRUE(is_one_line(said_by(first).substr(said_by(first).find('\n') + 1)));
    EXPECT_THAT(said_by(first), HasSubstr("another life of node 'a' has taken over"));
    EXPECT_FALSE(second.has_ended());
    EXPECT_EQ(last_event(), "joined:join");
    EXPECT_EQ(read({"members", "--json"})["peers"].size(), 1u);
}

}  // namespace
}  // namespace rollcall::test
