// Whom a host does not believe: recordings, forgeries, floods of made-up names, and a second host of the same name.
#include "tests/engine/hosts/neighbours.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using namespace std::chrono_literals;
using test::first_life;
using test::Host;
using test::is;
using test::Neighbours;
using test::next_life;
using test::read;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Le;
using testing::Not;

TEST_F(Neighbours, ANonceIsAnsweredOnce) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(3s);
    const Message answer = last_recorded(is<HostAnswer>);
    a.beats.clear();
    const std::uint64_t stale = a.neighbourhood.counters().stale;
    a.hear(answer, now);
    EXPECT_THAT(a.beats, IsEmpty());
    HostAnswer made_up = read<HostAnswer>(answer);
    ++made_up.nonce;
    Message forged = answer;
    forged.payload = encode_host_message(made_up);
    a.hear(forged, now);
    EXPECT_THAT(a.beats, IsEmpty());
    EXPECT_EQ(a.neighbourhood.counters().stale, stale + 2);
}

TEST_F(Neighbours, ARecordingOfADeadHostRevivesNobody) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(10s);
    remove("b");
    for (const Duration silence : {4s, 10s, 900s}) {  // dead, evicted, sought no more
        run(silence);
        a.beats.clear();
        const std::size_t admissions = a.admissions().size();
        for (int i = 0; i < 3; ++i) {
            replay(a);
            run(200ms);
        }
        EXPECT_THAT(a.beats, IsEmpty());
        EXPECT_EQ(a.admissions().size(), admissions);
    }
    EXPECT_GT(a.neighbourhood.counters().unproven, 0u);
}

TEST_F(Neighbours, ARecordingOfALivingHostIsNoNews) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(5s);
    cut("b", "a");
    const Instant heard_at = a.view("b")->last_heard;
    run(1s);
    a.beats.clear();
    replay(a);
    EXPECT_THAT(a.beats, Each(Field(&Host::Beat::at, Le(heard_at)))) << "what is known already moves no word";
    EXPECT_EQ(a.view("b")->last_heard, heard_at);
    heal();
    a.beats.clear();
    run(5s);
    EXPECT_THAT(a.beats, AllOf(Not(IsEmpty()), Each(Field(&Host::Beat::agrees, true)))) << "and does no harm to what is";
}

TEST_F(Neighbours, ARecordingOfAnEarlierLifeRevivesNobody) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(5s);
    heal();
    remove("b");
    add("b", next_life);
    run(3s);
    ASSERT_TRUE(a.knows("b", next_life));
    a.beats.clear();
    const std::size_t admissions = a.admissions().size();
    replay(a);
    EXPECT_THAT(a.beats, IsEmpty()) << "while the later life lives";
    run(1s);
    EXPECT_TRUE(a.knows("b", next_life));
    remove("b");
    run(20s);
    a.beats.clear();
    replay(a);
    run(1s);
    EXPECT_THAT(a.beats, IsEmpty()) << "and after its end";
    EXPECT_EQ(a.admissions().size(), admissions);
    EXPECT_TRUE(a.knows("b", next_life));
}

TEST_F(Neighbours, ARecordingOfWhoVouchedForItSavesNobody) {
    Host& a = add("a");
    add("b");
    add("c");
    run(3s);
    const auto b_only = [&a] {
        std::vector<Host::Beat> all;
        std::copy_if(a.beats.begin(), a.beats.end(), std::back_inserter(all), [](const Host::Beat& beat) { return beat.host == "b"; });
        return all;
    };
    passes = [this](const Message& m, const std::string& receiver) {
        if (m.origin == "c" && receiver == "a") recording.push_back(m);
        return m.origin != "b" || receiver != "a";
    };
    run(20s);
    ASSERT_FALSE(b_only().empty());
    EXPECT_GE(b_only().back().at, now - 2s) << "c hears it";
    remove("b");
    run(5s);
    const Instant lived_at = b_only().back().at;
    EXPECT_LE(lived_at, now - 4s);
    for (int i = 0; i < 3; ++i) {
        replay(a);
        run(200ms);
    }
    EXPECT_THAT(b_only(), Each(Field(&Host::Beat::at, Le(lived_at))));
    EXPECT_EQ(a.admissions().size(), 2u);
}

TEST_F(Neighbours, ARestartedReceiverBelievesNoRecordingEither) {
    add("a");
    add("b");
    record("b", "a", true);
    run(5s);
    remove("b");
    add("b", next_life);
    record("b", "a", true);  // both lives, one behind the other
    run(5s);
    remove("b");
    remove("a");
    Host& a = add("a");
    for (int i = 0; i < 3; ++i) {
        replay(a);
        run(200ms);
    }
    EXPECT_THAT(a.admissions(), IsEmpty());
    EXPECT_THAT(a.beats, IsEmpty());
    EXPECT_FALSE(a.knows("b", first_life) || a.knows("b", next_life));
    heal();
    add("b", Incarnation{next_life.value + 1});
    run(2s);
    EXPECT_TRUE(a.knows("b", Incarnation{next_life.value + 1})) << "whoever answers is believed";
    EXPECT_EQ(a.admissions().size(), 1u);
}

TEST_F(Neighbours, ARecordingAtARestartedReceiverLeadsToWhoLivesNow) {
    add("a");
    add("b");
    record("b", "a", true);
    run(5s);
    heal();
    remove("b");
    remove("a");
    Host& a = add("a");
    add("b", next_life);
    replay(a);
    run(2s);
    EXPECT_TRUE(a.knows("b", next_life));
    EXPECT_EQ(a.admissions().size(), 1u);
}

TEST_F(Neighbours, SomebodyElsesBeatUnderItsNameChangesNothing) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(3s);
    heal();
    a.beats.clear();
    Message forged = last_recorded(is<HostBeat>);
    forged.via = "elsewhere";
    HostBeat beat = read<HostBeat>(forged);
    beat.sequence.counter += 1000;
    forged.payload = encode_host_message(beat);
    a.hear(forged, now);
    beat.incarnation = next_life;
    forged.payload = encode_host_message(beat);
    a.hear(forged, now);
    EXPECT_THAT(a.beats, IsEmpty());
    run(2s);
    EXPECT_GE(a.beats.size(), 2u) << "its own beats go on counting";
    EXPECT_TRUE(a.knows("b"));
    EXPECT_EQ(a.view("b")->address, "b-address");
}

TEST_F(Neighbours, OfTwoHostsOfOneNameTheFirstStaysAsLongAsItAnswers) {
    Host& a = add("a");
    add_as("other", "b", first_life);
    run(3s);
    ASSERT_TRUE(a.knows("b", first_life));
    add("b", next_life);
    run(3s);
    const std::size_t admissions = a.admissions().size();
    run(5s);
    EXPECT_TRUE(a.knows("b", first_life));
    EXPECT_EQ(a.view("b")->address, "other-address");
    EXPECT_EQ(a.admissions().size(), admissions);
    EXPECT_GE(a.neighbourhood.counters().rivals, 5u) << "the other one answers on";
    EXPECT_EQ(a.count(engine::Request::Kind::two_hosts), 1u) << "which is told once";
    passes = [](const Message& m, const std::string& receiver) { return receiver != "other" && m.via != "other-address"; };
    run(1s);
    EXPECT_TRUE(a.knows("b", next_life)) << "it leaves three questions unanswered";
    EXPECT_EQ(a.view("b")->address, "b-address");
    heal();
    const std::size_t later = a.admissions().size();
    run(5s);
    EXPECT_EQ(a.admissions().size(), later) << "and does not come back";
    Message asking;  // and whoever asks is asked
    asking.content_type = host_content_type;
    asking.origin = "b";
    asking.via = "other-address";
    asking.payload = encode_host_message(HostAsk{1, first_life, false});
    a.hear(asking, now);
    run(100ms);
    EXPECT_EQ(a.view("b")->address, "b-address");
    EXPECT_EQ(a.admissions().size(), later);
}

TEST_F(Neighbours, MadeUpNamesFillNothingAndKeepNobodyOut) {
    Host& a = add("a");
    std::uint64_t made_up = 0;
    const auto stranger = [&](const HostMessage& what) {
        Message message;
        message.content_type = host_content_type;
        message.cluster = "test";
        message.origin = "made-up-" + std::to_string(++made_up);
        message.via = "elsewhere";
        message.payload = encode_host_message(what);
        return message;
    };
    std::size_t most = 0;
    between = [&] {
        for (std::uint64_t i = 0; i < 20; ++i) {
            a.hear(stranger(HostBeat{first_life, {1, i}, 1000, {}}), now);
            a.hear(stranger(HostAsk{i, first_life, true}), now);
        }
        most = std::max(most, a.neighbourhood.hosts().size());
    };
    run(200ms);
    ASSERT_GT(made_up, 4 * Neighbourhood::most_strangers);
    EXPECT_EQ(most, Neighbourhood::most_strangers);
    add("b");
    run(2s);
    EXPECT_TRUE(a.knows("b"));
    EXPECT_LE(most, Neighbourhood::most_strangers + 1);
    EXPECT_GT(a.neighbourhood.counters().crowded, 0u);
    EXPECT_THAT(a.admissions(), ElementsAre("b b-address"));
    between = nullptr;
    run(11s);
    ASSERT_EQ(a.neighbourhood.hosts().size(), 1u) << "who never answered is forgotten";
    EXPECT_TRUE(a.knows("b"));
}

// Whoever may be alive is asked ten times a second, however many others never answer.
TEST_F(Neighbours, StrangersKeepNobodyFromBeingAsked) {
    Host& a = add("a");
    add("b");
    run(3s);
    std::uint64_t made_up = 0, asked = 0;
    between = [&] {
        for (int i = 0; i < 30; ++i) {
            Message message;
            message.content_type = host_content_type;
            message.cluster = "test";
            message.origin = "made-up-" + std::to_string(++made_up);
            message.via = i % 2 == 0 ? "elsewhere" : "";
            message.payload = encode_host_message(HostAsk{made_up, first_life, true});
            a.hear(message, now);
        }
    };
    run(2s);
    passes = [&](const Message& m, const std::string& receiver) {
        asked += receiver == "b" && m.origin == "a" && is<HostAsk>(m);
        return m.origin != "b" && receiver != "b";
    };
    run(4s);
    EXPECT_GE(asked, 20u) << "from one and a half seconds on";
}

TEST_F(Neighbours, HintsOfMadeUpNamesFillNothing) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(3s);
    Message hinting = last_recorded(is<HostBeat>);
    for (int i = 0; i < 200; ++i) {
        HostHints hints;
        for (int j = 0; j < 10; ++j) hints.hosts.push_back({"made-up-" + std::to_string(10 * i + j), "elsewhere"});
        hinting.payload = encode_host_message(hints);
        a.hear(hinting, now);
    }
    EXPECT_LE(a.neighbourhood.hosts().size(), Neighbourhood::most_strangers + 1);
    EXPECT_TRUE(a.knows("b"));
    hinting.via = "elsewhere";
    HostHints another;
    another.hosts.push_back({"another", "elsewhere"});
    hinting.payload = encode_host_message(another);
    const std::uint64_t crowded = a.neighbourhood.counters().crowded;
    a.hear(hinting, now);
    EXPECT_EQ(a.neighbourhood.counters().crowded, crowded) << "hints come from whoever is known";
}

}  // namespace
}  // namespace rollcall::engine
