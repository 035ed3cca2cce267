// Whom a host believes: hosts by themselves, without engines behind them, on a wire that a test may record, hold back and replay. Time is moved by hand.
#include "engine/hosts/neighbourhood.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Le;
using testing::Not;

constexpr Instant origin = instant_from_ns(1'000'000'004'321);
constexpr Incarnation first_life{1'700'000'000'000'000}, next_life{1'700'000'000'000'001};

ListEntry member(const std::string& node, std::uint64_t version) {
    ListEntry entry;
    entry.place = 1;
    entry.version = version;
    entry.state = State::alive;
    entry.reason = Reason::join;
    entry.incarnation = Incarnation{7};
    entry.node = node;
    return entry;
}

template <class Kind>
bool is(const Message& message) {
    const auto read = decode_host_message(message.payload);
    return read && std::holds_alternative<Kind>(*read);
}
template <class Kind>
Kind read(const Message& message) {
    return std::get<Kind>(decode_host_message(message.payload).value());
}

// One host: what it asks of its engine is recorded, and every request is granted.
class Host {
public:
    struct Beat {
        std::string host;
        bool agrees = false;  // M was beaten too
        Instant at{};
        friend void PrintTo(const Beat& beat, std::ostream* out) { *out << beat.host << (beat.agrees ? " agrees, at " : " differs, at ") << to_ns(beat.at); }
    };

    Host(std::string name, std::string at, Incarnation life, std::uint64_t seed)
        : name_(std::move(name)), address(std::move(at)), neighbourhood(HostIdentity{"test", name_, life, 1}, hooks(), 4096, seed) {
        change([this](OwnList& list) { list.set(member(name_ + "-1", 1)); });
    }

    void change(const std::function<void(OwnList&)>& how) {
        neighbourhood.change_list([&](OwnList& list) {
            how(list);
            return std::optional<Incarnation>();
        });
    }
    bool hear(Message message, Instant at) {
        const bool has_news = neighbourhood.hear(message, at);
        grant();
        return has_news;
    }
    void tick(Instant now, std::vector<Message>& out) {
        neighbourhood.tick(now, out);
        grant();
    }
    std::optional<HostView> view(const std::string& host) const {
        for (HostView& each : neighbourhood.hosts())
            if (each.host == host) return std::move(each);
        return std::nullopt;
    }
    bool knows(const std::string& host, Incarnation life = first_life) const {
        const auto seen = view(host);
        return seen && seen->is_verified && seen->incarnation == life;
    }
    // "host address", of whom it asked to be taken in.
    std::vector<std::string> admissions() const {
        std::vector<std::string> all;
        for (const Request& request : requests_)
            if (request.kind == Request::Kind::admit_host) all.push_back(request.node + " " + request.endpoint.value_or(""));
        return all;
    }
    const std::string& name() const noexcept { return name_; }

private:
    Neighbourhood::Hooks hooks() {
        Neighbourhood::Hooks hooks;
        hooks.settings = [] { return Settings{}; };
        hooks.speaks = [] { return true; };
        hooks.put = [this](Request request) {
            requests_.push_back(std::move(request));
            return true;
        };
        hooks.beat = [this](const HostWords& words, bool agrees, Instant at, const PathQuality&) {
            beats.push_back({hosts_.at(words.host.value), agrees, at});
            return true;
        };
        return hooks;
    }
    // Not from inside `put`, which is called under the lock.
    void grant() {
        for (; granted_ < requests_.size(); ++granted_) {
            const Request& request = requests_[granted_];
            if (request.kind != Request::Kind::admit_host) continue;
            const auto number = static_cast<std::uint32_t>(2 * hosts_.size());
            hosts_[number] = request.node;
            Answer answer{std::nullopt, Slot{number}, Generation{1}, request.incarnation, true};
            answer.word = Slot{number + 1};
            answer.word_generation = Generation{1};
            request.done(answer);
        }
    }

    std::string name_;
    std::vector<Request> requests_;
    std::size_t granted_ = 0;
    std::map<std::uint32_t, std::string> hosts_;

public:
    std::string address;
    std::vector<Beat> beats;
    Neighbourhood neighbourhood;
};

// What is said arrives at once, unless a test has it otherwise.
class Wire : public testing::Test {
protected:
    Host& add(const std::string& name, Incarnation life = first_life) { return add_as(name, name, life); }
    // Who is called by a name that somebody else may have.
    Host& add_as(const std::string& name, const std::string& called, Incarnation life) {
        auto& made = hosts_[name] = std::make_unique<Host>(called, name + "-address", life, ++seed_);
        return *made;
    }
    void remove(const std::string& name) { hosts_.erase(name); }

    void run(Duration d) {
        for (const Instant end = now + d; now < end;) {
            now += 10ms;
            for (int round = 0; round < 6; ++round) exchange();  // enough for a question, its answer and what follows from it
        }
    }
    void exchange() {
        for (const auto& [name, host] : hosts_) {
            std::vector<Message> out;
            host->tick(now, out);
            for (Message& message : out) deliver(*host, std::move(message));
        }
        if (between) between();
    }
    // A message as its receiver has it.
    void deliver(Host& from, Message message) {
        const std::string to = std::exchange(message.via, from.address);
        for (const auto& [name, host] : hosts_)
            if (host.get() != &from && (to.empty() || to == host->address) && (!passes || passes(message, name))) host->hear(message, now);
    }
    // Everything that `from` says to `to` from now on. It arrives all the same if `arrives`.
    void record(const std::string& from, const std::string& to, bool arrives) {
        passes = [=, this](const Message& message, const std::string& receiver) {
            if (message.origin != from || receiver != to) return true;
            recording.push_back(message);
            return arrives;
        };
    }
    void cut(const std::string& from, const std::string& to) {
        passes = [=](const Message& message, const std::string& receiver) { return message.origin != from || receiver != to; };
    }
    void heal() { passes = nullptr; }
    void replay(Host& to) {
        for (const Message& message : recording) to.hear(message, now);
    }
    Message last_recorded(bool (*is_wanted)(const Message&)) const {
        const auto at = std::find_if(recording.rbegin(), recording.rend(), is_wanted);
        if (at == recording.rend()) throw std::runtime_error("nothing of the kind was recorded");
        return *at;
    }

    Instant now = origin;
    std::function<bool(const Message&, const std::string& receiver)> passes;
    std::function<void()> between;
    std::vector<Message> recording;

private:
    std::map<std::string, std::unique_ptr<Host>> hosts_;
    std::uint64_t seed_ = 0;
};

using Neighbours = Wire;

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
    EXPECT_EQ(a.neighbourhood.hosts().size(), Neighbourhood::most_strangers + 1);
    EXPECT_TRUE(a.knows("b"));
    hinting.via = "elsewhere";
    HostHints another;
    another.hosts.push_back({"another", "elsewhere"});
    hinting.payload = encode_host_message(another);
    const std::uint64_t crowded = a.neighbourhood.counters().crowded;
    a.hear(hinting, now);
    EXPECT_EQ(a.neighbourhood.counters().crowded, crowded) << "hints come from whoever is known";
}

TEST_F(Neighbours, WhatIsNotForThemOrDoesNotReadIsCounted) {
    Host& a = add("a");
    add("b");
    record("b", "a", true);
    run(3s);
    heal();
    const Message beat = last_recorded(is<HostBeat>);
    remove("b");
    const NeighbourhoodCounters before = a.neighbourhood.counters();
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

    const NeighbourhoodCounters after = a.neighbourhood.counters();
    EXPECT_EQ(after.heard - before.heard, 9u) << "what is no host's message is not counted here";
    EXPECT_EQ(after.misdirected - before.misdirected, 1u);
    EXPECT_EQ(after.refused - before.refused, 6u);
    EXPECT_EQ(after.echoes - before.echoes, 1u);
    EXPECT_EQ(after.stale - before.stale, 1u) << "that beat was heard before";
    EXPECT_EQ(after.unproven, before.unproven);
    EXPECT_EQ(after.crowded, before.crowded);
    EXPECT_THAT(a.beats, IsEmpty());
    EXPECT_EQ(a.neighbourhood.hosts().size(), 1u);
}

}  // namespace
}  // namespace rollcall::engine
