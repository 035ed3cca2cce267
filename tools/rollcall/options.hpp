// The command line: finds the subcommand, fills its options, prints help, runs it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/rollcall/command.hpp"

namespace rollcall::cli {

// `args` without the program's own name. Returns the exit code. Nothing but a usage error is decided here.
int dispatch(std::span<const Command* const> commands, const std::vector<std::string>& args);

}  // namespace rollcall::cli
