// What hosts say to each other as bytes: there and back, how long it gets, and every way not to be a message.
#include "engine/hosts/host_message.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/own_list.hpp"

namespace rollcall::engine {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr Incarnation life{incarnation_limit - 1};
constexpr std::uint64_t newest = sequence_limit - 1;
constexpr HostSequence sequence{0xFFFF'FFFF, sequence_limit - 1};

ListEntry member(Place place, std::uint64_t version) {
    ListEntry entry;
    entry.place = place;
    entry.version = version;
    entry.state = State::dead;
    entry.reason = Reason::process_exit;
    entry.incarnation = life;
    entry.status = ExitStatus{true, 9};
    entry.node = "gw-1";
    entry.endpoint = "10.0.0.1:7000";
    entry.tags = std::string("rack=7\0", 7);
    return entry;
}
ListEntry nobody(Place place, std::uint64_t version) {
    ListEntry entry;
    entry.place = place;
    entry.version = version;
    entry.reason = Reason::goodbye;
    return entry;
}
ListEntry longest(Place place) {
    ListEntry entry = member(place, newest);
    entry.node.assign(63, 'n');
    entry.endpoint.assign(255, 'e');
    entry.tags = "k=" + std::string(509, 'v') + '\0';
    return entry;
}

HostBeat beat() { return {life, sequence, 0xFFFF'FFFF, {newest, {{1, UINT64_MAX}}}}; }

// One of each kind, in their order.
std::vector<HostMessage> one_of_each() {
    return {beat(),
            HostAsk{UINT64_MAX, life, true},
            HostAnswer{7, beat(), {}},
            ListDelta{life, 3, newest, {nobody(0, 4), member(end_of_places - 1, newest)}},
            ListPage{life, newest, 5, end_of_places, {member(5, 1), member(9, newest)}},
            ListRequest{life, newest, {{0, 1}, {1, 7}, {9, end_of_places}}},
            HostHints{{{"alpha", "10.0.0.1:7946"}, {"beta", "[fe80::1%eth0]:7946"}}},
            HostSuspected{"alpha", life},
            VouchAsk{UINT64_MAX, "alpha", life},
            Vouch{1, std::string(63, 'h'), life, sequence, 0xFFFF'FFFF, beat().list},
            HostGoodbye{life, sequence}};
}

std::string refusal(const std::string& bytes) {
    const auto read = decode_host_message(bytes);
    return read ? "it was read" : read.error().message;
}
std::string why(const HostMessage& message) { return refusal(encode_host_message(message)); }
// The message with something changed.
template <class Kind>
std::string why(Kind message, void (*change)(Kind&)) {
    change(message);
    return why(message);
}

TEST(HostMessage, OfEachKindReadsAsItIsWritten) {
    std::vector<HostMessage> all = one_of_each();
    ASSERT_EQ(all.size(), std::variant_size_v<HostMessage>);
    for (std::size_t kind = 0; kind < all.size(); ++kind) EXPECT_EQ(all[kind].index(), kind);
    all.insert(all.end(), {HostAsk{0, Incarnation{1}, false}, HostAnswer{7, beat(), life}, ListDelta{life, 0, 0, {}}, ListPage{life, 0, 0, end_of_places, {}}, ListRequest{life, 0, {}}, HostHints{}});
    for (const HostMessage& sent : all) {
        const std::string bytes = encode_host_message(sent);
        EXPECT_EQ(bytes[0], 1) << "the version";
        EXPECT_EQ(bytes[1], static_cast<char>(sent.index() + 1)) << "the kind";
        const auto read = decode_host_message(bytes);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(*read, sent) << sent.index();
    }
}

TEST(HostMessage, HasAPathOfItsHost) { EXPECT_EQ(host_path_of("orders", "alpha"), "__system.membership.orders.@.alpha"); }

TEST(HostMessage, OfEveryIntervalIsSmall) { EXPECT_EQ(encode_host_message(beat()).size(), 45u); }

TEST(HostMessage, TheLongestEntryFitsWhereverItIsSaid) {
    const std::string page = encode_host_message(ListPage{life, newest, 7, 8, {longest(7)}}), delta = encode_host_message(ListDelta{life, 1, newest, {longest(7)}});
    EXPECT_LE(page.size(), max_host_payload);
    EXPECT_LE(delta.size(), max_host_payload);
    EXPECT_TRUE(decode_host_message(page));
    EXPECT_TRUE(decode_host_message(delta));
}

TEST(HostMessage, WhatAListGivesForAPayloadFitsIt) {
    OwnList list;
    std::mt19937_64 random(1);
    for (Place place = 0; place < 300; ++place) {
        ListEntry entry = place % 20 == 0 ? longest(place) : member(place, 1);
        entry.endpoint.resize(random() % 200, 'e');
        entry.version = place + 1;
        list.set(place % 7 == 0 ? nobody(place, place + 1) : entry);
    }
    const auto fits = [](const auto& message) {
        const std::string bytes = encode_host_message(message);
        return bytes.size() <= max_host_payload && decode_host_message(bytes) == HostMessage(message);
    };
    const auto deltas = list.changes_since(0, max_list_payload);
    ASSERT_TRUE(deltas);
    for (ListDelta delta : *deltas) {
        delta.incarnation = life;
        EXPECT_TRUE(fits(delta));
    }
    for (Place begin = 0; begin != end_of_places;) {
        ListPage page = list.page(begin, end_of_places, max_list_payload);
        page.incarnation = life;
        EXPECT_TRUE(fits(page));
        begin = page.end;
    }
}

TEST(HostMessage, TheLongestRequestAndManyHintsFit) {
    ListRequest request{life, newest, {}};
    for (Place i = 0; i < ListRequest::max_ranges; ++i) request.ranges.emplace_back(10 * i, 10 * i + 5);
    EXPECT_LE(encode_host_message(request).size(), max_host_payload);
    EXPECT_TRUE(decode_host_message(encode_host_message(request)));
    request.ranges.emplace_back(10'000, 10'001);
    EXPECT_THAT(why(request), HasSubstr("too many ranges"));
    HostHints hints;
    for (int i = 0; i < 7; ++i) hints.hosts.push_back({std::string(63, 'h'), std::string(63, 'a')});
    EXPECT_LE(encode_host_message(hints).size(), max_host_payload);
    EXPECT_TRUE(decode_host_message(encode_host_message(hints)));
    hints.hosts.push_back(hints.hosts.front());
    EXPECT_THAT(why(hints), HasSubstr("at most 960"));
}

TEST(HostMessage, OfAnotherVersionOrKindIsRefused) {
    std::string bytes = encode_host_message(beat());
    bytes[0] = 2;
    EXPECT_EQ(refusal(bytes), "a host message of version 2");
    bytes[0] = 1;
    for (const int kind : {0, 12, 255}) {
        bytes[1] = static_cast<char>(kind);
        EXPECT_EQ(refusal(bytes), "a host message of the unknown kind " + std::to_string(kind));
    }
}

TEST(HostMessage, CutShortAnywhereIsRefusedOrAShorterList) {
    for (const HostMessage& sent : one_of_each()) {
        const std::string bytes = encode_host_message(sent);
        const bool is_list = std::holds_alternative<ListDelta>(sent) || std::holds_alternative<ListPage>(sent) || std::holds_alternative<ListRequest>(sent) || std::holds_alternative<HostHints>(sent);
        int shorter = 0;
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto read = decode_host_message(bytes.substr(0, size));
            if (read) ++shorter;
            else EXPECT_EQ(read.error().message, "a host message that ends too early") << sent.index() << ' ' << size;
        }
        EXPECT_EQ(shorter > 0, is_list) << sent.index();
    }
}

TEST(HostMessage, WithSomethingBehindItIsRefused) {
    for (const HostMessage& sent : one_of_each())
        EXPECT_THAT(refusal(encode_host_message(sent) + 'x'), testing::AnyOf("a host message with something behind it", "a host message that ends too early")) << sent.index();
    EXPECT_EQ(refusal(encode_host_message(HostGoodbye{life, sequence}) + 'x'), "a host message with something behind it");
}

TEST(HostMessage, WithoutAnIncarnationIsRefused) {
    for (const Incarnation none : {Incarnation{}, Incarnation{incarnation_limit}}) {
        const auto refused = AllOf(StartsWith("a host message with"), HasSubstr("incarnation"));
        HostBeat quiet = beat();
        quiet.incarnation = none;
        EXPECT_THAT(why(quiet), refused);
        EXPECT_THAT(why(HostAsk{1, none, true}), refused);
        EXPECT_THAT(why(HostAnswer{1, quiet, life}), refused);
        EXPECT_THAT(why(ListDelta{none, 1, 2, {}}), refused);
        EXPECT_THAT(why(ListPage{none, 1, 2, 3, {}}), refused);
        EXPECT_THAT(why(ListRequest{none, 1, {}}), refused);
        EXPECT_THAT(why(HostSuspected{"alpha", none}), refused);
        EXPECT_THAT(why(VouchAsk{1, "alpha", none}), refused);
        EXPECT_THAT(why(Vouch{1, "alpha", none, sequence, 1, {}}), refused);
        EXPECT_THAT(why(HostGoodbye{none, sequence}), refused);
    }
    EXPECT_THAT(why(HostAnswer{1, beat(), Incarnation{incarnation_limit}}), HasSubstr("incarnation"));
}

TEST(HostMessage, WithNamesThatCannotBeIsRefused) {
    for (const std::string& name : {std::string(), std::string(64, 'h'), std::string("a b"), std::string("a\nb"), std::string("\xff")}) {
        EXPECT_THAT(why(HostSuspected{name, life}), HasSubstr("host's name that cannot be: the node id")) << name;
        EXPECT_THAT(why(VouchAsk{1, name, life}), HasSubstr("host's name")) << name;
        EXPECT_THAT(why(Vouch{1, name, life, sequence, 1, {}}), HasSubstr("host's name")) << name;
        EXPECT_THAT(why(HostHints{{{name, "there"}}}), HasSubstr("host's name")) << name;
        EXPECT_THAT(why(HostHints{{{"alpha", name}}}), HasSubstr("address")) << name;
    }
}

TEST(HostMessage, NonsenseIsRefusedWithTheReason) {
    EXPECT_THAT(why<HostBeat>(beat(), [](HostBeat& m) { m.interval_ms = 0; }), HasSubstr("0 ms"));
    const ListDelta delta{life, 3, 9, {member(1, 4), nobody(2, 9)}};
    EXPECT_THAT(why<ListDelta>(delta, [](ListDelta& m) { m.from = 10; }), HasSubstr("end before they begin"));
    EXPECT_THAT(why<ListDelta>(delta, [](ListDelta& m) { m.entries[1].version = 10; }), HasSubstr("newer than itself"));
    EXPECT_THAT(why<ListDelta>(delta, [](ListDelta& m) { m.entries[1].place = 1; }), HasSubstr("do not ascend")) << "twice";
    EXPECT_THAT(why<ListDelta>(delta, [](ListDelta& m) { m.entries[1].place = 0; }), HasSubstr("do not ascend"));
    EXPECT_THAT(why<ListDelta>(delta, [](ListDelta& m) { m.entries[0].node = "a b"; }), HasSubstr("white space"));
    const ListPage page{life, 9, 1, 5, {member(1, 4), member(4, 9)}};
    EXPECT_THAT(why<ListPage>(page, [](ListPage& m) { m.end = 1; }), HasSubstr("ends before it begins"));
    EXPECT_THAT(why<ListPage>(page, [](ListPage& m) { m.begin = 2; }), HasSubstr("outside its page"));
    EXPECT_THAT(why<ListPage>(page, [](ListPage& m) { m.end = 4; }), HasSubstr("outside its page"));
    EXPECT_THAT(why<ListPage>(page, [](ListPage& m) { m.version = 8; }), HasSubstr("newer than itself"));
    EXPECT_THAT(why<ListPage>(page, [](ListPage& m) { m.entries[0] = nobody(1, 4); }), HasSubstr("empty place"));
    EXPECT_THAT(why<ListPage>(page, [](ListPage& m) { std::swap(m.entries[0], m.entries[1]); }), HasSubstr("do not ascend"));
    const ListRequest request{life, 0, {{1, 3}, {3, 5}}};
    EXPECT_THAT(why<ListRequest>(request, [](ListRequest& m) { m.ranges[0] = {3, 3}; }), HasSubstr("ranges"));
    EXPECT_THAT(why<ListRequest>(request, [](ListRequest& m) { m.ranges[0] = {1, 4}; }), HasSubstr("ranges")) << "nothing is sent twice";
    std::string ask = encode_host_message(HostAsk{1, life, true});
    ask.back() = 2;
    EXPECT_THAT(refusal(ask), HasSubstr("wish"));
}

TEST(HostMessage, AnyBytesAreReadOrRefused) {
    std::mt19937_64 random(1);
    const std::vector<HostMessage> all = one_of_each();
    int taken = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::string bytes = encode_host_message(all[random() % all.size()]);
        if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 8));
        for (int flips = static_cast<int>(random() % 3); flips > 0 && !bytes.empty(); --flips) bytes[random() % bytes.size()] = static_cast<char>(random());
        const auto read = decode_host_message(bytes);
        if (!read) continue;
        ++taken;
        ASSERT_EQ(encode_host_message(*read), bytes) << "there is one way to write it";
    }
    EXPECT_GT(taken, 5000);
}

}  // namespace
}  // namespace rollcall::engine
