#include "shm/name.hpp"

namespace rollcall::shm {

namespace {

// The next code point of `text` at `at`, which moves behind it; 0xFFFFFFFF where the bytes are no UTF-8 (RFC 3629).
std::uint32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
    constexpr std::uint32_t bad = 0xFFFF'FFFF;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at++);
    if (lead < 0x80) return lead;
    const int extra = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xC2 && lead < 0xE0 ? 1 : 0;
    if (extra == 0 || at + static_cast<std::size_t>(extra) > text.size()) return bad;
    std::uint32_t point = lead & (0x3Fu >> extra);
    for (int i = 0; i < extra; ++i) {
        if ((byte(at) & 0xC0) != 0x80) return bad;
        point = point << 6 | (byte(at++) & 0x3Fu);
    }
    const bool overlong = (extra == 2 && point < 0x800) || (extra == 3 && point < 0x10000);
    const bool surrogate = point >= 0xD800 && point < 0xE000;
    return overlong || surrogate || point > 0x10FFFF ? bad : point;
}

bool is_control(std::uint32_t point) noexcept {
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x61C || point == 0x2028 || point == 0x2029 ||
           (point >= 0x200B && point <= 0x200F) || (point >= 0x202A && point <= 0x202E) || (point >= 0x2060 && point <= 0x2069) || point == 0xFEFF;
}

bool is_space(std::uint32_t point) noexcept {
    return point == 0x20 || point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x202F || point == 0x205F || point == 0x3000;
}

}  // namespace

bool is_clean_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const std::uint32_t point = next_code_point(text, at);
        if (point == 0xFFFF'FFFF || is_control(point)) return false;
    }
    return true;
}

Result<void> validate_node_id(std::string_view id) {
    if (id.empty()) return fail(ErrorKind::invalid, "the node id is empty: give 1 to 63 bytes");
    if (id.size() > max_node_id) return fail(ErrorKind::invalid, "the node id has " + std::to_string(id.size()) + " bytes: at most 63 are allowed");
    for (std::size_t at = 0; at < id.size();) {
        const std::size_t begin = at;
        const std::uint32_t point = next_code_point(id, at);
        const char* wrong = point == 0xFFFF'FFFF ? "is not valid UTF-8" : is_space(point) ? "contains white space" : is_control(point) ? "contains a control character" : nullptr;
        if (wrong != nullptr) return fail(ErrorKind::invalid, std::string("the node id ") + wrong + " at byte " + std::to_string(begin + 1));
    }
    return {};
}

Result<void> validate_cluster_name(std::string_view name) {
    const auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
    if (name.empty() || name.size() > 63 || !std::all_of(name.begin(), name.end(), ok))
        return fail(ErrorKind::invalid, "the cluster name must be 1 to 63 of A-Za-z0-9_-");
    return {};
}

}  // namespace rollcall::shm
