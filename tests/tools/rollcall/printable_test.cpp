// Text from elsewhere must not steer a terminal, break a line or shift a column.
#include "tools/rollcall/printable.hpp"

#include <string>

#include <gtest/gtest.h>

namespace rollcall::cli {
namespace {

using namespace std::string_literals;

constexpr const char* replacement = "\xEF\xBF\xBD";

TEST(Printable, ReplacesWhatSteersATerminal) {
    struct Row {
        std::string text, safe;
    };
    const Row rows[] = {
        {"", ""},
        {"worker-1", "worker-1"},
        {"größe 東京 🚀", "größe 東京 🚀"},
        {"a\nb\rc\td", "a?b?c?d"},
        {"\x1b[31mred", "?[31mred"},
        {"a\0b"s, "a?b"},
        {"a\x7f" "b", "a?b"},
        {"a\xC2\x85" "b", "a?b"},          // NEL, of C1
        {"a\xC2\x9B" "31mb", "a?31mb"},    // CSI, of C1
        {"a\xE2\x80\xA8" "b", "a?b"},      // line separator
        {"a\xE2\x80\xAE" "b", "a?b"},      // right-to-left override
        {"a\xE2\x81\xA6" "b", "a?b"},      // left-to-right isolate
        {"a\xD8\x9C" "b", "a?b"},          // Arabic letter mark
        {"e\xCC\x81", "e\xCC\x81"},        // a combining accent stays
    };
    for (const Row& row : rows) EXPECT_EQ(printable(row.text), row.safe);
}

// Each byte that begins no character is one mark, so that nothing hides and nothing is swallowed.
TEST(Printable, ReplacesBytesThatAreNotUtf8) {
    const std::string mark = replacement;
    struct Row {
        std::string text, safe;
    };
    const Row rows[] = {
        {"a\xFF" "b", "a" + mark + "b"},
        {"\x80", mark},
        {"\xC0\xAF", mark + mark},                      // overlong /
        {"\xE0\x80\xAF", mark + mark + mark},           // overlong /
        {"\xF0\x80\x80\xAF", mark + mark + mark + mark},
        {"\xED\xA0\x80", mark + mark + mark},           // a surrogate
        {"\xF4\x90\x80\x80", mark + mark + mark + mark},  // beyond Unicode
        {"\xC3", mark},                                 // cut off
        {"\xE2\x82", mark + mark},
        {"\xC3(", mark + "("},
        {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},       // the last one there is
    };
    for (const Row& row : rows) EXPECT_EQ(printable(row.text), row.safe);
}

TEST(Width, CountsColumnsNotBytes) {
    struct Row {
        std::string text;
        std::size_t columns;
    };
    const Row rows[] = {
        {"", 0}, {"abc", 3}, {"größe", 5}, {"東京", 4}, {"한글", 4}, {"🚀", 2}, {"e\xCC\x81", 1}, {"a\xE2\x80\x8B" "b", 2}, {"\xFF", 1}, {"ｱ", 1}, {"Ａ", 2},
    };
    for (const Row& row : rows) EXPECT_EQ(width(row.text), row.columns) << row.text;
}

TEST(Padded, FillsUpByColumns) {
    EXPECT_EQ(padded("abc", 5), "abc  ");
    EXPECT_EQ(padded("東京", 5), "東京 ");
    EXPECT_EQ(padded("größe", 6), "größe ");
    EXPECT_EQ(padded("abc", 3), "abc");
    EXPECT_EQ(padded("abcdef", 3), "abcdef");
    EXPECT_EQ(padded("", 2), "  ");
}

}  // namespace
}  // namespace rollcall::cli
