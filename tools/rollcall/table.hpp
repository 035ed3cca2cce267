// Aligned columns for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rollcall/colour.hpp"

namespace rollcall::cli {

class Table {
public:
    explicit Table(std::vector<std::string_view> header) : header_(std::move(header)) {}

    struct Cell {
        std::string text;  // made printable here; empty shows as "-"
        Colour colour = Colour::plain;
    };
    void add(std::vector<Cell> row);  // as many cells as the header has

    bool is_empty() const { return rows_.empty(); }
    // Lines, the header first, columns two blanks apart.
    std::string render(const Palette& palette) const;

private:
    std::vector<std::string_view> header_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace rollcall::cli
