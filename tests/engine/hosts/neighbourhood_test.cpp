// Whom a host knows: how hosts meet, what counts as a sign of life after a silence, and whose members live.
#include "tests/engine/hosts/neighbours.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using namespace std::chrono_literals;
using test::Host;
using test::is;
using test::member;
using test::Neighbours;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

TEST_F(Neighbours, MeetByQuestionsAndBeatEachOthersWords) {
    Host &a = add("a"), &b = add("b");
    run(3s);
    for (auto [one, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
        EXPECT_TRUE(one->knows(other->name()));
        EXPECT_THAT(one->admissions(), ElementsAre(other->name() + " " + other->address));
        ASSERT_GE(one->beats.size(), 3u);
        EXPECT_TRUE(one->beats.back().agrees);
    }
}

TEST_F(Neighbours, MembersLiveOnlyWhileTheListAgrees) {
    Host &a = add("a"), &b = add("b");
    run(3s);
    passes = [](const Message& m, const std::string& receiver) { return receiver != "a" || !(is<ListDelta>(m) || is<ListPage>(m)); };
    b.change([](OwnList& list) { list.set(member("b-2", 2)); });
    run(1s);
    a.beats.clear();
    run(5s);
    EXPECT_GE(a.beats.size(), 5u) << "the host lives";
    EXPECT_THAT(a.beats, Each(Field(&Host::Beat::agrees, false)));
    heal();
    run(1s);
    EXPECT_TRUE(a.beats.back().agrees);
}

TEST_F(Neighbours, AnAnswerToAQuestionFromBeforeTheSilenceWasLongRevivesNobody) {
    Host& a = add("a");
    add("b");
    run(3s);
    record("b", "a", false);  // held back on the way: b is asked, and answers
    run(2500ms);
    cut("b", "a");
    run(2s);
    a.beats.clear();
    const std::uint64_t stale = a.neighbourhood.counters().stale;
    const auto answers = static_cast<std::uint64_t>(std::count_if(recording.begin(), recording.end(), is<HostAnswer>));
    ASSERT_GE(answers, 5u);
    replay(a);
    EXPECT_THAT(a.beats, IsEmpty()) << "that b lived then is no news";
    EXPECT_EQ(a.neighbourhood.counters().stale, stale + answers);
    heal();
    run(100ms);
    ASSERT_THAT(a.beats, Not(IsEmpty())) << "a question of now is answered now";
    EXPECT_GE(a.beats.front().at, now - 100ms);
    EXPECT_EQ(a.admissions().size(), 1u);
}

TEST_F(Neighbours, AHeldBackAnswerSaysOnlyThatItLivedWhenItWasAsked) {
    Host& a = add("a");
    add("b");
    run(3s);
    record("b", "a", false);
    run(2500ms);
    const Message answer = last_recorded(is<HostAnswer>);
    cut("b", "a");
    const Instant asked_by = now;
    run(200ms);
    a.beats.clear();
    a.hear(answer, now);
    ASSERT_EQ(a.beats.size(), 1u) << "its silence was short";
    EXPECT_LE(a.beats.front().at, asked_by);
}

TEST_F(Neighbours, ABeatFromAnotherAddressDoesNotCountUntilItAnsweredThere) {
    Host &a = add("a"), &b = add("b");
    run(3s);
    b.address = "moved";
    passes = [](const Message& m, const std::string& receiver) { return receiver != "b" || m.origin != "a"; };  // no question reaches it
    const std::uint64_t unproven = a.neighbourhood.counters().unproven;
    a.beats.clear();
    run(2s);
    EXPECT_THAT(a.beats, IsEmpty());
    EXPECT_GE(a.neighbourhood.counters().unproven, unproven + 2);
    EXPECT_EQ(a.view("b")->address, "b-address");
    heal();
    run(2s);
    EXPECT_THAT(a.beats, Not(IsEmpty()));
    EXPECT_EQ(a.view("b")->address, "moved");
    EXPECT_THAT(a.admissions(), ElementsAre("b b-address", "b moved"));
}

// One member more, in a place of its own: the list is as long as its version.
void join(Host& host, std::uint64_t version) {
    auto entry = member(host.name() + "-" + std::to_string(version), version);
    entry.place = static_cast<Place>(version);
    host.change([&](OwnList& list) { list.set(entry); });
}

TEST_F(Neighbours, WhatIsLostOfAListComesWithinTwoIntervalsAndNothingIsAskedForWithoutNeed) {
    Host &a = add("a"), &b = add("b");
    run(3s);
    std::uint64_t version = 1;
    for (const int lost : {0, 1, 2, 3}) {
        int left = lost, requests = 0;
        passes = [&](const Message& m, const std::string& receiver) {
            requests += m.origin == "a" && is<ListRequest>(m);
            return receiver != "a" || !is<ListDelta>(m) || left-- <= 0;
        };
        ++version;
        join(b, version);
        run(2s);
        EXPECT_TRUE(a.view("b")->agrees) << lost;
        EXPECT_EQ(a.view("b")->members, version) << lost;
        EXPECT_LE(requests, lost < 2 ? lost : 2) << lost << " deltas were lost";
        run(3s);  // so that the repetitions of this round are over
    }
}

TEST_F(Neighbours, WhatComesTwiceOrLateChangesNothing) {
    Host &a = add("a"), &b = add("b");
    run(3s);
    record("b", "a", true);
    for (std::uint64_t version = 2; version < 6; ++version) {
        join(b, version);
        run(50ms);
    }
    run(1s);
    int requests = 0;
    passes = [&](const Message& m, const std::string&) {
        requests += m.origin == "a" && is<ListRequest>(m);
        return true;
    };
    replay(a);
    std::reverse(recording.begin(), recording.end());
    replay(a);
    run(2s);
    EXPECT_TRUE(a.view("b")->agrees);
    EXPECT_EQ(a.view("b")->members, 5u);
    EXPECT_EQ(requests, 0);
}

TEST_F(Neighbours, WhatIsNotForThemOrDoesNotReadIsCounted) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(3s);
    heal();
    const Message beat = last_recorded(is<HostBeat>);
    remove("b");
    const HostTraffic before = a.neighbourhood.counters();
    a.beats.clear();

    Message other = beat;
    other.destination = "c";
    EXPECT_FALSE(a.hear(other, now));
    Message garbage = beat;
    const std::vector<std::string> unreadable{"", std::string("\1\0", 2), "\1\x63", beat.payload + "x", beat.payload.substr(0, 20), std::string(2000, '\1')};
    for (const std::string& payload : unreadable) {
        garbage.payload = payload;
        EXPECT_FALSE(a.hear(garbage, now));
    }
    Message echo = beat;
    echo.origin = "a";
    EXPECT_FALSE(a.hear(echo, now));
    Message unrelated = beat;
    unrelated.content_type = "text/plain";
    EXPECT_FALSE(a.hear(unrelated, now));
    a.hear(beat, now);

    const HostTraffic after = a.neighbourhood.counters();
    EXPECT_EQ(after.heard - before.heard, 9u) << "what is no host's message is not counted here";
    EXPECT_EQ(after.misdirected - before.misdirected, 1u);
    EXPECT_EQ(after.refused - before.refused, 6u);
    EXPECT_EQ(after.echoes - before.echoes, 1u);
    EXPECT_EQ(after.copies - before.copies, 1u) << "that beat was heard before";
    EXPECT_EQ(after.stale, before.stale);
    EXPECT_EQ(after.unproven, before.unproven);
    EXPECT_EQ(after.crowded, before.crowded);
    EXPECT_THAT(a.beats, IsEmpty());
    EXPECT_EQ(a.neighbourhood.hosts().size(), 1u);
}

}  // namespace
}  // namespace rollcall::engine
