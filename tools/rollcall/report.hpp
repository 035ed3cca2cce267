// What goes to stderr: errors, warnings and the log, a line each.
#pragma once

#include <optional>
#include <string_view>

#include "shm/error.hpp"

namespace rollcall::cli {

enum class LogLevel { error, warning, info, debug };
std::optional<LogLevel> parse_log_level(std::string_view text);
inline constexpr std::string_view log_level_names = "error, warning, info, debug";

// What is shown from now on: this level and the more urgent ones. Default: info.
void set_log_level(LogLevel level);
bool is_shown(LogLevel level);

// `rollcall: text`, made safe for a terminal and kept to one line. Thread-safe.
void log(LogLevel level, std::string_view text);

// Reports why the command fails and returns the exit code that goes with the kind of the error: no_cluster and no_engine 3, invalid 2
// (what makes no sense was typed by the user), all others 1.
int report(const Error& error);
int exit_code(ErrorKind kind);

// The command line makes no sense: `rollcall: text, see 'rollcall COMMAND --help'`. Returns 2.
int usage_error(std::string_view command, std::string_view text);

}  // namespace rollcall::cli
