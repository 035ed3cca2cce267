#include "engine/transports/subjects.hpp"

#include <algorithm>

#include "engine/hosts/host_message.hpp"

namespace rollcall {

namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

bool is_plain(char c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

std::string cluster_subject(std::string_view cluster) { return std::string(membership_path) + "." + escape_token(cluster); }

// Each part between dots by itself.
std::string escape_path(std::string_view path) {
    std::string subject;
    for (;;) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        subject += escape_token(path.substr(0, dot));
        if (dot == path.size()) return subject;
        subject += '.';
        path.remove_prefix(dot + 1);
    }
}

}  // namespace

std::string escape_token(std::string_view text) {
    std::string token;
    for (const char c : text) {
        if (is_plain(c)) {
            token += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        token += {'=', digits[byte >> 4], digits[byte & 15]};
    }
    return token;
}

bool is_escaped_token(std::string_view token) noexcept {
    const auto is_digit = [](char c) { return digits.find(c) != std::string_view::npos; };
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (is_plain(token[i])) continue;
        if (token[i] != '=' || i + 2 >= token.size() || !is_digit(token[i + 1]) || !is_digit(token[i + 2])) return false;
        i += 2;
    }
    return !token.empty();
}

Result<std::string> subject_of(const Message& message) {
    const bool is_of_host = message.content_type == engine::host_content_type && message.path == engine::host_path_of(message.cluster, message.origin);
    if (is_of_host) return cluster_subject(message.cluster) + ".@." + escape_token(message.origin);
    if (message.path == membership_path_of(message.cluster, message.origin)) return cluster_subject(message.cluster) + "." + escape_token(message.origin);
    const std::string subject = escape_path(message.path);
    const bool has_empty = subject.empty() || subject.front() == '.' || subject.back() == '.' || subject.find("..") != std::string::npos;
    if (has_empty) return fail(ErrorKind::invalid, "the path '" + message.path + "' has an empty part: there is no such subject");
    return subject;
}

std::string inbox_of(std::string_view cluster, std::string_view escaped_host) { return cluster_subject(cluster) + ".@." + std::string(escaped_host) + ".ask"; }

std::vector<std::string> subjects_of_cluster(std::string_view cluster) { return {cluster_subject(cluster) + ".*", cluster_subject(cluster) + ".@.*"}; }

std::string subject_below(std::string_view prefix) {
    const std::size_t dot = prefix.rfind('.');
    return dot == std::string_view::npos || dot == 0 ? ">" : escape_path(prefix.substr(0, dot)) + ".>";
}

}  // namespace rollcall
