#include "tools/rollcall/demo/script.hpp"

#include <algorithm>

#include "tools/rollcall/printable.hpp"

namespace rollcall::cli::demo {

namespace {

bool is_of_peer(const Event& e) { return !is_of_nobody(e.kind); }

bool matches(const Expected& expected, const Event& event) {
    const std::string_view node = is_of_peer(event) ? event.node() : std::string_view();
    return expected.kind == event.kind && expected.node == node && (expected.reason == Reason::none || expected.reason == event.reason);
}

std::string described(EventKind kind, std::string_view node, Reason reason) {
    std::string text(to_string(kind));
    if (!node.empty()) text += " " + std::string(node);
    if (reason != Reason::none) text += " (" + std::string(to_string(reason)) + ")";
    return printable(text);
}

std::string described(const Event& e) { return described(e.kind, is_of_peer(e) ? e.node() : std::string_view(), e.reason); }

}  // namespace

bool Script::accept(const Event& event) {
    const std::size_t place = scripted_.size();
    seen_.push_back(event);
    const bool is_planned = event.kind != EventKind::paused || (place < expected_.size() && expected_[place].kind == EventKind::paused);
    if (!is_planned) return !failed_;
    scripted_.push_back(event);
    if (place >= expected_.size() || !matches(expected_[place], event)) failed_ = true;
    return !failed_;
}

std::string Script::comparison() const {
    constexpr std::size_t column = 36;
    std::string text = "      " + padded("expected", column) + "seen\n";
    bool marked = false;
    for (std::size_t i = 0; i < std::max(expected_.size(), scripted_.size()); ++i) {
        const bool both = i < expected_.size() && i < scripted_.size();
        const bool differs = !marked && !(both && matches(expected_[i], scripted_[i]));
        const std::string left = i < expected_.size() ? described(expected_[i].kind, expected_[i].node, expected_[i].reason) : "nothing";
        const std::string right = i < scripted_.size() ? described(scripted_[i]) : "nothing";
        text += (differs ? "  ->  " : "      ") + padded(left, column) + right + "\n";
        marked = marked || differs;
    }
    return text;
}

}  // namespace rollcall::cli::demo
