// What a screen full of text is: lines of coloured pieces, made without a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/rollcall/colour.hpp"

namespace rollcall::cli::top {

struct Piece {
    std::string text;  // printable
    Colour colour = Colour::plain;
};

struct Line {
    std::vector<Piece> pieces;
    bool is_selected = false;

    Line& add(std::string_view text, Colour colour = Colour::plain) {
        pieces.push_back({std::string(text), colour});
        return *this;
    }
    std::string text() const;
};

using Frame = std::vector<Line>;

// Exactly so many columns: cut, with … at the end, or filled up with blanks. A wide character that would be cut in two becomes a blank.
std::string fitted(std::string_view text, std::size_t columns);
// The line as it fits in so many columns.
Line fitted(const Line& line, std::size_t columns);

}  // namespace rollcall::cli::top
