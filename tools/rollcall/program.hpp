// The wrapped program: held at a gate before its first instruction, let through or dismissed, watched, reaped.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "shm/descriptor.hpp"
#include "shm/error.hpp"
#include "shm/terms.hpp"
#include "shm/units.hpp"
#include "tools/rollcall/signal_feed.hpp"

namespace rollcall::cli {

class Program {
public:
    // A child process that waits at its gate: nothing of `command` has run, and nothing will if this process dies before open_gate().
    // It will find `notify_address` in its environment, if that is not empty.
    static Result<Program> hold(std::vector<std::string> command, std::string notify_address, const SignalFeed& signals);

    Program(Program&&) noexcept = default;
    Program& operator=(Program&&) = delete;
    // Dismisses a child that never ran the command. One that runs goes on.
    ~Program();

    pid_t pid() const noexcept { return child_.pid; }
    int pidfd() const noexcept { return pidfd_.get(); }

    // Lets it run the command. `watchdog`: how often the program may report its health, at least, if it does so at all.
    void open_gate(Duration watchdog);
    // Readable when the attempt to run the command has an outcome; -1 once it runs.
    int gate() const noexcept { return gate_.get(); }
    // The errno that kept the command from running, if the outcome is that.
    std::optional<int> why_not_running();

    // Forgets that it was stopped or let go on; true if the last that happened is that it goes on. Call after a SIGCHLD.
    bool has_continued();
    bool was_stopped() const noexcept { return stopped_; }
    // It has ended, even if a debugger keeps the news from us.
    bool is_over() const noexcept;
    // How it ended, once it did. It stays a zombie, and its pid its own, until reap().
    std::optional<ExitStatus> ending() const;
    void reap();

    void send(int signal) const noexcept;

private:
    // A pid that no longer stands for our child is 0, so that nothing is ever sent to a stranger.
    struct Child {
        explicit Child(pid_t p) : pid(p) {}
        Child(Child&& other) noexcept : pid(std::exchange(other.pid, 0)) {}
        pid_t pid;
    };
    Program(pid_t pid, shm::Descriptor pidfd, shm::Descriptor gate) : child_(pid), pidfd_(std::move(pidfd)), gate_(std::move(gate)) {}

    Child child_;
    shm::Descriptor pidfd_;
    shm::Descriptor gate_;
    bool has_run_ = false;
    bool stopped_ = false;
};

// Children that we did not start, but that came to us: whoever is pid 1 of a container, or was exec'ed by a parent, has some. Reaps the
// dead ones among them; leaves `ours` alone.
void reap_others(pid_t ours);

}  // namespace rollcall::cli
