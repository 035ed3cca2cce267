#include "tools/rollcall/colour.hpp"

namespace rollcall::cli {

namespace {

constexpr std::string_view code(Colour colour) {
    switch (colour) {
        case Colour::good: return "32";
        case Colour::doubtful: return "33";
        case Colour::bad: return "31";
        case Colour::notice: return "36";
        case Colour::faint: return "2";
        case Colour::strong: return "1";
        case Colour::plain: break;
    }
    return "";
}

}  // namespace

std::string Palette::paint(Colour colour, std::string_view text) const {
    if (!on_ || text.empty() || colour == Colour::plain) return std::string(text);
    return "\x1b[" + std::string(code(colour)) + "m" + std::string(text) + "\x1b[0m";
}

Colour colour_of(State state) {
    switch (state) {
        case State::alive: return Colour::good;
        case State::suspect: return Colour::doubtful;
        case State::dead: return Colour::bad;
        case State::none: break;
    }
    return Colour::faint;
}

Colour colour_of(EventKind kind) {
    switch (plain_kind(kind)) {
        case EventKind::joined:
        case EventKind::recovered: return Colour::good;
        case EventKind::suspect: return Colour::doubtful;
        case EventKind::dead: return Colour::bad;
        case EventKind::paused:
        case EventKind::one_way:
        case EventKind::orphaned:
        case EventKind::duplicate:
        case EventKind::mass_silence:
        case EventKind::host_duplicate:
        case EventKind::gap: return Colour::notice;
        case EventKind::evicted:
        case EventKind::left: return Colour::faint;
        default: break;
    }
    return Colour::plain;
}

}  // namespace rollcall::cli
