// The command `rollcall`: a list of subcommands. One line here and one file beside this one add another.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/options.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli {

const Command& run_command();
const Command& join_command();
const Command& members_command();
const Command& hosts_command();
const Command& keygen_command();
const Command& list_command();
const Command& watch_command();
const Command& wait_command();
const Command& why_command();
const Command& stat_command();
const Command& set_command();
const Command& evict_command();
const Command& stop_command();
const Command& dump_command();
const Command& demo_command();
const Command& serve_command();
const Command& top_command();
const Command& doctor_command();
const Command& bugreport_command();

namespace {

// Whoever starts us with stdout or stderr closed must not find our lines in the cluster's memory: the next file opened would get that
// number. What stands there instead refuses to be written to, and is closed again for any program we become.
void occupy_closed_descriptors() {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor)
        if (fcntl(descriptor, F_GETFD) < 0) (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);  // takes the lowest number free, which is this one
}

int run(int argc, char** argv) {
    occupy_closed_descriptors();
    const std::array commands{&run_command(),  &join_command(), &members_command(), &hosts_command(), &watch_command(), &wait_command(), &why_command(), &stat_command(),
                              &list_command(), &set_command(),  &evict_command(),   &stop_command(),  &dump_command(), &demo_command(),
                              &keygen_command(), &serve_command(), &top_command(), &doctor_command(), &bugreport_command()};
    std::vector<std::string> args;
    if (argc > 1) args.assign(argv + 1, argv + argc);
    return dispatch(commands, args);
}

}  // namespace
}  // namespace rollcall::cli

int main(int argc, char** argv) {
    using namespace rollcall::cli;
    outlive_the_limit_of_file_sizes();
    try {
        return run(argc, argv);
    } catch (const std::bad_alloc&) {
        std::fputs("rollcall: out of memory\n", stderr);
    } catch (const std::exception& error) {
        log(LogLevel::error, std::string("internal error: ") + error.what());
    }
    return exit_failed;
}
