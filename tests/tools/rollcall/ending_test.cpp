// What the end of a wrapped program means, and what its wrapper exits with.
#include "tools/rollcall/ending.hpp"

#include <gtest/gtest.h>

#include "tools/rollcall/signal_feed.hpp"

namespace rollcall::cli {
namespace {

constexpr ExitStatus exited(std::uint8_t code) { return {false, code}; }
constexpr ExitStatus killed(std::uint8_t signal) { return {true, signal}; }

// Success, and whatever was asked for, is a leave; the rest is a death. A hang-up counts only if the program dies of it.
TEST(Ending, IsAGoodbyeOnlyIfItWasMeant) {
    struct Row {
        const char* what;
        ExitStatus status;
        Requests requests;
        bool is_goodbye;
    };
    const Row rows[] = {
        {"success", exited(0), {}, true},
        {"failure", exited(1), {}, false},
        {"crash", killed(SIGSEGV), {}, false},
        {"killed", killed(SIGKILL), {}, false},
        {"terminated by somebody else", killed(SIGTERM), {}, false},
        {"asked to end, died of it", killed(SIGTERM), {.to_end = true}, true},
        {"asked to end, exited with an error", exited(1), {.to_end = true}, true},
        {"asked to end, then killed by force", killed(SIGKILL), {.to_end = true}, true},
        {"said that it was stopping, exited with an error", exited(3), {.stopping = true}, true},
        {"said that it was stopping, crashed", killed(SIGABRT), {.stopping = true}, true},
        {"hung up, died of it", killed(SIGHUP), {.hung_up = true}, true},
        {"hung up, lived on, failed later", exited(1), {.hung_up = true}, false},
        {"hung up, lived on, was killed later", killed(SIGKILL), {.hung_up = true}, false},
        {"died of a hang-up that did not come through the wrapper", killed(SIGHUP), {}, false},
        {"exited with the number of SIGHUP", exited(SIGHUP), {.hung_up = true}, false},
    };
    for (const Row& row : rows) EXPECT_EQ(is_goodbye(row.status, row.requests), row.is_goodbye) << row.what;
}

TEST(Ending, HasTheExitCodeOfAShell) {
    EXPECT_EQ(exit_code_of(exited(0)), 0);
    EXPECT_EQ(exit_code_of(exited(7)), 7);
    EXPECT_EQ(exit_code_of(exited(255)), 255);
    EXPECT_EQ(exit_code_of(killed(SIGKILL)), 137);
    EXPECT_EQ(exit_code_of(killed(SIGTERM)), 143);
    EXPECT_EQ(exit_code_of(killed(SIGSEGV)), 139);
}

TEST(Signal, AsksToEndUnlessItWasToBeIgnored) {
    struct Row {
        Signal signal;
        bool asks;
    };
    const Row rows[] = {
        {{SIGTERM, false, false}, true},  {{SIGINT, true, false}, true},    {{SIGQUIT, false, false}, true}, {{SIGHUP, true, false}, true},
        {{SIGUSR1, false, false}, false}, {{SIGCHLD, false, false}, false}, {{SIGWINCH, true, false}, false},
        {{SIGINT, true, true}, false},   // a script's background job and Ctrl-C
        {{SIGINT, false, true}, true},   // sent on purpose
        {{SIGTERM, false, true}, true},
        {{SIGHUP, true, true}, false},   // nohup
        {{SIGHUP, false, true}, false},
    };
    for (const Row& row : rows) EXPECT_EQ(row.signal.asks_to_end(), row.asks) << row.signal.number << row.signal.from_terminal << row.signal.was_ignored;
}

}  // namespace
}  // namespace rollcall::cli
