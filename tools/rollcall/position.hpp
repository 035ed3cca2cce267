// Where the events already seen end: SEQ or SEQ@STREAM, as `watch --from` takes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rollcall::cli {

struct Position {
    std::optional<std::uint64_t> after, stream;
};

// SEQ in decimal, STREAM in hexadecimal; nothing if the text is anything else.
std::optional<Position> parse_position(std::string_view text);

}  // namespace rollcall::cli
