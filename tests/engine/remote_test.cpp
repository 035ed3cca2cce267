// Other hosts and their members, told by requests; moved time.
#include <algorithm>

#include "engine/standing.hpp"
#include "shm/verify.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall {
namespace {

using namespace std::chrono_literals;
using engine::Answer;
using engine::ListEntry;
using engine::Request;
using test::TimedCore;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Incarnation first_life{1'700'000'000'000'000}, next_life{1'700'000'000'000'001};

// Than anybody who joins here.
constexpr Incarnation later(std::uint64_t n) { return Incarnation{static_cast<std::uint64_t>(test::wall_origin_us) + 1'000'000 + n}; }

ListEntry claim(std::string node, State state = State::alive, Reason reason = Reason::join, Incarnation incarnation = Incarnation{7}) {
    ListEntry entry;
    entry.node = std::move(node);
    entry.state = state;
    entry.reason = reason;
    entry.incarnation = incarnation;
    return entry;
}

class RemoteTest : public testing::Test {
protected:
    Answer admit(const std::string& host, Incarnation life = first_life, const std::string& address = "10.0.0.1:7946", Duration interval = 1s) {
        Request request;
        request.kind = Request::Kind::admit_host;
        request.node = host;
        request.incarnation = life;
        request.endpoint = address;
        request.interval = interval;
        const Answer answer = core.ask(std::move(request));
        if (!answer.error) words[host] = answer;
        return answer;
    }
    Answer say(const std::string& host, std::vector<ListEntry> claims, Incarnation life = first_life) {
        Request request;
        request.kind = Request::Kind::claims;
        request.node = host;
        request.incarnation = life;
        request.claims = std::move(claims);
        return core.ask(std::move(request));
    }
    Answer say_whole(const std::string& host, std::vector<std::string> nodes, Reason reason, Incarnation life = first_life) {
        Request request;
        request.kind = Request::Kind::claims;
        request.node = host;
        request.incarnation = life;
        request.is_whole = true;
        request.whole = std::move(nodes);
        request.reason = reason;
        return core.ask(std::move(request));
    }
    // The host is heard; its list agrees unless told otherwise.
    void hear(const std::string& host, bool matches = true) {
        const Answer& a = words[host];
        shm::beat(core.core().writable().word(a.slot), core.now_stamp(), a.generation);
        if (matches) shm::beat(core.core().writable().word(a.word), core.now_stamp(), a.word_generation);
    }
    // Every host named is heard at each heartbeat.
    void run(Duration length, std::initializer_list<std::string> heard, bool matches = true) {
        for (Duration at{}; at < length; at += 100ms) {
            for (const std::string& host : heard) hear(host, matches);
            core.run(100ms);
        }
    }
    void expect_sound() {
        const auto found = shm::verify(core.roster(), core.now_stamp());
        EXPECT_THAT(found.broken, IsEmpty());
    }

    TimedCore core;
    std::map<std::string, Answer> words;
};

TEST_F(RemoteTest, AHostJoinsBeforeItsMembers) {
    const Answer host = admit("b");
    EXPECT_TRUE(host.is_new);
    EXPECT_LT(host.slot, host.word) << "the host is judged before its members";
    EXPECT_EQ(say("b", {claim("b-1"), claim("b-2", State::alive, Reason::registered)}).refused, 0u);
    EXPECT_THAT(core.take(), ElementsAre("host_joined b join", "joined b-1 join", "joined b-2 registered"));
    const Peer peer = core.peer("b-1");
    EXPECT_EQ(peer.host, "b");
    EXPECT_FALSE(peer.local);
    EXPECT_EQ(peer.incarnation, Incarnation{7});
    EXPECT_EQ(core.peers().size(), 2u) << "a host is not a peer";
    expect_sound();
}

TEST_F(RemoteTest, ItsEventsNameTheHost) {
    admit("b");
    say("b", {claim("b-1")});
    core.join("local");
    const auto events = core.take_events();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0].host(), "b");
    EXPECT_EQ(events[1].host(), "b");
    EXPECT_EQ(events[2].host(), "");
}

TEST_F(RemoteTest, AHostAndANodeMayShareAName) {
    admit("b");
    EXPECT_EQ(say("b", {claim("b")}).refused, 0u);
    EXPECT_EQ(core.peer("b").host, "b");
    expect_sound();
}

TEST_F(RemoteTest, ASilentHostTakesItsMembersAlong) {
    admit("b");
    say("b", {claim("b-1"), claim("b-2")});
    core.join("local");
    core.take();
    core.run(6s, {"local"});
    EXPECT_THAT(core.take(), ElementsAre("host_suspect b silence", "suspect b-1 host_silence", "suspect b-2 host_silence", "host_dead b silence", "dead b-1 host_silence",
                                         "dead b-2 host_silence"));
    core.run(6s, {"local"});
    EXPECT_THAT(core.take(), ElementsAre("host_evicted b silence", "evicted b-1 host_silence", "evicted b-2 host_silence"));
    EXPECT_EQ(core.peers().size(), 1u);
    expect_sound();
}

TEST_F(RemoteTest, AHostThatIsHeardAgainRevivesItsMembers) {
    admit("b");
    say("b", {claim("b-1"), claim("b-2", State::suspect, Reason::silence)});
    core.run(6s);
    core.take();
    run(200ms, {"b"});
    EXPECT_THAT(core.take(), ElementsAre("host_recovered b heartbeat", "recovered b-1 heartbeat", "recovered b-2 heartbeat", "suspect b-2 host_said"));
    expect_sound();
}

TEST_F(RemoteTest, WithoutAnAgreeingListAHostLivesAndItsMembersDoNot) {
    admit("b");
    say("b", {claim("b-1")});
    core.take();
    run(6s, {"b"}, false);
    EXPECT_THAT(core.take(), ElementsAre("suspect b-1 host_silence", "dead b-1 host_silence"));
    run(200ms, {"b"});
    EXPECT_THAT(core.take(), ElementsAre("recovered b-1 heartbeat"));
}

TEST_F(RemoteTest, AProofKeepsItsReasonAndIsFinal) {
    admit("b");
    say("b", {claim("b-1")});
    core.take();
    ListEntry dead = claim("b-1", State::dead, Reason::process_exit);
    dead.status = ExitStatus{true, 9};
    say("b", {dead});
    say("b", {claim("b-1")});
    const auto events = core.take_events();
    ASSERT_THAT(test::lines_of(events), ElementsAre("dead b-1 process_exit"));
    EXPECT_EQ(events[0].evidence.status, (ExitStatus{true, 9}));
    run(11s, {"b"});
    EXPECT_THAT(core.take(), ElementsAre("evicted b-1 process_exit"));
    expect_sound();
}

TEST_F(RemoteTest, WhatItsHostJudgedBySilenceMayRecover) {
    admit("b");
    say("b", {claim("b-1")});
    core.take();
    say("b", {claim("b-1", State::suspect, Reason::silence)});
    say("b", {claim("b-1", State::dead, Reason::silence)});
    say("b", {claim("b-1", State::alive, Reason::heartbeat)});
    EXPECT_THAT(core.take(), ElementsAre("suspect b-1 host_said", "dead b-1 host_said", "recovered b-1 heartbeat"));
}

TEST_F(RemoteTest, WhoLeftThereLeavesHere) {
    admit("b");
    say("b", {claim("b-1"), claim("b-2")});
    core.take();
    say("b", {claim("b-1", State::none, Reason::goodbye), claim("b-2", State::none, Reason::silence)});
    EXPECT_THAT(core.take(), ElementsAre("left b-1 goodbye", "dead b-2 host_said", "evicted b-2 host_said"));
    expect_sound();
}

TEST_F(RemoteTest, TheDeadJoinNothing) {
    admit("b");
    core.take();
    EXPECT_EQ(say("b", {claim("b-1", State::dead, Reason::process_exit), claim("b-2", State::none, Reason::goodbye)}).refused, 0u);
    EXPECT_THAT(core.take(), IsEmpty());
}

TEST_F(RemoteTest, ALivingMemberOfOurOwnIsNeverGivenUp) {
    core.join("n");
    admit("b");
    core.take();
    EXPECT_EQ(say("b", {claim("n", State::alive, Reason::join, later(1))}).refused, 1u);
    EXPECT_EQ(say("b", {claim("n", State::dead, Reason::process_exit), claim("n", State::none, Reason::goodbye)}).refused, 0u) << "a loser's news touch nobody";
    EXPECT_EQ(say("b", {claim("n", State::alive, Reason::join, later(1))}).refused, 1u);
    EXPECT_THAT(core.take(), ElementsAre("duplicate n join")) << "once";
    EXPECT_TRUE(core.peer("n").local);
}

TEST_F(RemoteTest, ADeadMemberOfOurOwnYieldsToALaterLifeElsewhere) {
    core.join("n");
    core.exit("n");
    admit("b");
    core.take();
    EXPECT_EQ(say("b", {claim("n", State::alive, Reason::join, Incarnation{1})}).refused, 1u) << "an earlier life";
    EXPECT_EQ(say("b", {claim("n", State::alive, Reason::join, later(1))}).refused, 0u);
    EXPECT_THAT(core.take(), ElementsAre("evicted n process_exit", "joined n join"));
    EXPECT_EQ(core.peer("n").host, "b");
    expect_sound();
}

TEST_F(RemoteTest, OfTwoHostsTheLaterLifeIsShown) {
    admit("b");
    admit("c");
    say("b", {claim("n", State::alive, Reason::join, Incarnation{5})});
    core.take();
    EXPECT_EQ(say("c", {claim("n", State::alive, Reason::join, Incarnation{4})}).refused, 1u);
    EXPECT_EQ(say("c", {claim("n", State::alive, Reason::join, Incarnation{6})}).refused, 0u);
    EXPECT_THAT(core.take(), ElementsAre("dead n replaced", "evicted n replaced", "joined n join"));
    EXPECT_EQ(core.peer("n").host, "c");
    say("b", {claim("n", State::none, Reason::goodbye)});
    EXPECT_THAT(core.take(), IsEmpty()) << "it is not the loser's to take away";
    expect_sound();
}

TEST_F(RemoteTest, WhoeverIsDisplacedIsToldOf) {
    int displaced = 0;
    Request request;
    request.kind = Request::Kind::admit_host;
    request.node = "b";
    request.incarnation = first_life;
    request.displaced = [&displaced] { ++displaced; };
    core.ask(std::move(request));
    admit("c");
    say("b", {claim("n", State::alive, Reason::join, Incarnation{5}), claim("m")});
    say("c", {claim("n", State::alive, Reason::join, Incarnation{6})});
    EXPECT_EQ(displaced, 1);
    core.evict("m");
    EXPECT_EQ(displaced, 2);
    say("b", {claim("m", State::none, Reason::goodbye)});
    EXPECT_EQ(displaced, 2) << "its own word";
}

TEST_F(RemoteTest, ANodeThatRestartsThereIsANewLifeHere) {
    admit("b");
    say("b", {claim("n", State::alive, Reason::join, Incarnation{5})});
    core.take();
    say("b", {claim("n", State::alive, Reason::join, Incarnation{6})});
    EXPECT_THAT(core.take(), ElementsAre("dead n replaced", "joined n join"));
    EXPECT_EQ(core.peer("n").incarnation, Incarnation{6});
    say("b", {claim("n", State::dead, Reason::process_exit, Incarnation{5})});
    EXPECT_THAT(core.take(), IsEmpty()) << "news of a life that is over";
    expect_sound();
}

TEST_F(RemoteTest, AProcessHereTakesADeadIdOver) {
    admit("b");
    say("b", {claim("n")});
    const Answer held = core.join("n");
    ASSERT_TRUE(held.error);
    EXPECT_THAT(held.error->message, testing::HasSubstr("held on host 'b'"));
    say("b", {claim("n", State::dead, Reason::process_exit)});
    core.take();
    EXPECT_FALSE(core.join("n").error);
    EXPECT_THAT(core.take(), ElementsAre("joined n join"));
    EXPECT_TRUE(core.peer("n").local);
    core.run(6s, {"n"});
    EXPECT_EQ(core.peer("n").state, State::alive) << "no host's silence is its own";
    expect_sound();
}

TEST_F(RemoteTest, ANewLifeOfAHostEndsWhoIsNotInItsList) {
    admit("b");
    say("b", {claim("b-1"), claim("b-2")});
    core.take();
    const Answer again = admit("b", next_life);
    EXPECT_TRUE(again.is_new);
    EXPECT_EQ(say("b", {claim("b-1")}, first_life).error->kind, ErrorKind::replaced) << "the old life speaks no more";
    EXPECT_EQ(say("b", {claim("b-1")}, next_life).refused, 0u);
    say_whole("b", {"b-1"}, Reason::host_restarted, next_life);
    run(200ms, {"b"});
    EXPECT_THAT(core.take(), ElementsAre("host_dead b replaced", "host_joined b join", "dead b-2 host_restarted"));
    EXPECT_EQ(admit("b", first_life).error->kind, ErrorKind::replaced);
    run(11s, {"b"});
    EXPECT_THAT(core.take(), ElementsAre("evicted b-2 host_restarted"));
    expect_sound();
}

TEST_F(RemoteTest, WhoWasMissedLeavingIsGoneWithTheWholeList) {
    admit("b");
    say("b", {claim("b-1"), claim("b-2")});
    core.take();
    say_whole("b", {"b-1"}, Reason::host_said);
    run(200ms, {"b"});
    EXPECT_THAT(core.take(), ElementsAre("dead b-2 host_said", "evicted b-2 host_said"));
}

TEST_F(RemoteTest, AHostThatSaysGoodbyeTakesItsMembersAlong) {
    admit("b");
    say("b", {claim("b-1"), claim("b-2")});
    core.take();
    Request request;
    request.kind = Request::Kind::host_left;
    request.node = "b";
    request.incarnation = first_life;
    core.ask(std::move(request));
    core.run(100ms);
    EXPECT_THAT(core.take(), ElementsAre("host_left b goodbye", "left b-1 goodbye", "left b-2 goodbye"));
    EXPECT_THAT(core.peers(), IsEmpty());
    expect_sound();
}

TEST_F(RemoteTest, ItsAddressMayChange) {
    admit("b");
    core.take();
    EXPECT_FALSE(admit("b", first_life, "10.0.0.9:7946").is_new);
    EXPECT_THAT(core.take(), ElementsAre("host_updated b join"));
    EXPECT_FALSE(admit("b", first_life, "10.0.0.9:7946").is_new);
    EXPECT_THAT(core.take(), IsEmpty());
}

TEST_F(RemoteTest, AnIncarnationFarAheadIsRefused) {
    EXPECT_TRUE(admit("b", Incarnation{incarnation_limit - 1}).error) << "it would use up all there will ever be";
    admit("b");
    EXPECT_EQ(say("b", {claim("n", State::alive, Reason::join, Incarnation{incarnation_limit - 1})}).refused, 1u);
}

TEST_F(RemoteTest, SlotsComeBack) {
    for (int round = 0; round < 40; ++round) {
        ASSERT_FALSE(admit("b", Incarnation{first_life.value + static_cast<std::uint64_t>(round)}).error) << round;
        ASSERT_EQ(say("b", {claim("b-1"), claim("b-2")}, Incarnation{first_life.value + static_cast<std::uint64_t>(round)}).refused, 0u) << round;
        core.run(12s);
        ASSERT_THAT(core.peers(), IsEmpty()) << round;
    }
    expect_sound();
}

TEST_F(RemoteTest, AFullClusterRefusesAndLosesNothing) {
    admit("b");
    std::vector<ListEntry> many;
    std::uint32_t refused = 0;
    for (int i = 0; i < 80; ++i) refused += say("b", {claim("n" + std::to_string(i))}).refused;
    EXPECT_EQ(refused, 80u - (64u - 8u - 2u)) << "two slots are the host's, an eighth is kept for members of this one";
    EXPECT_FALSE(core.join("local").error);
    EXPECT_TRUE(admit("c").error);
    expect_sound();
}

TEST_F(RemoteTest, ADamagedWordIsPutRight) {
    admit("b");
    say("b", {claim("b-1")});
    core.take();
    run(2s, {"b"});
    for (const std::int64_t damage : {std::int64_t{-5}, shm::free_word, shm::make_word(Stamp{5}, Generation{9}), shm::make_word(Stamp{stamp_limit - 9}, words["b"].word_generation)}) {
        core.set_word(words["b"].word, damage);
        run(4s, {"b"});
    }
    EXPECT_THAT(core.take(), IsEmpty());
    EXPECT_EQ(core.counter(engine::Counter::words_repaired), 4u);
    expect_sound();
}

TEST_F(RemoteTest, WhenMostHostsFallSilentTogetherNobodyIsForgottenForOneTimeoutLonger) {
    for (const char* host : {"a", "b", "c", "d"}) admit(host);
    core.take();
    core.run(6s);
    EXPECT_THAT(core.take(), testing::UnorderedElementsAre("host_suspect a silence", "host_suspect b silence", "host_suspect c silence", "host_suspect d silence", "mass_silence", "host_dead a silence",
                                                           "host_dead b silence", "host_dead c silence", "host_dead d silence"));
    core.run(8s);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(8s);
    EXPECT_EQ(core.take().size(), 4u) << "at most one";
}

TEST_F(RemoteTest, OfThreeHostsTwoAreNoMass) {
    for (const char* host : {"a", "b", "c"}) admit(host);
    core.take();
    core.run(4s);
    EXPECT_THAT(core.take(), testing::Not(testing::Contains("mass_silence")));
}

TEST_F(RemoteTest, WhoeverBeatsSlowlyHasThreeOfItsIntervals) {
    admit("b", first_life, "there", 2s);
    say("b", {claim("b-1")});
    core.take();
    core.run(5900ms);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(200ms);
    EXPECT_THAT(core.take(), ElementsAre("host_suspect b silence", "suspect b-1 host_silence"));
    core.run(1800ms);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(200ms);
    EXPECT_THAT(core.take(), ElementsAre("host_dead b silence", "dead b-1 host_silence"));
}

// The memory lives on, the engine does not.
TEST(RemoteAdoption, ASuccessorGoesOnJudgingHostsAndTheirMembers) {
    const test::TemporaryFolder folder;
    const test::EngineSetup setup{.dir = folder.path()};
    Answer host;
    {
        TimedCore before(setup);
        Request request;
        request.kind = Request::Kind::admit_host;
        request.node = "b";
        request.incarnation = first_life;
        host = before.ask(std::move(request));
        Request claims;
        claims.kind = Request::Kind::claims;
        claims.node = "b";
        claims.incarnation = first_life;
        claims.claims = {claim("b-1"), claim("b-2", State::dead, Reason::process_exit), claim("b-3")};
        before.ask(std::move(claims));
        ListEntry dead = claim("b-3", State::dead, Reason::process_exit);
        Request again;
        again.kind = Request::Kind::claims;
        again.node = "b";
        again.incarnation = first_life;
        again.claims = {dead};
        before.ask(std::move(again));
    }
    test::EngineSetup later = setup;
    later.start = test::origin + 1s;
    TimedCore after(later);
    EXPECT_THAT(shm::verify(after.roster(), after.now_stamp()).broken, IsEmpty());
    EXPECT_EQ(after.peer("b-1").state, State::alive);
    EXPECT_EQ(after.peer("b-3").state, State::dead);
    after.join("local");
    after.take();
    after.run(9s, {"local"});
    EXPECT_THAT(after.take(), ElementsAre("host_suspect b silence", "suspect b-1 host_silence", "host_dead b silence", "dead b-1 host_silence"));
    after.run(6s, {"local"});
    EXPECT_THAT(after.take(), testing::UnorderedElementsAre("evicted b-3 process_exit", "host_evicted b silence", "evicted b-1 host_silence"));
    EXPECT_THAT(shm::verify(after.roster(), after.now_stamp()).broken, IsEmpty());
}

}  // namespace
}  // namespace rollcall
