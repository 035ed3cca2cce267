// Results on stdout, and what happens when nobody reads them.
#pragma once

#include <string_view>

namespace rollcall::cli {

// Buffered.
void print(std::string_view text);
// A whole line that must arrive now. False once nobody can read any more, or nothing can be written.
bool print_line_now(std::string_view line);
// Nobody will ever read what is written to stdout: the other end of the pipe is closed.
bool nobody_reads();
// Call last: writes what is buffered. Returns `code`, or 1 after a line on stderr if the results could not be written; a reader that
// has closed its end (`| head`) had what it wanted and is no failure.
int finish_output(int code);

// stdout is a terminal and its user did not say NO_COLOR.
bool colour_wanted();

}  // namespace rollcall::cli
