#include "tools/rollcall/table.hpp"

#include <algorithm>
#include <utility>

#include "tools/rollcall/printable.hpp"

namespace rollcall::cli {

namespace {

// Nothing is filled up behind the last column: no blanks at the ends of lines.
std::string filled(std::string_view text, std::size_t columns, bool last) { return last ? std::string(text) : padded(text, columns) + "  "; }

}  // namespace

void Table::add(std::vector<Cell> row) {
    for (Cell& cell : row) cell.text = cell.text.empty() ? "-" : printable(cell.text);
    rows_.push_back(std::move(row));
}

std::string Table::render(const Palette& palette) const {
    const std::size_t columns = header_.size();
    std::vector<std::size_t> widths(columns);
    for (std::size_t i = 0; i < columns; ++i) widths[i] = width(header_[i]);
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], width(row[i].text));

    std::string text;
    for (std::size_t i = 0; i < columns; ++i) text += palette.paint(Colour::strong, filled(header_[i], widths[i], i + 1 == columns));
    text += '\n';
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < columns; ++i) text += palette.paint(row[i].colour, filled(row[i].text, widths[i], i + 1 == columns));
        text += '\n';
    }
    return text;
}

}  // namespace rollcall::cli
