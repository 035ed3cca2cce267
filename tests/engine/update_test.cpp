// Endpoint and tags: an update writes a new blob and switches the record; freed blobs are used again, and none is ever lost.
#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/present.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;
using testing::ElementsAre;
using testing::IsEmpty;

std::string number(int i) { return "n" + std::to_string(i); }

class Updates : public testing::Test {
protected:
    explicit Updates(EngineSetup setup = {}) : core(setup) {}
    engine::Answer update(std::string_view node, std::optional<std::string> endpoint, std::optional<Tags> tags = {}) {
        Request request = TimedCore::about(node, Request::Kind::update);
        request.endpoint = std::move(endpoint);
        if (tags) request.tags = encode_tags(*tags).value();
        return core.ask(std::move(request));
    }
    std::uint32_t extents() const { return core.roster().header().blob_extents_used.load(std::memory_order_relaxed); }
    TimedCore core;
};

TEST_F(Updates, ChangeWhatTheyNameAndNothingElse) {
    core.join("a", "first", {{"k", "v"}});
    const Peer before = core.peer("a");
    core.run(1s, {"a"});
    core.take();
    EXPECT_FALSE(update("a", "second").error);
    Peer now = core.peer("a");
    EXPECT_EQ(now.endpoint, "second");
    EXPECT_EQ(now.tags, before.tags);
    EXPECT_FALSE(update("a", {}, Tags{{"x", "y"}, {"z", ""}}).error);
    now = core.peer("a");
    EXPECT_EQ(now.endpoint, "second");
    EXPECT_EQ(now.tags, (Tags{{"x", "y"}, {"z", ""}}));
    EXPECT_FALSE(update("a", "", Tags{}).error);
    now = core.peer("a");
    EXPECT_EQ(now.endpoint, "");
    EXPECT_TRUE(now.tags.empty());
    EXPECT_EQ(now.state, before.state);
    EXPECT_EQ(now.since, before.since);
    EXPECT_EQ(now.incarnation, before.incarnation);
    EXPECT_EQ(now.generation, before.generation);
    EXPECT_EQ(now.pid, before.pid);
    EXPECT_EQ(now.uid, before.uid);
    EXPECT_THAT(core.take(), ElementsAre("updated a join", "updated a join", "updated a join"));
}

TEST_F(Updates, AreNoHeartbeat) {
    core.join("a", "first");
    core.run(2s);
    update("a", "second");
    core.run(1100ms);
    EXPECT_EQ(core.peer("a").state, State::suspect);
    EXPECT_EQ(core.peer("a").endpoint, "second");
}

TEST_F(Updates, OfASuspectLeaveItSuspected) {
    core.join("a", "first");
    core.run(3100ms);
    core.take();
    const Instant since = core.peer("a").since;
    update("a", "second");
    EXPECT_THAT(core.take(), ElementsAre("updated a silence"));
    EXPECT_EQ(core.peer("a").state, State::suspect);
    EXPECT_EQ(core.peer("a").since, since);
    core.run(2s);
    EXPECT_THAT(core.take(), ElementsAre("dead a silence"));
}

TEST_F(Updates, OfTheUnknownAndOfAProvenDeathAreRefused) {
    EXPECT_EQ(update("a", "x").error->kind, ErrorKind::unknown_node);
    core.join("a");
    core.exit("a");
    core.take();
    EXPECT_EQ(update("a", "x").error->kind, ErrorKind::unknown_node);
    EXPECT_THAT(core.take(), IsEmpty());
}

// The event names the blob it brought; whoever reads that blob finds the event's sequence in it.
TEST_F(Updates, EventAndBlobNameEachOther) {
    core.join("a", "first");
    update("a", "second");
    for (const Event& e : core.take_events()) {
        shm::Blob blob;
        ASSERT_TRUE(shm::load_blob(core.roster(), e.blob, blob));
        EXPECT_EQ(blob.sequence, e.sequence);
        EXPECT_EQ(blob.endpoint(), e.kind == Event::joined ? "first" : "second");
    }
}

// A blob that was replaced may still be read by those who have not seen the publication: it is not touched before.
TEST_F(Updates, BlobIsNotUsedAgainBeforeThePublicationThatFreedIt) {
    core.join("a", "first");
    core.join("b", "other");
    const auto before = core.take_events();
    Request one = TimedCore::about("a", Request::Kind::update), two = TimedCore::about("b", Request::Kind::update);
    one.endpoint = "second";
    two.endpoint = "third";
    core.put(std::move(one));
    core.put(std::move(two));
    core.step();
    shm::Blob blob;
    ASSERT_TRUE(shm::load_blob(core.roster(), before[0].blob, blob));
    EXPECT_EQ(blob.endpoint(), "first");
    const auto after = core.take_events();
    ASSERT_EQ(after.size(), 2u);
    EXPECT_NE(after[1].blob, before[0].blob);
}

TEST_F(Updates, BlobsAreUsedAgain) {
    core.join("a", "first");
    for (int i = 0; i < 100; ++i) update("a", std::to_string(i));
    const std::uint32_t used = extents();
    core.take();
    for (int i = 0; i < 20'000; ++i) {
        ASSERT_FALSE(update("a", std::to_string(i)).error);
        core.take();
    }
    EXPECT_EQ(extents(), used);
    EXPECT_EQ(core.peer("a").endpoint, "19999");
}

// Joins that come and go with everything that a blob can hold: nothing is lost on the way.
TEST_F(Updates, LivesThatComeAndGoLoseNoBlob) {
    std::uint32_t used = 0;
    for (int i = 0; i < 5000; ++i) {
        ASSERT_FALSE(core.join("a", std::string(static_cast<std::size_t>(i % 256), 'e'), {{"k", std::string(static_cast<std::size_t>(i * 7 % 500), 'v')}}).error);
        if (i % 3 == 0) core.replace("a");
        if (i % 5 == 0) core.exit("a");
        if (i % 2 == 0) core.leave("a");
        else core.evict("a");
        core.advance(2ms);
        core.take();
        if (i == 1000) used = extents();
    }
    EXPECT_EQ(extents(), used);
}

// Every size of blob, and a peer for each size at once.
TEST_F(Updates, EverySizeIsKept) {
    for (int i = 0; i < 60; ++i) core.join(number(i));
    core.take();
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 60; ++i) {
            const auto size = static_cast<std::size_t>((i * 37 + round * 101) % 256), tag = static_cast<std::size_t>((i * 53 + round * 11) % 500);
            ASSERT_FALSE(update(number(i), std::string(size, 'e'), Tags{{"k", std::string(tag, 'v')}}).error);
        }
        core.take();
        for (int i = 0; i < 60; ++i) {
            const auto size = static_cast<std::size_t>((i * 37 + round * 101) % 256), tag = static_cast<std::size_t>((i * 53 + round * 11) % 500);
            const Peer peer = core.peer(number(i));
            ASSERT_EQ(peer.endpoint.size(), size);
            ASSERT_EQ(peer.tags.at("k").size(), tag);
        }
    }
}

// A full cluster in which everybody's tags grow, shrink and grow again: the heap serves each size in turn, whatever it was used for before.
class FullHeap : public Updates {
protected:
    static constexpr int peers = 4096;
    FullHeap() : Updates({.capacity = peers, .ring = 65'536}) {
        for (int i = 0; i < peers; ++i) core.put(TimedCore::join_request(number(i), 1));
        while (core.step(), core.core().has_more()) {}
        core.take();
    }
};

TEST_F(FullHeap, ServesEveryClassInTurn) {
    for (const std::size_t bytes : {1, 30, 60, 100, 200, 300, 400, 500, 250, 120, 40, 500, 10}) {
        for (int i = 0; i < peers; ++i) {
            Request request = TimedCore::about(number(i), Request::Kind::update);
            request.endpoint = std::string(std::min<std::size_t>(bytes / 2, 255), 'e');
            request.tags = encode_tags({{"k", std::string(bytes, 'v')}}).value();
            request.done = [](const engine::Answer& answer) { EXPECT_FALSE(answer.error) << answer.error->message; };
            core.put(std::move(request));
        }
        while (core.step(), core.core().has_more()) {}
        core.take();
        ASSERT_EQ(core.peer(number(peers - 1)).tags.at("k").size(), bytes);
    }
}

TEST_F(FullHeap, HasRoomForTheLargestOfEverybody) {
    for (int i = 0; i < peers; ++i) {
        const auto answer = update(number(i), std::string(255, 'e'), Tags{{"k", std::string(509, 'v')}});
        ASSERT_FALSE(answer.error) << answer.error->message;
        core.take();
    }
}

}  // namespace
}  // namespace rollcall::test
