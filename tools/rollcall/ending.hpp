// Was it a goodbye? How a wrapped program ended, and what it had been asked before, decide what its cluster is told.
#pragma once

#include <csignal>

#include "shm/terms.hpp"

namespace rollcall::cli {

// What reached the program through its wrapper, or through the terminal that both share.
struct Requests {
    bool to_end = false;    // SIGTERM or SIGINT
    bool hung_up = false;   // SIGHUP: many programs read their configuration again on it, and live on
    bool stopping = false;  // the program itself said STOPPING=1
};

// As it was meant to, and so a leave: of its own accord with success, or because it was asked to. Anything else is a death. Who asks a
// program to end and then loses patience (SIGKILL) still wanted it to end; a program that outlives a hang-up did not take it as a request.
constexpr bool is_goodbye(ExitStatus status, Requests requests) noexcept {
    if (!status.signalled && status.value == 0) return true;
    if (requests.to_end || requests.stopping) return true;
    return requests.hung_up && status.signalled && status.value == SIGHUP;
}

// As shells do.
constexpr int exit_code_of(ExitStatus status) noexcept { return status.signalled ? 128 + status.value : status.value; }

}  // namespace rollcall::cli
