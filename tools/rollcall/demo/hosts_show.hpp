// `rollcall demo --hosts N`: what hosts tell each other, played by real engines, and checked.
#pragma once

#include <cstddef>

#include "tools/rollcall/command.hpp"

namespace rollcall::cli::demo {

int play_hosts(const Common& common, std::size_t hosts);

}  // namespace rollcall::cli::demo
