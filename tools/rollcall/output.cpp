#include "tools/rollcall/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

int write_error = 0;  // the first errno that stdout answered

void remember(bool written) {
    if (!written && write_error == 0) write_error = errno;
}

}  // namespace

void print(std::string_view text) { remember(std::fwrite(text.data(), 1, text.size(), stdout) == text.size()); }

bool print_line_now(std::string_view line) {
    std::string whole(line);
    whole += '\n';
    print(whole);
    remember(std::fflush(stdout) == 0);
    return write_error == 0;
}

bool nobody_reads() {
    pollfd out{STDOUT_FILENO, 0, 0};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLNVAL)) != 0;
}

int finish_output(int code) {
    remember(std::fflush(stdout) == 0);
    if (write_error == 0 || write_error == EPIPE) return code;
    log(LogLevel::error, std::string("cannot write the results to stdout: ") + std::strerror(write_error));
    return exit_failed;
}

bool colour_wanted() {
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    if (no_color != nullptr && *no_color != '\0') return false;
    return isatty(STDOUT_FILENO) == 1 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

}  // namespace rollcall::cli
