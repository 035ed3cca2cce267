// Entries of a list as bytes: there and back, and every way not to be one; and what their digests are sums of.
#include "engine/hosts/list_entry.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

using testing::HasSubstr;

ListEntry member() {
    ListEntry entry;
    entry.place = 7;
    entry.version = (std::uint64_t{1} << 48) - 1;
    entry.state = State::alive;
    entry.reason = Reason::join;
    entry.incarnation = Incarnation{incarnation_limit - 1};
    entry.node = "gw-1";
    entry.endpoint = "10.0.0.1:7000";
    entry.tags = std::string("a=1\0rack=zürich 7\0", 19);
    return entry;
}

ListEntry nobody() {
    ListEntry entry;
    entry.place = 7;
    entry.version = 12;
    entry.reason = Reason::goodbye;
    return entry;
}

ListEntry longest() {
    ListEntry entry = member();
    entry.node.assign(63, 'n');
    entry.endpoint.assign(255, 'e');
    entry.tags = "k=" + std::string(509, 'v') + '\0';
    entry.status = ExitStatus{true, 9};
    return entry;
}

std::string bytes_of(const ListEntry& entry) {
    ByteWriter out;
    write_entry(out, entry);
    return out.take();
}

TEST(ListEntry, ReadsAsItIsWritten) {
    std::vector<ListEntry> all{member(), nobody(), longest()};
    for (const auto status : {ExitStatus{false, 0}, ExitStatus{false, 255}, ExitStatus{true, 11}}) {
        all.push_back(member());
        all.back().state = State::dead;
        all.back().reason = Reason::process_exit;
        all.back().status = status;
    }
    all.push_back(nobody());
    all.back().reason = Reason::none;
    all.push_back(member());
    all.back().previous = Reason::goodbye;
    all.push_back(member());
    all.back().endpoint.clear();
    all.back().tags.clear();
    for (const ListEntry& entry : all) {
        const std::string bytes = bytes_of(entry);
        EXPECT_EQ(bytes.size(), encoded_size(entry));
        ByteReader in(bytes);
        const auto read = read_entry(in);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_TRUE(in.is_done());
        EXPECT_EQ(*read, entry);
    }
}

TEST(ListEntry, IsNeverLongerThanPagesHaveRoomFor) {
    EXPECT_EQ(encoded_size(longest()), max_entry_bytes);
    EXPECT_EQ(encoded_size(nobody()), 12u) << "an empty place";
}

TEST(ListEntry, EveryReasonThatHasAWordCanBeSaid) {
    for (unsigned value = 0; value < 256; ++value) {
        ListEntry entry = member();
        entry.reason = static_cast<Reason>(value);
        const std::string bytes = bytes_of(entry);
        ByteReader in(bytes);
        EXPECT_EQ(read_entry(in).has_value(), to_string(entry.reason) != "none") << value;
    }
}

TEST(ListEntry, NonsenseIsRefusedWithTheReason) {
    const auto why = [](auto change, ListEntry entry = member()) {
        change(entry);
        const std::string bytes = bytes_of(entry);
        ByteReader in(bytes);
        const auto read = read_entry(in);
        return read ? std::string(in.is_short() ? "it is short" : "it was read") : read.error().message;
    };
    EXPECT_THAT(why([](ListEntry& e) { e.place = end_of_places; }), HasSubstr("behind its end"));
    EXPECT_THAT(why([](ListEntry& e) { e.version = 0; }), HasSubstr("version"));
    EXPECT_THAT(why([](ListEntry& e) { e.state = static_cast<State>(4); }), HasSubstr("state 4"));
    EXPECT_THAT(why([](ListEntry& e) { e.reason = Reason::none; }), HasSubstr("reason 0")) << "somebody is there for a reason";
    EXPECT_THAT(why([](ListEntry& e) { e.reason = static_cast<Reason>(200); }), HasSubstr("reason 200"));
    EXPECT_THAT(why([](ListEntry& e) { e.reason = static_cast<Reason>(200); }, nobody()), HasSubstr("reason 200"));
    EXPECT_THAT(why([](ListEntry& e) { e.previous = static_cast<Reason>(200); }), HasSubstr("reason 200"));
    EXPECT_THAT(why([](ListEntry& e) { e.incarnation = {}; }), HasSubstr("incarnation"));
    EXPECT_THAT(why([](ListEntry& e) { e.incarnation = Incarnation{incarnation_limit}; }), HasSubstr("incarnation"));
    EXPECT_THAT(why([](ListEntry& e) { e.node.clear(); }), HasSubstr("node id is empty"));
    EXPECT_THAT(why([](ListEntry& e) { e.node.assign(64, 'n'); }), HasSubstr("64 bytes"));
    EXPECT_THAT(why([](ListEntry& e) { e.node = "a b"; }), HasSubstr("white space"));
    EXPECT_THAT(why([](ListEntry& e) { e.endpoint = "a\nb"; }), HasSubstr("endpoint"));
    EXPECT_THAT(why([](ListEntry& e) { e.tags = "a=1"; }), HasSubstr("tags")) << "no NUL behind it";
    EXPECT_THAT(why([](ListEntry& e) { e.tags = std::string("=1\0", 3); }), HasSubstr("tags"));
    EXPECT_THAT(why([](ListEntry& e) { e.tags = std::string("a\0", 2); }), HasSubstr("tags"));
    EXPECT_THAT(why([](ListEntry& e) { e.tags = std::string("a=\n\0", 4); }), HasSubstr("tags"));
    EXPECT_THAT(why([](ListEntry& e) { e.tags = std::string("b=1\0a=1\0", 8); }), HasSubstr("tags")) << "one way to say it";
    EXPECT_THAT(why([](ListEntry& e) { e.tags = std::string("a=1\0a=2\0", 8); }), HasSubstr("tags"));
    EXPECT_THAT(why([](ListEntry& e) { e.tags = "k=" + std::string(510, 'v') + '\0'; }), HasSubstr("tags")) << "513 bytes";
}

TEST(ListEntry, AnEndThatCannotBeIsRefused) {
    constexpr std::size_t ending = 12 + 7;
    for (const auto& [at, byte] : {std::pair<std::size_t, char>{ending, 3}, {ending + 1, 1}}) {
        std::string bytes = bytes_of(member());
        bytes[at] = byte;
        ByteReader in(bytes);
        const auto read = read_entry(in);
        ASSERT_FALSE(read);
        EXPECT_THAT(read.error().message, HasSubstr("end that cannot be"));
    }
}

TEST(ListEntry, CutShortAnywhereItIsShort) {
    for (const ListEntry& entry : {member(), nobody()}) {
        const std::string bytes = bytes_of(entry);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            ByteReader in(std::string_view(bytes).substr(0, size));
            const auto read = read_entry(in);
            EXPECT_TRUE(in.is_short()) << size;
        }
    }
}

TEST(ListEntry, AnyBytesAreReadOrRefused) {
    std::mt19937_64 random(1);
    int taken = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = bytes_of(i % 2 == 0 ? member() : longest());
        for (int flips = static_cast<int>(random() % 3); flips > 0; --flips) bytes[random() % bytes.size()] = static_cast<char>(random());
        ByteReader in(bytes);
        const auto read = read_entry(in);
        if (!read || in.is_short()) continue;
        ++taken;
        ASSERT_EQ(bytes_of(*read), bytes.substr(0, encoded_size(*read))) << "there is one way to write it";
    }
    EXPECT_GT(taken, 1000);
}

TEST(Digest, OfAnEntryCoversAllButItsVersionAndWhatWasBefore) {
    const ListEntry base = member();
    const auto differs = [&](auto change) {
        ListEntry entry = base;
        change(entry);
        return digest_of(entry) != digest_of(base);
    };
    EXPECT_FALSE(differs([](ListEntry& e) { e.version = 1; }));
    EXPECT_FALSE(differs([](ListEntry& e) { e.previous = Reason::goodbye; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.place = 8; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.state = State::suspect; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.reason = Reason::registered; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.incarnation = Incarnation{5}; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.status = ExitStatus{}; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.node = "gw-2"; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.endpoint = "elsewhere"; }));
    EXPECT_TRUE(differs([](ListEntry& e) { e.tags.clear(); }));
    EXPECT_NE(digest_of(base), Digest{});
    EXPECT_EQ(digest_of(nobody()), Digest{}) << "of an empty place";
}

TEST(Digest, IsBlake2b) {
    // b2sum -l 128 of "abc" (RFC 7693's function): cf4ab791c62b8d2b2109c90275287816
    EXPECT_EQ(digest_of(std::string_view("abc")), (Digest{{0x2b8d2bc691b74acf, 0x1678287502c90921}}));
}

TEST(Digest, OfAListIsASumThatCanBeTakenApart) {
    constexpr std::uint64_t all = UINT64_MAX;
    Digest sum{{all, 3}};
    sum += Digest{{2, 4}};
    EXPECT_EQ(sum, (Digest{{1, 8}})) << "what is too much for one word goes to the next";
    sum -= Digest{{2, 4}};
    EXPECT_EQ(sum, (Digest{{all, 3}}));
    sum += Digest{{all, all}};
    sum -= Digest{{all, all}};
    EXPECT_EQ(sum, (Digest{{all, 3}}));
}

}  // namespace
}  // namespace rollcall::engine
