#include "tools/rollcall/printable.hpp"

#include <cstdint>

namespace rollcall::cli {

namespace {

struct Decoded {
    char32_t code = 0;
    std::size_t bytes = 1;
    bool valid = false;
};

// The character at the start of `text`, which is not empty. Overlong forms, surrogates and numbers beyond Unicode are not valid.
Decoded decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return {first, 1, true};
    const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return {};
    char32_t code = first & (0xFFu >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xC0u) != 0x80u) return {};
        code = code << 6 | (byte(i) & 0x3Fu);
    }
    const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
    return {code, bytes, true};
}

constexpr bool within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// C0, DEL, C1; line and paragraph separators; marks that turn the direction of what follows.
bool steers(char32_t c) {
    return c < 0x20 || within(c, 0x7F, 0x9F) || c == 0x61C || within(c, 0x200E, 0x200F) || within(c, 0x2028, 0x202E) || within(c, 0x2066, 0x2069);
}

bool takes_no_column(char32_t c) {
    return within(c, 0x300, 0x36F) || within(c, 0x1AB0, 0x1AFF) || within(c, 0x200B, 0x200D) || within(c, 0x20D0, 0x20FF) ||
           within(c, 0xFE00, 0xFE0F) || within(c, 0xFE20, 0xFE2F) || c == 0xFEFF;
}

bool takes_two_columns(char32_t c) {
    return within(c, 0x1100, 0x115F) || within(c, 0x2E80, 0x303E) || within(c, 0x3041, 0xA4CF) || within(c, 0xAC00, 0xD7A3) ||
           within(c, 0xF900, 0xFAFF) || within(c, 0xFE30, 0xFE6F) || within(c, 0xFF00, 0xFF60) || within(c, 0xFFE0, 0xFFE6) ||
           within(c, 0x1F300, 0x1F64F) || within(c, 0x1F680, 0x1F6FF) || within(c, 0x1F900, 0x1F9FF) || within(c, 0x20000, 0x3FFFD);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const Decoded c = decode(text);
        if (!c.valid) safe += "\xEF\xBF\xBD";
        else if (steers(c.code)) safe += '?';
        else safe += text.substr(0, c.bytes);
        text.remove_prefix(c.bytes);
    }
    return safe;
}

std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Decoded c = decode(text);
        columns += takes_no_column(c.code) && c.valid ? 0 : takes_two_columns(c.code) ? 2 : 1;
        text.remove_prefix(c.bytes);
    }
    return columns;
}

std::string padded(std::string_view text, std::size_t columns) {
    const std::size_t taken = width(text);
    return std::string(text) + std::string(taken < columns ? columns - taken : 0, ' ');
}

}  // namespace rollcall::cli
