// Keys: what is signed, what is believed, and how a key is changed.
#include "engine/hosts/key_ring.hpp"

#include <algorithm>
#include <cctype>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hosts/datagram.hpp"
#include "engine/hosts/host_message.hpp"

namespace rollcall {
namespace {

using testing::HasSubstr;

const Key old_key = make_key(1), new_key = make_key(2);

Message beat() {
    Message m;
    m.cluster = "orders";
    m.origin = "a";
    m.content_type = engine::host_content_type;
    m.path = engine::host_path_of(m.cluster, m.origin);
    m.payload = engine::encode_host_message(engine::HostBeat{Incarnation{1}, {1, 1}, 1000, {}});
    return m;
}

DatagramFault read(const std::string& bytes, const KeyRing* keys) {
    Message m;
    const DatagramFault fault = decode_datagram(bytes, m, keys);
    EXPECT_TRUE(fault != DatagramFault::none || m == beat());
    return fault;
}

TEST(KeyRing, WhatOneSignsTheOtherBelieves) {
    const KeyRing ring({old_key});
    const std::string bytes = encode_datagram(beat(), &ring).value();
    EXPECT_EQ(bytes.size(), encode_datagram(beat())->size() + KeyRing::mac_bytes);
    EXPECT_EQ(read(bytes, &ring), DatagramFault::none);
}

TEST(KeyRing, NoByteOfItMayBeAnother) {
    const KeyRing ring({old_key});
    Message question = beat();
    question.destination = "b";
    const std::string bytes = encode_datagram(question, &ring).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
            Message m;
            EXPECT_NE(decode_datagram(changed, m, &ring), DatagramFault::none) << "byte " << i;
        }
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        Message m;
        EXPECT_NE(decode_datagram(bytes.substr(0, size), m, &ring), DatagramFault::none) << size;
    }
}

TEST(KeyRing, WithKeysNobodyIsBelievedWhoHasNone) {
    const KeyRing ring({old_key}), other({new_key}), same_id({make_key(1)}), none({});
    EXPECT_EQ(read(encode_datagram(beat()).value(), &ring), DatagramFault::unsigned_message);
    EXPECT_FALSE(encode_datagram(beat(), &none)) << "a ring without keys signs nothing";
    EXPECT_EQ(read(encode_datagram(beat()).value(), &none), DatagramFault::unsigned_message) << "and believes nobody";
    EXPECT_EQ(read(encode_datagram(beat(), &other).value(), &ring), DatagramFault::unknown_key);
    EXPECT_EQ(read(encode_datagram(beat(), &same_id).value(), &ring), DatagramFault::forged);
    EXPECT_EQ(read(encode_datagram(beat(), &ring).value(), nullptr), DatagramFault::unknown_key) << "nor without them who has some";
    EXPECT_EQ(read(encode_datagram(beat(), &ring).value(), &none), DatagramFault::unknown_key);
}

TEST(KeyRing, OnlyHeartbeatsOfSingleNodesMayComeUnsigned) {
    const KeyRing strict({old_key}), lenient({old_key}, true);
    const std::string heartbeat = encode_datagram(make_heartbeat("orders", "a", {})).value();
    Message m;
    EXPECT_EQ(decode_datagram(heartbeat, m, &strict), DatagramFault::unsigned_message);
    EXPECT_EQ(decode_datagram(heartbeat, m, &lenient), DatagramFault::none);
    EXPECT_EQ(decode_datagram(encode_datagram(make_heartbeat("orders", "a", {}), &lenient).value(), m, &lenient), DatagramFault::none);
    EXPECT_EQ(read(encode_datagram(beat()).value(), &lenient), DatagramFault::unsigned_message);
}

// Three steps, each everywhere before the next one; between any two hosts that are one step apart every message is believed.
TEST(KeyRing, IsChangedWithoutLosingAMessage) {
    const std::vector<std::vector<Key>> steps{{old_key}, {old_key, new_key}, {new_key, old_key}, {new_key}};
    for (std::size_t i = 0; i < steps.size(); ++i)
        for (std::size_t j = i == 0 ? 0 : i - 1; j < std::min(i + 2, steps.size()); ++j) {
            KeyRing sender({}), receiver({});
            ASSERT_TRUE(sender.replace(steps[i]));
            ASSERT_TRUE(receiver.replace(steps[j]));
            EXPECT_FALSE(sender.replace({})) << "and keeps what it has";
            EXPECT_EQ(read(encode_datagram(beat(), &sender).value(), &receiver), DatagramFault::none) << i << " to " << j;
        }
}

TEST(KeyRing, RefusesKeysThatCannotBe) {
    EXPECT_TRUE(KeyRing::check({old_key, new_key}));
    const auto why = [](std::vector<Key> keys) { return KeyRing::check(keys).error().message; };
    EXPECT_THAT(why({}), HasSubstr("no key"));
    EXPECT_THAT(why({old_key, make_key(1)}), HasSubstr("two keys have the id 1"));
    EXPECT_THAT(why({make_key(0)}), HasSubstr("1 to 255"));
}

TEST(KeyRing, KeysAreWrittenAndRead) {
    const std::string text = text_of(old_key);
    EXPECT_EQ(text.size(), 64u);
    EXPECT_EQ(parse_key(1, text).value(), old_key);
    std::string capital = text;
    std::transform(capital.begin(), capital.end(), capital.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_EQ(parse_key(1, capital).value(), old_key);
    for (const std::string& bad : {std::string(), text.substr(1), text + "0", text + "00", "g" + text.substr(1), text.substr(0, 63) + " "}) EXPECT_FALSE(parse_key(1, bad)) << bad;
    EXPECT_NE(text_of(make_key(1)), text_of(make_key(1)));
}

// The limit that the design sets: cluster and host of 40 bytes together, nothing changed.
TEST(KeyRing, ASignedBeatIsShort) {
    const KeyRing ring({old_key});
    Message m = beat();
    m.cluster = std::string(20, 'c');
    m.origin = std::string(20, 'h');
    m.path = engine::host_path_of(m.cluster, m.origin);
    EXPECT_LE(encode_datagram(m, &ring)->size(), 128u);
}

// A host message of the greatest length, with the longest names, still fits.
TEST(KeyRing, TheLongestHostMessageFits) {
    const KeyRing ring({old_key});
    Message m = beat();
    m.cluster = m.origin = m.destination = std::string(63, 'n');
    m.path = engine::host_path_of(m.cluster, m.origin);
    m.payload.assign(engine::max_host_payload, 'x');
    EXPECT_TRUE(encode_datagram(m, &ring));
}

}  // namespace
}  // namespace rollcall
