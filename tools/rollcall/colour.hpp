// Colours on a terminal: few, and each always means the same.
#pragma once

#include <string>
#include <string_view>

#include "shm/terms.hpp"

namespace rollcall::cli {

enum class Colour { plain, good, doubtful, bad, notice, faint, strong };

// Paints only where colours are wanted, so that callers need not ask.
class Palette {
public:
    explicit Palette(bool on) : on_(on) {}
    std::string paint(Colour colour, std::string_view text) const;

private:
    bool on_;
};

Colour colour_of(State state);
Colour colour_of(EventKind kind);

}  // namespace rollcall::cli
