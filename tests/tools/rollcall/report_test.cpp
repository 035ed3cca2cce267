// Exit codes by kind of error, log levels, and the one line that an error is.
#include "tools/rollcall/report.hpp"

#include <gtest/gtest.h>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/notify_socket.hpp"
#include "tools/rollcall/state_names.hpp"
#include "tools/rollcall/timespec.hpp"

#include <unistd.h>

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;

TEST(ExitCode, FollowsTheKindOfTheError) {
    struct Row {
        ErrorKind kind;
        int code;
    };
    const Row rows[] = {
        {ErrorKind::invalid, 2},  {ErrorKind::no_cluster, 3}, {ErrorKind::no_engine, 3},    {ErrorKind::held, 1},         {ErrorKind::full, 1},
        {ErrorKind::refused, 1},  {ErrorKind::replaced, 1},   {ErrorKind::unknown_node, 1}, {ErrorKind::incompatible, 1}, {ErrorKind::damaged, 1},
        {ErrorKind::timeout, 1},  {ErrorKind::busy, 1},       {ErrorKind::system, 1},
    };
    for (const Row& row : rows) EXPECT_EQ(exit_code(row.kind), row.code) << static_cast<int>(row.kind);
}

TEST(Report, IsOneSafeLineOnStderr) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(report({ErrorKind::held, "node 'a\nb\x1b[31m' is held"}), 1);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "rollcall: node 'a?b?[31m' is held\n");
}

TEST(Report, SendsWrongUsageToTheHelpOfItsSubcommand) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(usage_error("watch", "option --count needs a value"), 2);
    EXPECT_EQ(usage_error("", "unknown subcommand 'x'"), 2);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "rollcall: option --count needs a value, see 'rollcall watch --help'\nrollcall: unknown subcommand 'x', see 'rollcall --help'\n");
}

TEST(LogLevel, ShowsItselfAndWhatIsMoreUrgent) {
    const LogLevel all[] = {LogLevel::error, LogLevel::warning, LogLevel::info, LogLevel::debug};
    for (const LogLevel shown : all) {
        set_log_level(shown);
        for (const LogLevel level : all) EXPECT_EQ(is_shown(level), level <= shown);
    }
    set_log_level(LogLevel::warning);
    ::testing::internal::CaptureStderr();
    log(LogLevel::info, "not shown");
    log(LogLevel::warning, "shown");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "rollcall: shown\n");
    set_log_level(LogLevel::info);
}

TEST(LogLevel, IsReadByNameAlone) {
    EXPECT_EQ(parse_log_level("error"), LogLevel::error);
    EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
    EXPECT_EQ(parse_log_level("info"), LogLevel::info);
    EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
    for (const char* text : {"", "Error", "warn", "0", "info "}) EXPECT_FALSE(parse_log_level(text)) << text;
}

TEST(StateName, IsOneOfThreeThatPeopleType) {
    EXPECT_EQ(parse_state("alive"), State::alive);
    EXPECT_EQ(parse_state("suspect"), State::suspect);
    EXPECT_EQ(parse_state("dead"), State::dead);
    for (const char* text : {"", "none", "gone", "Alive", "suspected"}) EXPECT_FALSE(parse_state(text)) << text;
}

TEST(Timespec, SplitsADurationAndKnowsNoLessThanNothing) {
    EXPECT_EQ(to_timespec(1500ms).tv_sec, 1);
    EXPECT_EQ(to_timespec(1500ms).tv_nsec, 500'000'000);
    EXPECT_EQ(to_timespec(-1ns).tv_sec, 0);
    EXPECT_EQ(to_timespec(-1ns).tv_nsec, 0);
    EXPECT_EQ(to_timespec(Duration::max()).tv_sec, 9'223'372'036);
}

// A whole line counts, no part of one.
TEST(Notification, SaysWhatOneOfItsLinesIs) {
    Notification n;
    n.text = "READY=1\nSTATUS=WATCHDOG=1\nSTOPPING=10\n";
    EXPECT_TRUE(n.says("READY=1"));
    EXPECT_TRUE(n.says("STATUS=WATCHDOG=1"));
    EXPECT_FALSE(n.says("WATCHDOG=1"));
    EXPECT_FALSE(n.says("STOPPING=1"));
    n.text = "WATCHDOG=1";
    EXPECT_TRUE(n.says("WATCHDOG=1"));
    n.text.clear();
    EXPECT_FALSE(n.says("WATCHDOG=1"));
}

TEST(Notification, ComesFromTheProgramItsUserOrRoot) {
    Notification n;
    n.pid = 77;
    n.uid = ::geteuid() + 1000;
    EXPECT_TRUE(may_speak_for(77, n));
    EXPECT_FALSE(may_speak_for(78, n));
    n.uid = ::geteuid();
    EXPECT_TRUE(may_speak_for(78, n));
    n.uid = 0;
    EXPECT_TRUE(may_speak_for(78, n));
    n.pid = 0;
    n.uid = static_cast<uid_t>(-1);
    EXPECT_FALSE(may_speak_for(0, n));
}

}  // namespace
}  // namespace rollcall::cli
