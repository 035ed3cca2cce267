// The demo's script: what must happen, in order, and nothing else.
#include "tools/rollcall/demo/script.hpp"

#include <cstring>

#include <gmock/gmock.h>

namespace rollcall::cli::demo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Event event(EventKind kind, std::string_view node, Reason reason = Reason::join) {
    Event e;
    e.kind = kind;
    e.reason = reason;
    e.name[0] = static_cast<char>(node.size());
    std::memcpy(e.name.data() + 1, node.data(), node.size());
    return e;
}

Script of(std::vector<Expected> all) {
    Script script;
    for (Expected& e : all) script.expect(std::move(e));
    return script;
}

TEST(Script, IsCompleteWhenEverythingCameInOrder) {
    Script script = of({{EventKind::joined, "a"}, {EventKind::dead, "a", Reason::process_exit}});
    EXPECT_FALSE(script.is_complete());
    EXPECT_TRUE(script.accept(event(EventKind::joined, "a")));
    EXPECT_FALSE(script.is_complete());
    EXPECT_TRUE(script.accept(event(EventKind::dead, "a", Reason::process_exit)));
    EXPECT_TRUE(script.is_complete());
    EXPECT_FALSE(script.has_failed());
    EXPECT_EQ(script.seen().size(), 2u);
}

TEST(Script, IsCompleteFromTheStartIfNothingIsExpected) { EXPECT_TRUE(Script().is_complete()); }

// Extra, missing, out of order, of another node, for another reason: each is a failure at once, and for ever.
TEST(Script, FailsAtTheFirstDifferenceForEver) {
    const Event wrong[] = {
        event(EventKind::suspect, "a"),
        event(EventKind::dead, "b", Reason::process_exit),
        event(EventKind::dead, "a", Reason::silence),
        event(EventKind::gap, "a"),
    };
    for (const Event& next : wrong) {
        Script script = of({{EventKind::joined, "a"}, {EventKind::dead, "a", Reason::process_exit}});
        ASSERT_TRUE(script.accept(event(EventKind::joined, "a")));
        EXPECT_FALSE(script.accept(next));
        EXPECT_TRUE(script.has_failed());
        EXPECT_FALSE(script.accept(event(EventKind::dead, "a", Reason::process_exit)));
        EXPECT_FALSE(script.is_complete());
    }
}

TEST(Script, FailsWhenMoreComesThanWasExpected) {
    Script script = of({{EventKind::joined, "a"}});
    ASSERT_TRUE(script.accept(event(EventKind::joined, "a")));
    EXPECT_FALSE(script.accept(event(EventKind::joined, "b")));
    EXPECT_FALSE(script.is_complete());
}

TEST(Script, GoesOnWhereMoreIsExpectedLater) {
    Script script = of({{EventKind::joined, "a"}});
    ASSERT_TRUE(script.accept(event(EventKind::joined, "a")));
    script.expect({EventKind::left, "a", Reason::goodbye});
    EXPECT_FALSE(script.is_complete());
    EXPECT_TRUE(script.accept(event(EventKind::left, "a", Reason::goodbye)));
    EXPECT_TRUE(script.is_complete());
}

// A pause is nobody's, whatever lies in the event's name; a reason that is not named is any.
TEST(Script, KnowsEventsOfNobodyAndOfAnyReason) {
    Script script = of({{EventKind::paused, ""}, {EventKind::dead, "a"}});
    EXPECT_TRUE(script.accept(event(EventKind::paused, "left over", Reason::none)));
    EXPECT_TRUE(script.accept(event(EventKind::dead, "a", Reason::replaced)));
    EXPECT_TRUE(script.is_complete());
}

TEST(Script, MarksTheFirstDifferenceInItsComparison) {
    Script script = of({{EventKind::joined, "a"}, {EventKind::dead, "a", Reason::process_exit}, {EventKind::joined, "b"}});
    script.accept(event(EventKind::joined, "a"));
    script.accept(event(EventKind::left, "a", Reason::goodbye));
    const std::string text = script.comparison();
    EXPECT_THAT(text, HasSubstr("  ->  dead a (process_exit)               left a (goodbye)\n"));
    EXPECT_THAT(text, HasSubstr("      joined a                            joined a (join)\n"));
    EXPECT_THAT(text, HasSubstr("      joined b                            nothing\n"));
    EXPECT_EQ(text.find("->"), text.rfind("->"));
}

TEST(Script, MarksWhatIsMissingAndWhatIsTooMuch) {
    EXPECT_THAT(of({{EventKind::joined, "a"}}).comparison(), HasSubstr("  ->  joined a                            nothing\n"));
    Script none;
    none.accept(event(EventKind::joined, "a\nb"));
    EXPECT_THAT(none.comparison(), HasSubstr("  ->  nothing                             joined a?b (join)\n"));
    Script good = of({{EventKind::joined, "a"}});
    good.accept(event(EventKind::joined, "a"));
    EXPECT_THAT(good.comparison(), Not(HasSubstr("->")));
}

}  // namespace
}  // namespace rollcall::cli::demo
