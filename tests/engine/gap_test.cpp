// An observer that sleeps through more than the ring holds misses events once, is told so once, and is right again at the end.
#include <algorithm>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/observer.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;

// An engine in a folder, and an observer that maps it as any other process would.
class Sleep : public testing::Test {
protected:
    Sleep() : core({.capacity = 32, .ring = 64, .dir = folder.path()}), observer(attach({})) {}
    Observer attach(std::optional<std::uint64_t> after) {
        auto attached = Observer::attach({.cluster = "test", .dir = folder.path(), .after = after});
        if (!attached) throw std::runtime_error(attached.error().message);
        return std::move(*attached);
    }
    // Exactly so many events: joins, leaves, updates, deaths.
    void publish(int events) {
        const Sequence wanted = core.checkpoint().head + static_cast<std::uint64_t>(events);
        for (; core.checkpoint().head < wanted; ++turn_) {
            const std::string node = "n" + std::to_string(turn_ % 11);
            if (!core.find(node)) core.join(node, "at " + std::to_string(turn_));
            else if (turn_ % 3 == 0) update(node);
            else if (turn_ % 7 == 0 && core.peer(node).state != State::dead) core.exit(node);
            else core.leave(node);
            core.advance(2ms);
        }
    }
    void update(const std::string& node) {
        Request request = TimedCore::about(node, Request::Kind::update);
        request.endpoint = "moved at " + std::to_string(turn_);
        core.ask(std::move(request));
    }
    static std::string text_of(const Peer& p) {
        return p.node + ' ' + std::string(to_string(p.state)) + ' ' + std::to_string(p.incarnation.value) + ' ' + std::to_string(p.slot.value) + ' ' + std::to_string(p.last_event.value) + ' ' + p.endpoint;
    }
    std::vector<std::string> roster() {
        std::vector<std::string> texts;
        for (const Peer& peer : core.peers()) texts.push_back(text_of(peer));
        std::sort(texts.begin(), texts.end());
        return texts;
    }
    static std::vector<std::string> texts_of(const View& view) {
        std::vector<std::string> texts;
        for (const auto& [node, peer] : view.peers()) texts.push_back(text_of(peer));
        std::sort(texts.begin(), texts.end());
        return texts;
    }

    TemporaryFolder folder;
    TimedCore core;
    Observer observer;

private:
    int turn_ = 0;
};

// Every length of sleep from none to twice the ring.
TEST_F(Sleep, OfAnyLengthEndsInAtMostOneGapAndTheRightView) {
    View view;
    ASSERT_TRUE(view.resync(observer));
    for (int length = 0; length <= 130; ++length) {
        publish(length);
        int gaps = 0, events = 0;
        while (const auto event = observer.poll()) {
            event->kind == Event::gap ? ++gaps : ++events;
            ASSERT_TRUE(view.apply(*event, observer));
        }
        if (length <= 48) {
            EXPECT_EQ(events, length);
            EXPECT_EQ(gaps, 0) << "a quarter of the ring may be under way, three quarters are safe";
        }
        EXPECT_GE(gaps, length > 64 ? 1 : 0) << "after " << length;
        EXPECT_LE(gaps, 1) << "after " << length;
        EXPECT_EQ(view.at(), core.checkpoint().head);
        EXPECT_EQ(view.number(), core.checkpoint().view);
        EXPECT_EQ(texts_of(view), roster()) << "after " << length;
    }
}

// What the gap says is true: nothing before it is missing, nothing after it.
TEST_F(Sleep, GapNamesExactlyWhatIsMissing) {
    Sequence last = core.checkpoint().head;
    for (int length = 0; length <= 130; ++length) {
        publish(length);
        while (const auto event = observer.poll()) {
            if (event->kind == Event::gap) {
                EXPECT_EQ(event->from, last + 1);
                EXPECT_GE(event->to, event->from);
                EXPECT_EQ(event->sequence, event->to);
                EXPECT_EQ(event->stream, observer.info().stream);
                last = event->to;
            } else {
                EXPECT_EQ(event->sequence, last + 1);
                last = event->sequence;
            }
        }
        EXPECT_EQ(last, core.checkpoint().head);
    }
}

// One that comes back names what it saw last.
TEST_F(Sleep, ComingBackIsLikeHavingSlept) {
    for (int length = 0; length <= 130; length += 5) {
        const Sequence seen = core.checkpoint().head;
        publish(length);
        Observer back = attach(seen.value);
        Sequence last = seen;
        int gaps = 0;
        while (const auto event = back.poll()) {
            gaps += event->kind == Event::gap;
            EXPECT_EQ(event->kind == Event::gap ? event->from : event->sequence, last + 1);
            last = event->sequence;
        }
        EXPECT_EQ(gaps, length > 64 ? 1 : 0) << "after " << length;
        EXPECT_EQ(last, core.checkpoint().head);
    }
}

TEST_F(Sleep, ComingBackFromTheFutureOrFromAnotherStreamIsOneGap) {
    publish(10);
    Observer future = attach(1000);
    auto event = future.poll();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, Event::gap);
    EXPECT_EQ(event->to, core.checkpoint().head);
    EXPECT_FALSE(future.poll());
    auto other = Observer::attach({.cluster = "test", .dir = folder.path(), .after = 5, .stream = 4711});
    ASSERT_TRUE(other);
    event = other->poll();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, Event::gap);
    EXPECT_FALSE(other->poll());
}

TEST_F(Sleep, FromTheBeginningMeansAllThatIsLeft) {
    publish(40);
    Observer all = attach(0);
    for (std::uint64_t s = 1; s <= 40; ++s) {
        const auto event = all.poll();
        ASSERT_TRUE(event);
        EXPECT_EQ(event->sequence, Sequence{s});
        EXPECT_NE(event->kind, Event::gap);
    }
    EXPECT_FALSE(all.poll());
}

// Events of pauses are in the stream too, and change nobody.
TEST_F(Sleep, PausesDoNotDisturbTheView) {
    View view;
    publish(5);
    ASSERT_TRUE(view.resync(observer));
    core.step_after(2s);
    const auto event = observer.poll();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, Event::paused);
    ASSERT_TRUE(view.apply(*event, observer));
    EXPECT_EQ(view.at(), core.checkpoint().head);
    EXPECT_EQ(texts_of(view), roster());
}

// A program that polls late: the events' endpoints are gone, but the view is told by later events, never by somebody else's endpoint.
TEST_F(Sleep, ViewNeverTakesAnotherPeersEndpoint) {
    View view;
    core.join("a", "first");
    core.join("b", "other");
    ASSERT_TRUE(view.resync(observer));
    for (int i = 0; i < 20; ++i) {
        Request request = TimedCore::about(i % 2 == 0 ? "a" : "b", Request::Kind::update);
        request.endpoint = (i % 2 == 0 ? "a" : "b") + std::to_string(i);
        core.ask(std::move(request));
    }
    while (const auto event = observer.poll()) {
        ASSERT_TRUE(view.apply(*event, observer));
        const std::string a = view.find("a")->endpoint, b = view.find("b")->endpoint;
        EXPECT_TRUE(a == "first" || a[0] == 'a') << a;
        EXPECT_TRUE(b == "other" || b[0] == 'b') << b;
    }
    EXPECT_EQ(view.find("a")->endpoint, "a18");
    EXPECT_EQ(view.find("b")->endpoint, "b19");
}

}  // namespace
}  // namespace rollcall::test
