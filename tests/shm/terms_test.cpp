// The words for states, grounds and events: numbers that are part of the layout, names that are part of the output.
#include "shm/terms.hpp"

#include <gtest/gtest.h>

namespace rollcall {
namespace {

TEST(Terms, KeepTheirNumbersAndNames) {
    const std::string_view states[] = {"none", "alive", "suspect", "dead"};
    const std::string_view reasons[] = {"none", "join", "registered", "heartbeat", "silence", "process_exit", "goodbye", "replaced", "operator"};
    const std::string_view kinds[] = {"none", "joined", "suspect", "recovered", "dead", "evicted", "left", "updated", "paused", "gap"};
    for (std::size_t i = 0; i < std::size(states); ++i) EXPECT_EQ(to_string(static_cast<State>(i)), states[i]);
    for (std::size_t i = 0; i < std::size(reasons); ++i) EXPECT_EQ(to_string(static_cast<Reason>(i)), reasons[i]);
    for (std::size_t i = 0; i < std::size(kinds); ++i) EXPECT_EQ(to_string(static_cast<EventKind>(i)), kinds[i]);
}

TEST(Terms, UnknownNumbersReadAsNone) {
    EXPECT_EQ(to_string(static_cast<State>(7)), "none");
    EXPECT_EQ(to_string(static_cast<Reason>(255)), "none");
    EXPECT_EQ(to_string(static_cast<EventKind>(255)), "none");
}

TEST(Terms, EveryDeathButThatOfSilenceIsProven) {
    for (int reason = 0; reason <= 8; ++reason) {
        const auto r = static_cast<Reason>(reason);
        EXPECT_EQ(is_proof(State::dead, r), r != Reason::silence);
        for (const State s : {State::none, State::alive, State::suspect}) EXPECT_FALSE(is_proof(s, r));
    }
}

TEST(Terms, TheViewIsRaisedByJoinsDeathsDeparturesAndTheRecoveryOfADeadPeer) {
    for (const State before : {State::none, State::alive, State::suspect, State::dead}) {
        for (const EventKind kind : {EventKind::joined, EventKind::dead, EventKind::evicted, EventKind::left}) EXPECT_TRUE(raises_view(kind, before));
        for (const EventKind kind : {EventKind::suspect, EventKind::updated, EventKind::paused, EventKind::gap, EventKind::none}) EXPECT_FALSE(raises_view(kind, before));
        EXPECT_EQ(raises_view(EventKind::recovered, before), before == State::dead);
    }
}

}  // namespace
}  // namespace rollcall
