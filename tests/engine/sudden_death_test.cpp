// An engine is killed at whatever instruction it stands, again and again, in the middle of a flood of changes. Whoever opens the folder
// next finds it in order, goes on with the same numbers, and has lost nothing; an observer that looked on all the time agrees.
#include <algorithm>
#include <csignal>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/client/observer.hpp"
#include "shm/verify.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;
using testing::IsEmpty;

constexpr std::uint32_t capacity = 48, ring = 256;

// A life full of changes; nobody but SIGKILL ends it.
[[noreturn]] void live(const EngineSetup& setup, unsigned seed) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::mt19937 random(seed);
    TimedCore core(setup);
    const auto node = [&] { return "n" + std::to_string(random() % 60); };
    for (;;) {
        for (int i = 0; i < 8; ++i) {
            const auto kind = random() % 8;
            if (kind < 4) {
                Request join = TimedCore::join_request(node(), 1 + static_cast<std::uint32_t>(random() % 6), std::string(random() % 50, 'e'));
                join.token = random();
                join.may_replace = join.is_operator = true;
                core.put(std::move(join));
            } else if (kind == 4) {
                Request update = TimedCore::about(node(), Request::Kind::update);
                update.endpoint = std::string(random() % 50, 'u');
                core.put(std::move(update));
            } else {
                core.put(TimedCore::about(node(), kind == 5 ? Request::Kind::leave : kind == 6 ? Request::Kind::exited : Request::Kind::evict));
            }
        }
        for (int i = 0; i < 10; ++i) core.beat(node());
        core.step_after(std::chrono::milliseconds(random() % 8 == 0 ? 900 : random() % 100));
    }
}

class SuddenDeath : public testing::Test {
protected:
    SuddenDeath() { TimedCore first(setup); }
    // Returns when the child has been killed, somewhere behind its next `events` events.
    void live_and_die(unsigned seed, std::uint64_t events, Observer& observer, View& view) {
        const Sequence wanted = observer.info().head + events;
        const pid_t child = ::fork();
        if (child == 0) live(setup, seed);
        while (observer.info().head < wanted) follow(observer, view);
        for (unsigned i = 0; i < seed * 37 % 1000; ++i) (void)observer.is_stale();
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        setup.start = observer.info().last_step + 1s;  // no earlier than its last instant
    }
    void follow(Observer& observer, View& view) {
        while (const auto event = observer.poll()) {
            EXPECT_TRUE(event->kind == Event::gap ? event->from == last + 1 : event->sequence == last + 1) << "a hole before " << event->sequence.value;
            const auto applied = view.apply(*event, observer);
            EXPECT_TRUE(applied) << applied.error().message;
            last = std::max(event->sequence, view.at());
        }
    }
    static std::string text_of(const Peer& p) {
        return p.node + ' ' + std::string(to_string(p.state)) + ' ' + std::to_string(p.incarnation.value) + ' ' + std::to_string(p.generation.value) + ' ' + std::to_string(p.last_event.value) + ' ' + p.endpoint + '\n';
    }
    static std::string text_of(std::vector<Peer> peers) {
        std::sort(peers.begin(), peers.end(), [](const Peer& a, const Peer& b) { return a.node < b.node; });
        std::string text;
        for (const Peer& peer : peers) text += text_of(peer);
        return text;
    }
    static std::string text_of(const View& view) {
        std::string text;
        for (const auto& [node, peer] : view.peers()) text += text_of(peer);
        return text;
    }

    TemporaryFolder folder;
    EngineSetup setup{.settings = {1s, 3s, 5s, 8s, 10ms}, .capacity = capacity, .ring = ring, .dir = folder.path()};
    Sequence last{};
};

TEST_F(SuddenDeath, AtAnyInstructionLeavesAMemoryInOrder) {
    auto observer = Observer::attach({.cluster = "test", .dir = folder.path()});
    ASSERT_TRUE(observer);
    View view;
    ASSERT_TRUE(view.resync(*observer));
    std::mt19937 random(1);
    for (unsigned death = 1; death <= 60; ++death) {
        SCOPED_TRACE(death);
        live_and_die(death, 1 + random() % 300, *observer, view);
        ASSERT_TRUE(view.resync(*observer)) << "a dead engine's memory can be read";
        last = view.at();
        auto opened = engine::Core::open({"test", "engine", "here", folder.path(), setup.settings, 0, 0, {}}, setup.start, wall_origin_us);
        ASSERT_TRUE(opened) << opened.error().message;
        ASSERT_TRUE((*opened)->has_adopted()) << (*opened)->why_replaced();
        EXPECT_THAT(shm::verify((*opened)->roster(), to_stamp(setup.start, (*opened)->roster().base_ns())).broken, IsEmpty());
        auto present = Observer::attach({.cluster = "test", .dir = folder.path()})->snapshot();
        ASSERT_TRUE(present);
        follow(*observer, view);
        EXPECT_EQ(text_of(view), text_of(*present));
        if (HasFailure()) break;
    }
    TimedCore core(setup);
    for (const Peer& peer : core.peers()) core.leave(peer.node);
    core.advance(10ms);
    core.take();
    for (std::uint32_t i = 0; i < capacity; ++i) EXPECT_FALSE(core.join("fresh-" + std::to_string(i)).error) << "a slot was lost";
    EXPECT_LE(core.roster().header().blob_extents_used.load(), 10u) << "blobs were lost";
}

}  // namespace
}  // namespace rollcall::test
