// Too few descriptors: an engine that may open only a few goes on, says so once, watches by silence whom it cannot watch by a pidfd, and
// lets connections wait until there is one.
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/support/other_users.hpp"

namespace rollcall::test {
namespace {

using testing::HasSubstr;

std::size_t count_of(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
}

std::uint64_t count_unwatched(const Commands& commands) {
    const std::string text = commands.run(root, {"stat", "--json"}).out, key = "\"unwatched\":";
    const std::size_t at = text.find(key);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + key.size()));
}

// The smallest number with which an engine starts; with less it says why.
int least_limit() {
    for (int limit = 6;; ++limit) {
        SCOPED_TRACE(limit);
        PrivateMemory memory;
        Commands commands;
        User poor = root;
        poor.through = {"prlimit", "--nofile=" + std::to_string(limit)};
        try {
            commands.start_engine(poor);
            return limit;
        } catch (const std::exception& e) {
            EXPECT_THAT(e.what(),
                        testing::AnyOf(HasSubstr("Too many open files"), HasSubstr("error while loading"), HasSubstr("cannot open shared")));
        }
        if (limit > 40) throw std::runtime_error("no engine starts");
    }
}

// From one descriptor to spare to a few: whichever call is the one that gets none, all six members get in sooner or later, as others leave.
TEST(Descriptors, AnEngineWithAFewOfThemServesEverybodyInTurn) {
    if (!is_root_or_says_so()) return;
    const int least = least_limit();
    std::uint64_t unwatched = 0, waits = 0;
    for (int limit = least + 1; limit <= least + 6; ++limit) {
        SCOPED_TRACE(limit);
        PrivateMemory memory;
        Commands commands;
        User poor = root;
        poor.through = {"prlimit", "--nofile=" + std::to_string(limit)};
        Process& engine = commands.start_engine(poor);
        std::vector<Process*> waiting;
        for (int i = 0; i < 6; ++i) waiting.push_back(&commands.start(root, {"join", "--node", "n" + std::to_string(i), "--wait", "60s"}, ""));
        while (!waiting.empty()) {
            std::vector<Process*>::iterator next;
            const auto has_joined = [&](const Process* one) {
                return one->has_ended() || commands.said_by(*one).find("joined cluster") != std::string::npos;
            };
            ASSERT_TRUE(eventually([&] { return (next = std::find_if(waiting.begin(), waiting.end(), has_joined)) != waiting.end(); }))
                << commands.said_by(engine);
            ASSERT_FALSE((*next)->has_ended()) << commands.said_by(**next);
            (*next)->signal(SIGTERM);
            EXPECT_EQ((*next)->wait(), 0);
            waiting.erase(next);
        }
        EXPECT_FALSE(engine.has_ended());
        waits += count_of(commands.said_by(engine), "cannot take connections, they wait: Too many open files");
        unwatched += count_unwatched(commands);
        EXPECT_EQ(commands.run(root, {"dump", "--verify"}).code, 0);
    }
    EXPECT_GT(unwatched, 0u);
    EXPECT_GT(waits, 0u);
}

}  // namespace
}  // namespace rollcall::test
