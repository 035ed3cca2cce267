// Events as people read them: what is said of each kind and reason, and the columns.
#include "tools/rollcall/event_text.hpp"

#include <gmock/gmock.h>

#include "tests/tools/rollcall/samples.hpp"

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Event of(EventKind kind, Reason reason, State state = State::alive) {
    Event e = samples::death();
    e.kind = kind;
    e.reason = reason;
    e.state = state;
    e.evidence.lost = Duration{};
    return e;
}

TEST(EventDetail, SaysWhatTheKindAloneDoesNot) {
    struct Row {
        Event event;
        const char* detail;
    };
    const Row rows[] = {
        {of(EventKind::joined, Reason::join), ""},
        {of(EventKind::joined, Reason::registered), "registered"},
        {of(EventKind::joined, Reason::heartbeat), "heard for the first time"},
        {of(EventKind::suspect, Reason::silence, State::suspect), "silent for 5.3 s, the timeout is 3s"},
        {of(EventKind::recovered, Reason::heartbeat), "heard again"},
        {of(EventKind::dead, Reason::silence, State::dead), "silent for 5.3 s, the timeout is 5s"},
        {of(EventKind::dead, Reason::replaced, State::dead), "a new life of the same node took over"},
        {of(EventKind::evicted, Reason::silence, State::none), "forgotten"},
        {of(EventKind::evicted, Reason::by_operator, State::none), "by an operator"},
        {of(EventKind::left, Reason::goodbye, State::none), "said goodbye"},
        {of(EventKind::left, Reason::by_operator, State::none), "by an operator"},
        {of(EventKind::updated, Reason::join), "endpoint or tags changed"},
        {of(EventKind::updated, Reason::silence, State::dead), "endpoint or tags changed"},
        {samples::pause(), "the detector did not look for 10 s, and counts none of it as silence"},
        {samples::gap(), "events 42 to 99 are lost to this reader"},
        {of(EventKind::none, Reason::none), ""},
    };
    for (const Row& row : rows) EXPECT_EQ(event_detail(row.event), row.detail) << to_string(row.event.kind) << ' ' << to_string(row.event.reason);
}

// What nobody was there to hear does not count, and is told apart.
TEST(EventDetail, CountsOnlyObservedSilence) {
    EXPECT_EQ(event_detail(samples::death()), "silent for 5 s, the timeout is 5s (300 ms more went unobserved)");
    Event e = samples::death();
    e.evidence.dead_timeout = Duration{};
    EXPECT_EQ(event_detail(e), "silent for 5 s (300 ms more went unobserved)");
}

TEST(EventDetail, TellsHowAProcessEnded) {
    EXPECT_EQ(event_detail(samples::exit({})), "its process ended");
    EXPECT_EQ(event_detail(samples::exit(ExitStatus{false, 0})), "its process exited with code 0");
    EXPECT_EQ(event_detail(samples::exit(ExitStatus{false, 3})), "its process exited with code 3");
    EXPECT_EQ(event_detail(samples::exit(ExitStatus{true, 9})), "its process was killed by signal 9 (KILL)");
    EXPECT_EQ(event_detail(samples::exit(ExitStatus{true, 200})), "its process was killed by signal 200");
    Event proof = samples::exit(ExitStatus{true, 9});
    proof.kind = EventKind::updated;
    EXPECT_EQ(event_detail(proof), "proof of its death: its process was killed by signal 9 (KILL)");
}

TEST(EventLines, StandInColumnsThatGrow) {
    EventLines lines{Palette(false)};
    Event e = of(EventKind::recovered, Reason::heartbeat);
    e.wall_us = 0;
    const std::string no_time(12, ' ');
    EXPECT_EQ(lines.line(e), no_time + "      41  recovered  worker-1      heard again");
    samples::set_node(e, "a-node-with-a-long-name");
    EXPECT_EQ(lines.line(e), no_time + "      41  recovered  a-node-with-a-long-name  heard again");
    samples::set_node(e, "worker-1");
    EXPECT_EQ(lines.line(e), no_time + "      41  recovered  worker-1                 heard again");
    e.sequence = Sequence{1'234'567'890};
    EXPECT_THAT(lines.line(e), HasSubstr("  1234567890  recovered  "));
}

TEST(EventLines, NameNoNodeOfAPauseOrAGap) {
    EventLines lines{Palette(false)};
    EXPECT_THAT(lines.line(samples::pause()), HasSubstr("  paused     -             the detector did not look"));
    EXPECT_THAT(lines.line(samples::gap()), HasSubstr("      99  gap        -             events 42 to 99"));
    EXPECT_THAT(lines.line(samples::pause()), Not(HasSubstr("worker-1")));
}

TEST(EventLines, EndWithTheNodeWhereThereIsNothingToAdd) {
    EXPECT_THAT(EventLines(Palette(false)).line(of(EventKind::joined, Reason::join)), EndsWith("  joined     worker-1"));
}

TEST(EventLines, LetNoNodeBreakALine) {
    Event e = of(EventKind::joined, Reason::join);
    samples::set_node(e, "a\n\x1b[2J\xFF");
    const std::string line = EventLines(Palette(false)).line(e);
    EXPECT_THAT(line, EndsWith("a??[2J\xEF\xBF\xBD"));
    EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(EventLines, PaintTheKindWhereColoursAreWanted) {
    EXPECT_THAT(EventLines(Palette(true)).line(samples::death()), HasSubstr("\x1b[31mdead     \x1b[0m"));
    EXPECT_THAT(EventLines(Palette(false)).line(samples::death()), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace rollcall::cli
