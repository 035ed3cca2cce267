// SEQ and SEQ@STREAM by table.
#include "tools/rollcall/position.hpp"

#include <gtest/gtest.h>

namespace rollcall::cli {
namespace {

TEST(Position, IsASequenceAloneOrWithItsStream) {
    const auto alone = parse_position("120");
    ASSERT_TRUE(alone);
    EXPECT_EQ(alone->after, 120u);
    EXPECT_EQ(alone->stream, std::nullopt);
    const auto both = parse_position("18446744073709551615@00c0ffee00c0ffee");
    ASSERT_TRUE(both);
    EXPECT_EQ(both->after, 18446744073709551615u);
    EXPECT_EQ(both->stream, 0x00c0ffee00c0ffeeu);
}

TEST(Position, IsNothingElse) {
    for (const char* text : {"", "@", "1@", "@1", "-1", "+1", " 1", "1 ", "0x10", "1@g", "1@1@1", "18446744073709551616", "1@10000000000000000", "1.5"})
        EXPECT_FALSE(parse_position(text)) << "'" << text << "'";
}

}  // namespace
}  // namespace rollcall::cli
