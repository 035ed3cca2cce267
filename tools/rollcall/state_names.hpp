// States as people type them.
#pragma once

#include <optional>
#include <string_view>

#include "shm/terms.hpp"

namespace rollcall::cli {

inline constexpr std::string_view state_names = "alive, suspect, dead";

// Nothing if it is none of state_names.
constexpr std::optional<State> parse_state(std::string_view text) {
    for (const State state : {State::alive, State::suspect, State::dead})
        if (text == to_string(state)) return state;
    return std::nullopt;
}

}  // namespace rollcall::cli
