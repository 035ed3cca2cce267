// The terminal, by ncurses: the only file that includes it is screen.cpp.
#pragma once

#include <cstddef>
#include <optional>

#include "shm/error.hpp"
#include "shm/units.hpp"
#include "tools/rollcall/top/board.hpp"

namespace rollcall::cli::top {

// One at a time; it has the terminal until its end, and leaves it as it was.
class Screen {
public:
    // Fails with invalid where stdin or stdout is no terminal, or TERM names none that is known.
    static Result<Screen> open(bool with_colour);
    Screen(Screen&& other) noexcept : is_open_(std::exchange(other.is_open_, false)) {}
    Screen& operator=(Screen&&) = delete;
    ~Screen();

    std::size_t columns() const noexcept;
    std::size_t lines() const noexcept;
    void show(const Frame& frame);
    // The next key, or nothing when time is over; a change of the window's size is a key of kind `other`.
    std::optional<Key> wait(Duration timeout);

private:
    Screen() = default;
    bool is_open_ = true;
};

}  // namespace rollcall::cli::top
