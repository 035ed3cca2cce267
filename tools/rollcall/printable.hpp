// Text from elsewhere (node ids, endpoints, tags, error messages) made safe to print, and how wide it is on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rollcall::cli {

// The same text without anything that could steer a terminal or break a line: control characters and the marks that reverse the
// direction of writing become `?`, bytes that are not UTF-8 become U+FFFD.
std::string printable(std::string_view text);

// Columns that printable text takes: one a character, two where East Asian scripts and pictures are wide, none for combining marks.
std::size_t width(std::string_view text);

// `text`, filled up with blanks on the right to `columns`; longer text is left alone.
std::string padded(std::string_view text, std::size_t columns);

}  // namespace rollcall::cli
