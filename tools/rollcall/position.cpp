#include "tools/rollcall/position.hpp"

#include <charconv>

namespace rollcall::cli {

namespace {

template <class Number>
bool read_whole(std::string_view text, int base, Number& to) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to, base);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::optional<Position> parse_position(std::string_view text) {
    const std::size_t at = text.find('@');
    std::uint64_t after = 0, stream = 0;
    if (!read_whole(text.substr(0, at), 10, after)) return std::nullopt;
    if (at == text.npos) return Position{after, {}};
    if (!read_whole(text.substr(at + 1), 16, stream)) return std::nullopt;
    return Position{after, stream};
}

}  // namespace rollcall::cli
