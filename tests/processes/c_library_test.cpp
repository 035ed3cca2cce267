// The library for C, as a program of C sees it: real engines, handles, errors, and structures of other versions.
#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <rollcall/rollcall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/failing_allocation.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StrEq;

constexpr std::int64_t a_while = std::chrono::nanoseconds(patience).count();

class CLibrary : public ::testing::Test {
protected:
    // Nobody beats here but where a test says so.
    void SetUp() override { cluster.start_engine({"--heartbeat", "100ms", "--suspect", "20s", "--dead", "30s", "--evict", "40s", "--scan", "5ms"}); }
    void TearDown() override {
        rollcall_view_free(view);
        rollcall_observer_free(observer);
        rollcall_member_free(me);
    }

    rollcall_member_options member_options(const char* node) const {
        rollcall_member_options o{};
        o.size = sizeof o;
        o.node = node;
        o.dir = cluster.dir().c_str();
        return o;
    }
    rollcall_observer_options observer_options() const {
        rollcall_observer_options o{};
        o.size = sizeof o;
        o.dir = cluster.dir().c_str();
        return o;
    }
    void join(const char* node) {
        const auto o = member_options(node);
        me = rollcall_join(&o, &error);
        ASSERT_NE(me, nullptr) << error.message;
    }
    void observe() {
        const auto o = observer_options();
        observer = rollcall_observe(&o, &error);
        ASSERT_NE(observer, nullptr) << error.message;
    }
    void open_view() {
        const auto o = observer_options();
        view = rollcall_view_open(&o, &error);
        ASSERT_NE(view, nullptr) << error.message;
    }
    // The next of this kind that the view is told.
    rollcall_event until(int kind) {
        rollcall_event e{};
        while (rollcall_view_next(view, a_while, &e, sizeof e, &error) == 1)
            if (e.kind == kind) return e;
        ADD_FAILURE() << "no " << rollcall_event_name(kind) << ": " << error.message;
        return {};
    }

    TemporaryCluster cluster;
    std::atomic<bool> waiting{false};
    rollcall_error error{};
    rollcall_member* me = nullptr;
    rollcall_observer* observer = nullptr;
    rollcall_view* view = nullptr;
};

TEST_F(CLibrary, AMemberIsSeenWithAllThatItSaidOfItself) {
    const rollcall_tag tags[]{{"role", "main"}, {"zone", "a"}};
    auto o = member_options("a");
    o.endpoint = "here:1";
    o.tags = tags;
    o.tag_count = 2;
    me = rollcall_join(&o, &error);
    ASSERT_NE(me, nullptr) << error.message;
    EXPECT_EQ(rollcall_beat(me), ROLLCALL_BEAT_COUNTED);
    EXPECT_STREQ(rollcall_member_node(me), "a");
    EXPECT_EQ(rollcall_member_interval(me), 100'000'000);
    EXPECT_EQ(rollcall_member_suspect_timeout(me), 20'000'000'000);

    observe();
    rollcall_peers* peers = rollcall_snapshot(observer, &error);
    ASSERT_NE(peers, nullptr) << error.message;
    ASSERT_EQ(rollcall_peers_count(peers), 1u);
    EXPECT_EQ(rollcall_peers_get(peers, 1), nullptr);
    const rollcall_peer* p = rollcall_peers_get(peers, 0);
    EXPECT_STREQ(p->node, "a");
    EXPECT_STREQ(p->endpoint, "here:1");
    ASSERT_EQ(p->tag_count, 2u);
    EXPECT_STREQ(p->tags[1].key, "zone");
    EXPECT_STREQ(p->tags[1].value, "a");
    EXPECT_EQ(p->state, ROLLCALL_STATE_ALIVE);
    EXPECT_EQ(p->reason, ROLLCALL_REASON_JOIN);
    EXPECT_EQ(p->pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(p->incarnation, rollcall_member_incarnation(me));
    EXPECT_EQ(p->stall_guard, nullptr);
    EXPECT_EQ(p->last_event, rollcall_peers_sequence(peers));
    rollcall_peers_free(peers);

    rollcall_info info{};
    rollcall_get_info(observer, &info, sizeof info);
    EXPECT_STREQ(info.cluster, "default");
    EXPECT_STREQ(info.engine_version, rollcall_version());
    EXPECT_TRUE(info.running);
    EXPECT_EQ(info.heartbeat_ns, 100'000'000);
    EXPECT_EQ(info.peers_joined, 1u);
}

TEST_F(CLibrary, AnObserverIsToldOfEachEvent) {
    observe();
    join("a");
    ASSERT_EQ(rollcall_set_endpoint(me, "there", &error), ROLLCALL_OK) << error.message;
    ASSERT_EQ(rollcall_leave(me, &error), ROLLCALL_OK) << error.message;
    EXPECT_EQ(rollcall_beat(me), ROLLCALL_BEAT_EVICTED);
    EXPECT_EQ(rollcall_rejoin(me, &error), ROLLCALL_INVALID);
    EXPECT_THAT(error.message, HasSubstr("has left"));
    std::string story;
    rollcall_event e;
    ASSERT_EQ(rollcall_wait(observer, a_while), 1);
    while (rollcall_poll(observer, &e, sizeof e) == 1) story += std::string(rollcall_event_name(e.kind)) + ":" + rollcall_reason_name(e.reason) + ":" + e.node + " ";
    EXPECT_EQ(story, "joined:join:a updated:join:a left:goodbye:a ") << "of " << rollcall_state_name(e.state);
    EXPECT_EQ(rollcall_wait(observer, 1'000'000), 0);
}

TEST_F(CLibrary, AViewOutlivesEnginesAndMemories) {
    open_view();
    join("a");
    ASSERT_EQ(rollcall_start_beating(me, &error), ROLLCALL_OK);
    EXPECT_THAT(until(ROLLCALL_EVENT_JOINED).node, StrEq("a"));
    rollcall_peers* found = rollcall_view_find(view, "a", &error);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(rollcall_peers_get(found, 0)->state, ROLLCALL_STATE_ALIVE);
    rollcall_peers_free(found);

    Process other = cluster.puppet();
    other.ask("join b");
    other.signal(SIGKILL);
    const rollcall_event dead = until(ROLLCALL_EVENT_DEAD);
    EXPECT_THAT(dead.node, StrEq("b"));
    EXPECT_EQ(dead.reason, ROLLCALL_REASON_PROCESS_EXIT);

    cluster.kill_engine();
    ASSERT_EQ(cluster.run({"stop", "--remove"}).code, 0);
    SetUp();
    until(ROLLCALL_EVENT_GAP);
    ASSERT_TRUE(eventually([&] {
        rollcall_event e;
        while (rollcall_view_next(view, 0, &e, sizeof e, &error) == 1) {}
        rollcall_peers* peers = rollcall_view_peers(view, &error);
        const bool is_back = rollcall_peers_count(peers) == 1 && std::strcmp(rollcall_peers_get(peers, 0)->node, "a") == 0;
        rollcall_peers_free(peers);
        return is_back;
    })) << "who beats joins the new memory by itself";
}

TEST_F(CLibrary, AGuardHoldsItsMemberBackAndItsNameIsSeen) {
    ASSERT_EQ(cluster.run({"set", "--suspect", "1s"}).code, 0);
    join("a");
    ASSERT_EQ(rollcall_start_beating(me, &error), ROLLCALL_OK);
    open_view();
    rollcall_guard* guard = rollcall_guard_begin(me, 50'000'000, "journal");
    ASSERT_NE(guard, nullptr);
    EXPECT_THAT(until(ROLLCALL_EVENT_SUSPECT).node, StrEq("a"));
    EXPECT_EQ(rollcall_beat(me), ROLLCALL_BEAT_STALLED);
    observe();
    rollcall_peers* peers = rollcall_find(observer, "a", &error);
    ASSERT_NE(peers, nullptr);
    EXPECT_THAT(rollcall_peers_get(peers, 0)->stall_guard, StrEq("journal"));
    EXPECT_EQ(rollcall_peers_get(peers, 0)->stall_budget_ns, 50'000'000);
    rollcall_peers_free(peers);
    rollcall_guard_end(guard);
    until(ROLLCALL_EVENT_RECOVERED);

    guard = rollcall_guard_begin(me, 1, nullptr);
    ASSERT_TRUE(eventually([&] { return rollcall_beat(me) == ROLLCALL_BEAT_STALLED; }));
    EXPECT_EQ(rollcall_rejoin(me, &error), ROLLCALL_OK) << "it waits";
    ASSERT_EQ(rollcall_leave(me, &error), ROLLCALL_OK) << error.message;
    EXPECT_EQ(rollcall_rejoin(me, &error), ROLLCALL_INVALID) << "whoever has left is told so, guard or not";
    rollcall_guard_end(guard);
}

TEST_F(CLibrary, ForEverIsNoOverflow) {
    join("a");
    rollcall_guard* guard = rollcall_guard_begin(me, INT64_MAX, "for ever");
    EXPECT_EQ(rollcall_beat(me), ROLLCALL_BEAT_COUNTED);
    EXPECT_EQ(rollcall_beat_at(me, 1), ROLLCALL_BEAT_COUNTED);
    rollcall_guard_end(guard);

    auto o = member_options("late");
    o.cluster = "late";
    o.wait_ns = INT64_MAX;
    rollcall_member* waited = nullptr;
    std::thread joiner([&] {
        waiting.store(true);
        waited = rollcall_join(&o, &error);
    });
    ASSERT_TRUE(eventually([&] { return waiting.load(); }));
    const Process late = cluster.start({"run", "--node", "engine", "--cluster", "late"});  // ends with the thread that started it
    joiner.join();
    EXPECT_NE(waited, nullptr) << error.message;
    rollcall_member_free(waited);
}

// Each function is tried with the first, second, ... allocation failing, until none does: it fails with FULL, or does its work, and throws nothing.
TEST_F(CLibrary, WithoutMemoryItFailsAndThrowsNothing) {
    join("a");
    observe();
    open_view();
    const auto m = member_options("b");
    const auto o = observer_options();
    rollcall_event event;
    rollcall_info info;
    const rollcall_tag tag{"key", "a value that is too long for a short string"};
    const std::vector<std::pair<const char*, std::function<void()>>> calls{
        {"join", [&] { rollcall_member_free(rollcall_join(&m, &error)); }},
        {"observe", [&] { rollcall_observer_free(rollcall_observe(&o, &error)); }},
        {"view_open", [&] { rollcall_view_free(rollcall_view_open(&o, &error)); }},
        {"set_tags", [&] { rollcall_set_tags(me, &tag, 1, &error); }},
        {"set_endpoint", [&] { rollcall_set_endpoint(me, "an endpoint that is too long for a short string", &error); }},
        {"rejoin", [&] { rollcall_rejoin(me, &error); }},
        {"keep_known", [&] { rollcall_keep_known(me); }},
        {"guard", [&] { rollcall_guard_end(rollcall_guard_begin(me, 1'000'000'000'000, "x")); }},
        {"snapshot", [&] { rollcall_peers_free(rollcall_snapshot(observer, &error)); }},
        {"find", [&] { rollcall_peers_free(rollcall_find(observer, "a", &error)); }},
        {"info", [&] { rollcall_get_info(observer, &info, sizeof info); }},
        {"poll", [&] { rollcall_poll(observer, &event, sizeof event); }},
        {"is_stale", [&] { rollcall_is_stale(observer); }},
        {"fd", [&] { rollcall_fd(observer); }},
        {"view_next", [&] { rollcall_view_next(view, 0, &event, sizeof event, &error); }},
        {"view_peers", [&] { rollcall_peers_free(rollcall_view_peers(view, &error)); }},
        {"leave", [&] { rollcall_leave(me, &error); }},
    };
    for (const auto& [name, call] : calls) {
        SCOPED_TRACE(name);
        for (int nth = 1; nth < 300; ++nth) {
            allocations_left = nth;
            call();
            const bool is_over = allocations_left > 0;
            allocations_left = 0;
            if (is_over) break;
        }
    }
}

TEST_F(CLibrary, FailuresSayWhatAndWhy) {
    auto nameless = member_options(nullptr);
    EXPECT_EQ(rollcall_join(&nameless, &error), nullptr);
    EXPECT_EQ(error.kind, ROLLCALL_INVALID);
    EXPECT_EQ(rollcall_join(&nameless, nullptr), nullptr) << "and to nobody";
    EXPECT_EQ(rollcall_join(nullptr, &error), nullptr);
    nameless.size = 0;
    EXPECT_EQ(rollcall_join(&nameless, &error), nullptr);
    EXPECT_THAT(error.message, HasSubstr("size"));

    auto elsewhere = observer_options();
    elsewhere.cluster = "other";
    EXPECT_EQ(rollcall_observe(&elsewhere, &error), nullptr);
    EXPECT_EQ(error.kind, ROLLCALL_NO_CLUSTER);
    EXPECT_THAT(rollcall_error_name(error.kind), StrEq("no_cluster"));
    EXPECT_THAT(error.message, HasSubstr("rollcall run --cluster other"));

    join("a");
    Process holder = cluster.puppet();
    holder.ask("join b");
    const auto taken = member_options("b");
    EXPECT_EQ(rollcall_join(&taken, &error), nullptr);
    EXPECT_EQ(error.kind, ROLLCALL_HELD);
    observe();
    EXPECT_EQ(rollcall_find(observer, "nobody", &error), nullptr);
    EXPECT_EQ(error.kind, ROLLCALL_UNKNOWN_NODE);
    const rollcall_tag keyless{nullptr, "x"};
    EXPECT_EQ(rollcall_set_tags(me, &keyless, 1, &error), ROLLCALL_INVALID);
    EXPECT_THAT(rollcall_event_name(99), StrEq("unknown"));
    EXPECT_THAT(rollcall_error_name(-1), StrEq("unknown"));
    rollcall_member_free(nullptr), rollcall_observer_free(nullptr), rollcall_view_free(nullptr), rollcall_peers_free(nullptr), rollcall_guard_end(nullptr);
}

// A program built against an older header has shorter structures, one built against a newer header longer ones.
TEST_F(CLibrary, TakesStructuresOfOtherVersions) {
    auto o = member_options("a");
    o.size = offsetof(rollcall_member_options, wait_ns);
    o.replace = 77;
    o.wait_ns = -77;
    me = rollcall_join(&o, &error);
    ASSERT_NE(me, nullptr) << error.message;
    auto from_the_first = observer_options();
    from_the_first.resume = 1;
    observer = rollcall_observe(&from_the_first, &error);
    struct Longer {
        rollcall_event known;
        std::uint64_t later = 77;
    } longer;
    ASSERT_EQ(rollcall_poll(observer, &longer.known, sizeof longer), 1);
    EXPECT_EQ(longer.later, 0u) << "what this library does not know is zeros";
    EXPECT_THAT(longer.known.node, StrEq("a"));
    rollcall_info shorter;
    shorter.heartbeat_ns = 77;
    rollcall_get_info(observer, &shorter, offsetof(rollcall_info, heartbeat_ns));
    EXPECT_EQ(shorter.heartbeat_ns, 77) << "and nothing is written behind what the program has";
}

TEST_F(CLibrary, AForkedChildsCopyIsNobodys) {
    join("a");
    const pid_t child = ::fork();
    if (child == 0) {
        const int beat = rollcall_beat(me), rejoined = rollcall_rejoin(me, nullptr);
        rollcall_member_free(me);
        ::_exit(beat == ROLLCALL_BEAT_NOT_MINE && rejoined == ROLLCALL_INVALID ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(rollcall_beat(me), ROLLCALL_BEAT_COUNTED);
}

}  // namespace
}  // namespace rollcall::test
