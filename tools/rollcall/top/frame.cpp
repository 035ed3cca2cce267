#include "tools/rollcall/top/frame.hpp"

#include "tools/rollcall/printable.hpp"

namespace rollcall::cli::top {

namespace {

// The bytes of the first character, combining marks and all.
std::size_t first_character(std::string_view text) {
    std::size_t n = 1;
    while (n < text.size() && ((static_cast<unsigned char>(text[n]) & 0xC0) == 0x80 || width(text.substr(0, n + 1)) == width(text.substr(0, n)))) ++n;
    return n;
}

std::string cut(std::string_view text, std::size_t columns) {
    std::string kept;
    std::size_t used = 0;
    while (!text.empty()) {
        const std::string_view character = text.substr(0, first_character(text));
        if (used + width(character) > columns) break;
        used += width(character);
        kept += character;
        text.remove_prefix(character.size());
    }
    return kept;
}

}  // namespace

std::string Line::text() const {
    std::string all;
    for (const Piece& piece : pieces) all += piece.text;
    return all;
}

std::string fitted(std::string_view text, std::size_t columns) {
    if (width(text) <= columns) return padded(text, columns);
    if (columns == 0) return "";
    return padded(cut(text, columns - 1) + "…", columns);
}

Line fitted(const Line& line, std::size_t columns) {
    Line out;
    out.is_selected = line.is_selected;
    std::size_t used = 0;
    for (const Piece& piece : line.pieces) {
        const std::size_t wide = width(piece.text);
        if (used + wide <= columns) {
            out.pieces.push_back(piece);
            used += wide;
            continue;
        }
        out.pieces.push_back({fitted(piece.text, columns - used), piece.colour});
        return out;
    }
    return out.add(std::string(columns - used, ' ')), out;
}

}  // namespace rollcall::cli::top
