// Aligned columns, and colours that mean something.
#include "tools/rollcall/table.hpp"

#include <gtest/gtest.h>

namespace rollcall::cli {
namespace {

const Palette plain(false), coloured(true);

TEST(Table, AlignsColumnsTwoBlanksApartAndFillsNothingAtTheEnd) {
    Table table({"NODE", "STATE", "TAGS"});
    EXPECT_TRUE(table.is_empty());
    table.add({{"a"}, {"alive"}, {"k=v"}});
    table.add({{"a-longer-name"}, {"suspect"}, {}});
    EXPECT_FALSE(table.is_empty());
    EXPECT_EQ(table.render(plain),
              "NODE           STATE    TAGS\n"
              "a              alive    k=v\n"
              "a-longer-name  suspect  -\n");
}

TEST(Table, WithoutRowsIsItsHeader) { EXPECT_EQ(Table({"A", "LONGER"}).render(plain), "A  LONGER\n"); }

TEST(Table, CountsWideCharactersAsTheyAreShown) {
    Table table({"N", "X"});
    table.add({{"東京"}, {"1"}});
    table.add({{"abcd"}, {"2"}});
    EXPECT_EQ(table.render(plain), "N     X\n東京  1\nabcd  2\n");
}

TEST(Table, LetsNoCellBreakALine) {
    Table table({"N", "X"});
    table.add({{"a\nb\x1b[0m"}, {"\xFF"}});
    EXPECT_EQ(table.render(plain), "N        X\na?b?[0m  \xEF\xBF\xBD\n");
}

TEST(Table, PaintsCellsWithoutMovingThem) {
    Table table({"N", "S"});
    table.add({{"a"}, {"alive", Colour::good}});
    EXPECT_EQ(table.render(coloured), "\x1b[1mN  \x1b[0m\x1b[1mS\x1b[0m\na  \x1b[32malive\x1b[0m\n");
}

TEST(Palette, PaintsOnlyWhereColoursAreWanted) {
    EXPECT_EQ(coloured.paint(Colour::bad, "x"), "\x1b[31mx\x1b[0m");
    EXPECT_EQ(coloured.paint(Colour::plain, "x"), "x");
    EXPECT_EQ(coloured.paint(Colour::bad, ""), "");
    EXPECT_EQ(plain.paint(Colour::bad, "x"), "x");
}

TEST(Palette, GivesStatesAndEventsTheSameColours) {
    EXPECT_EQ(colour_of(State::alive), Colour::good);
    EXPECT_EQ(colour_of(State::suspect), Colour::doubtful);
    EXPECT_EQ(colour_of(State::dead), Colour::bad);
    EXPECT_EQ(colour_of(State::none), Colour::faint);
    EXPECT_EQ(colour_of(EventKind::joined), Colour::good);
    EXPECT_EQ(colour_of(EventKind::recovered), Colour::good);
    EXPECT_EQ(colour_of(EventKind::suspect), Colour::doubtful);
    EXPECT_EQ(colour_of(EventKind::dead), Colour::bad);
    EXPECT_EQ(colour_of(EventKind::left), Colour::faint);
    EXPECT_EQ(colour_of(EventKind::gap), Colour::notice);
}

}  // namespace
}  // namespace rollcall::cli
