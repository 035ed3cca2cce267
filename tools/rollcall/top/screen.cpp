#include "tools/rollcall/top/screen.hpp"

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <string>

#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <ncurses.h>

namespace rollcall::cli::top {

namespace {

int attribute_of(Colour colour) {
    switch (colour) {
        case Colour::good: return COLOR_PAIR(1);
        case Colour::doubtful: return COLOR_PAIR(2);
        case Colour::bad: return COLOR_PAIR(3) | A_BOLD;
        case Colour::notice: return COLOR_PAIR(4);
        case Colour::faint: return A_DIM;
        case Colour::strong: return A_BOLD;
        case Colour::plain: break;
    }
    return A_NORMAL;
}

Key key_of(int status, wint_t code) {
    using Kind = Key::Kind;
    if (status == KEY_CODE_YES) {
        switch (code) {
            case KEY_UP: return {Kind::up};
            case KEY_DOWN: return {Kind::down};
            case KEY_PPAGE: return {Kind::page_up};
            case KEY_NPAGE: return {Kind::page_down};
            case KEY_HOME: return {Kind::home};
            case KEY_END: return {Kind::end};
            case KEY_ENTER: return {Kind::enter};
            case KEY_BACKSPACE: return {Kind::backspace};
            default: return {};
        }
    }
    if (code == '\n' || code == '\r') return {Kind::enter};
    if (code == 27) return {Kind::escape};
    if (code == 127 || code == 8) return {Kind::backspace};
    return {Kind::character, static_cast<char32_t>(code)};
}

}  // namespace

Result<Screen> Screen::open(bool with_colour) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) return fail(ErrorKind::invalid, "this needs a terminal; 'rollcall members' and 'rollcall watch' do not");
    const char* terminal = std::getenv("TERM");
    std::setlocale(LC_CTYPE, "");
    if (std::string(std::setlocale(LC_CTYPE, nullptr)) == "C") std::setlocale(LC_CTYPE, "C.UTF-8");  // node ids are UTF-8 whatever the locale
    if (newterm(nullptr, stdout, stdin) == nullptr) return fail(ErrorKind::invalid, std::string("terminal '") + (terminal != nullptr ? terminal : "") + "' is not known: set TERM, for example to xterm");
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, TRUE);
    set_escdelay(50);
    if (with_colour && has_colors()) {
        start_color();
        use_default_colors();
        for (const auto& [pair, colour] : {std::pair<short, short>{1, COLOR_GREEN}, {2, COLOR_YELLOW}, {3, COLOR_RED}, {4, COLOR_CYAN}}) init_pair(pair, colour, -1);
    }
    return Screen();
}

Screen::~Screen() {
    if (is_open_) endwin();
}

std::size_t Screen::columns() const noexcept { return static_cast<std::size_t>(std::max(COLS, 1)); }
std::size_t Screen::lines() const noexcept { return static_cast<std::size_t>(std::max(LINES, 1)); }

void Screen::show(const Frame& frame) {
    erase();
    for (std::size_t y = 0; y < frame.size() && y < lines(); ++y) {
        move(static_cast<int>(y), 0);
        for (const Piece& piece : frame[y].pieces) {
            attrset(attribute_of(piece.colour) | (frame[y].is_selected ? static_cast<int>(A_REVERSE) : 0));
            addstr(piece.text.c_str());
        }
    }
    attrset(A_NORMAL);
    refresh();
}

std::optional<Key> Screen::wait(Duration waiting) {
    timeout(static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(waiting).count()));
    wint_t code = 0;
    const int status = get_wch(&code);
    if (status == ERR) return std::nullopt;
    return key_of(status, code);
}

}  // namespace rollcall::cli::top
