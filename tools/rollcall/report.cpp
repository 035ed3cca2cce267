#include "tools/rollcall/report.hpp"

#include <atomic>
#include <cstdio>
#include <string>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli {

namespace {

std::atomic<LogLevel> shown{LogLevel::info};

// One write of a whole line, so that lines of several threads and processes do not mix.
void write_line(std::string_view text) {
    const std::string line = "rollcall: " + printable(text) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
    if (text == "error") return LogLevel::error;
    if (text == "warning") return LogLevel::warning;
    if (text == "info") return LogLevel::info;
    if (text == "debug") return LogLevel::debug;
    return std::nullopt;
}

void set_log_level(LogLevel level) { shown.store(level, std::memory_order_relaxed); }

// Relaxed: the level publishes nothing but itself.
bool is_shown(LogLevel level) { return level <= shown.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view text) {
    if (is_shown(level)) write_line(text);
}

int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::no_cluster:
        case ErrorKind::no_engine: return exit_absent;
        case ErrorKind::invalid: return exit_usage;
        default: return exit_failed;
    }
}

int report(const Error& error) {
    log(LogLevel::error, error.message);
    return exit_code(error.kind);
}

int usage_error(std::string_view command, std::string_view text) {
    const std::string where = command.empty() ? "rollcall --help" : "rollcall " + std::string(command) + " --help";
    log(LogLevel::error, std::string(text) + ", see '" + where + "'");
    return exit_usage;
}

}  // namespace rollcall::cli
