// Names: what is allowed, what is said about what is not, and how they lie in memory.
#include "shm/name.hpp"

#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::shm {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

TEST(NodeId, IsAnyCleanUtf8OfUpTo63Bytes) {
    for (const std::string& id : {"a"s, "worker-1"s, "~!@#$%^&*()_+{}|:\"<>?[]\\;',./"s, "Zürich"s, "москва"s, "東京"s, "\xF0\x9F\x9A\x80"s, std::string(63, 'x'), "\xC2\xA1"s, "\xDF\xBF"s,
                                  "\xE0\xA0\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xEF\xBF\xBD"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s})
        EXPECT_TRUE(validate_node_id(id).has_value()) << id;
}

TEST(NodeId, IsRefusedWithTheReasonAndThePlace) {
    struct Row {
        std::string id;
        const char* reason;
    };
    const Row rows[] = {
        {"", "empty"},
        {std::string(64, 'x'), "64 bytes"},
        {std::string(5'000, 'x'), "5000 bytes"},
        {"a b", "white space at byte 2"},
        {" a", "white space at byte 1"},
        {"a\xC2\xA0" "b", "white space at byte 2"},          // no-break space
        {"\xE1\x9A\x80", "white space"},                      // Ogham space
        {"a\xE2\x80\x80", "white space at byte 2"},          // U+2000
        {"a\xE2\x80\x8A", "white space"},                    // U+200A
        {"a\xE2\x80\xAF", "white space"},                    // U+202F
        {"a\xE2\x81\x9F", "white space"},                    // U+205F
        {"a\xE3\x80\x80", "white space"},                    // U+3000
        {"a\tb", "control character at byte 2"},
        {"a\n", "control character at byte 2"},
        {"a\0b"s, "control character at byte 2"},
        {"\x1B[31m", "control character at byte 1"},
        {"a\x7F", "control character"},
        {"a\xC2\x80", "control character"},                  // C1
        {"a\xC2\x9F", "control character"},
        {"a\xE2\x80\x8B", "control character"},              // zero width space
        {"a\xE2\x80\xA8", "control character"},              // line separator
        {"a\xE2\x80\xAE", "control character"},              // right-to-left override
        {"a\xE2\x81\xA6", "control character"},              // an isolate
        {"\xEF\xBB\xBF" "a", "control character"},            // byte order mark
        {"a\x80", "UTF-8 at byte 2"},                        // a continuation alone
        {"a\xC3", "UTF-8 at byte 2"},                        // cut short
        {"a\xE2\x82", "UTF-8 at byte 2"},
        {"a\xF0\x9F\x9A", "UTF-8 at byte 2"},
        {"a\xC3(", "UTF-8 at byte 2"},                       // no continuation
        {"\xC0\xAF", "UTF-8 at byte 1"},                     // overlong '/'
        {"\xC1\xBF", "UTF-8"},
        {"\xE0\x80\xAF", "UTF-8"},                           // overlong in three
        {"\xE0\x9F\xBF", "UTF-8"},
        {"\xF0\x80\x80\xAF", "UTF-8"},                       // overlong in four
        {"\xF0\x8F\xBF\xBF", "UTF-8"},
        {"\xED\xA0\x80", "UTF-8"},                           // surrogates
        {"\xED\xBF\xBF", "UTF-8"},
        {"\xF4\x90\x80\x80", "UTF-8"},                       // beyond U+10FFFF
        {"\xF5\x80\x80\x80", "UTF-8"},
        {"\xFE", "UTF-8"},
        {"\xFF\xFF", "UTF-8"},
    };
    for (const Row& row : rows) {
        const auto result = validate_node_id(row.id);
        ASSERT_FALSE(result.has_value()) << row.id << ": " << row.reason;
        EXPECT_EQ(result.error().kind, ErrorKind::invalid);
        EXPECT_THAT(result.error().message, HasSubstr(row.reason));
        EXPECT_EQ(result.error().message.find('\n'), std::string::npos);
    }
}

TEST(NodeId, IsNotCompletedByWhatLiesBehindIt) {
    for (const std::string_view text : {"a\xC3\xBC", "a\xE2\x82\xAC", "a\xF0\x9F\x9A\x80"}) {
        EXPECT_TRUE(validate_node_id(text).has_value());
        for (std::size_t cut = 2; cut < text.size(); ++cut) EXPECT_FALSE(validate_node_id(text.substr(0, cut)).has_value()) << cut << " of " << text;
    }
}

TEST(NodeId, MayBeAsLongInBytesAs63NotInCharacters) {
    std::string id;
    for (int i = 0; i < 21; ++i) id += "東";
    EXPECT_EQ(id.size(), 63u);
    EXPECT_TRUE(validate_node_id(id).has_value());
    EXPECT_FALSE(validate_node_id(id + "a").has_value());
}

TEST(CleanUtf8, AllowsSpacesButNoControls) {
    EXPECT_TRUE(is_clean_utf8(""));
    EXPECT_TRUE(is_clean_utf8("two words, Zürich"));
    EXPECT_FALSE(is_clean_utf8("a\nb"));
    EXPECT_FALSE(is_clean_utf8("a\x80"));
    EXPECT_FALSE(is_clean_utf8("\xC2\x85"));
}

// Marks that turn the direction of what follows: an id that carries one would show another's on a terminal.
TEST(CleanUtf8, AllowsNoMarksOfDirection) {
    for (const char* mark : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202E", "\u2066", "\u2069"}) EXPECT_FALSE(is_clean_utf8(mark)) << mark;
}

// Any bytes may come from outside: the answer may be no, but it must come.
TEST(CleanUtf8, JudgesAnyBytes) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 50'000; ++i) {
        std::string text(random() % 12, ' ');
        for (char& c : text) c = static_cast<char>(random());
        const bool clean = is_clean_utf8(text), valid = validate_node_id(text).has_value();
        ASSERT_TRUE(clean || !valid);
    }
}

TEST(ClusterName, Is1To63LettersDigitsUnderscoresAndDashes) {
    for (const std::string& name : {"default"s, "a"s, "A-Z_0-9"s, "-"s, "_"s, std::string(63, 'z')}) EXPECT_TRUE(validate_cluster_name(name).has_value()) << name;
    for (const std::string& name : {""s, "."s, ".."s, "a/b"s, "../x"s, "a b"s, "a.b"s, "Zürich"s, "a\0b"s, "a\n"s, std::string(64, 'z')}) {
        const auto result = validate_cluster_name(name);
        ASSERT_FALSE(result.has_value()) << name;
        EXPECT_EQ(result.error().kind, ErrorKind::invalid);
    }
}

TEST(Name, KeepsUpTo63Bytes) {
    for (std::size_t length = 0; length <= 63; ++length) {
        const std::string text(length, 'n');
        EXPECT_EQ(Name::of(text).view(), text);
        EXPECT_EQ(Name::of(text).size(), length);
    }
    EXPECT_EQ(Name::of(std::string(64, 'n')).size(), 63u);
}

TEST(Name, IsEqualOnlyToItself) {
    EXPECT_EQ(Name::of("a"), Name::of("a"));
    EXPECT_NE(Name::of("a"), Name::of("b"));
    EXPECT_NE(Name::of("a"), Name::of("a\0"s));
    EXPECT_NE(Name::of(""), Name::of("\0"s));
}

TEST(Name, OfDamagedMemoryStaysInsideItself) {
    Name name;
    name.words.fill(~std::uint64_t{0});
    EXPECT_EQ(name.size(), 63u);
    EXPECT_EQ(name.view().size(), 63u);
    (void)hash_of(name);
}

// Names of fleets differ in a digit or two; the index needs them spread. With good spread 100,000 names in 2^32 collide about once.
TEST(Name, HashesOfSimilarNamesAreSpread) {
    std::set<std::uint32_t> hashes;
    std::array<int, 64> by_top_bits{};
    for (int i = 0; i < 100'000; ++i) {
        const std::uint32_t hash = hash_of(Name::of("worker-" + std::to_string(i)));
        hashes.insert(hash);
        ++by_top_bits[hash >> 26];
    }
    EXPECT_GT(hashes.size(), 99'980u);
    for (const int count : by_top_bits) EXPECT_NEAR(count, 100'000 / 64, 250);
}

}  // namespace
}  // namespace rollcall::shm
