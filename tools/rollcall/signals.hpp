// Signals as something to wait for, not something that interrupts.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

#include "shm/units.hpp"

namespace rollcall::cli {

// Blocks these signals in this thread and in all that it starts later, so make one before any thread; at the end it
// forgets those still waiting and restores the mask.
class Signals {
public:
    explicit Signals(std::initializer_list<int> which);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // The next of them that came or comes within `timeout`; zero only looks.
    std::optional<int> wait(Duration timeout) const;
    // What was in force before: for a forked child, which must not inherit blocked signals. Async-signal-safe.
    void restore() const noexcept;

private:
    sigset_t which_{};
    sigset_t before_{};
};

// A file that grows over the limit of its size (ulimit -f) is an error that can be told, not our end by SIGXFSZ.
void outlive_the_limit_of_file_sizes() noexcept;
// What was in force before, for a forked child. Async-signal-safe.
void restore_the_limit_of_file_sizes() noexcept;

}  // namespace rollcall::cli
