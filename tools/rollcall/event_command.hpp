// A command of the user's, run for each event: the event as JSON on its input, its fields in its environment.
#pragma once

#include <string>

#include "engine/peer.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli {

// Whoever waits for a command must hear of its end, and of ours.
inline const std::initializer_list<int> signals_of_commands{SIGINT, SIGTERM, SIGHUP, SIGCHLD};

class EventCommand {
public:
    // For /bin/sh. `signals` has `signals_of_commands`, and outlives this.
    EventCommand(std::string command, const Signals& signals) : command_(std::move(command)), signals_(signals) {}

    // Runs it and waits for its end; how it ended is said if that was not well. False: we were told to end; the command was told as well, and has.
    bool run(const Event& event, std::string_view cluster);

private:
    bool wait_for(pid_t pid) const;

    std::string command_;
    const Signals& signals_;
};

}  // namespace rollcall::cli
