// Signals as messages to read, with what the kernel knows about each: who sent it decides what it means to a wrapper.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

#include "shm/descriptor.hpp"
#include "shm/error.hpp"
#include "shm/units.hpp"

namespace rollcall::cli {

struct Signal {
    int number = 0;
    bool from_terminal = false;  // sent by the kernel, to a whole process group
    bool was_ignored = false;    // whoever started us wanted it ignored: nohup, or a script's background job

    // Somebody wants this program to end. What was to be ignored counts only when sent on purpose; a hang-up never is.
    bool asks_to_end() const noexcept;
};

// Blocks these signals for good: what comes while the process ends must not change how it ends. Make it before any thread.
class SignalFeed {
public:
    // With SIGCHLD among them, children are not reaped by themselves even if whoever started us ignored it.
    static Result<SignalFeed> open(std::initializer_list<int> which);

    // The next one that came, if any.
    std::optional<Signal> next() const noexcept;
    // The first one that comes within `timeout`.
    std::optional<Signal> wait(Duration timeout) const noexcept;
    // Readable while there is one.
    int fd() const noexcept { return fd_.get(); }

    // Mask and dispositions as they were before: for a forked child. Async-signal-safe.
    void restore() const noexcept;

private:
    SignalFeed() = default;

    shm::Descriptor fd_;
    sigset_t before_{};
    sigset_t ignored_{};
};

}  // namespace rollcall::cli
