// Another process of this very program, which never outlives the object.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "shm/error.hpp"
#include "shm/units.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli::demo {

class ChildProcess {
public:
    // Runs `rollcall ARGS...` in a process group of its own, so that a Ctrl-C at the terminal reaches only this process; stdout and
    // stderr go to the files of these names. It is killed if this process dies. `blocked`: signals it must not inherit blocked.
    static Result<ChildProcess> start(const std::vector<std::string>& args, const std::string& out, const std::string& err, const Signals& blocked);
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();  // SIGKILL, which ends a stopped process too; then reaps it

    pid_t pid() const { return pid_; }
    void signal(int number) const;
    // Has it ended? It is not reaped by this: a zombie keeps its pid from being given to somebody else.
    bool has_ended() const;
    // Its exit code (128 + n after signal n), once it ended within `timeout`.
    std::optional<int> wait(Duration timeout);

private:
    explicit ChildProcess(pid_t pid) : pid_(pid) {}
    pid_t pid_ = -1;
};

}  // namespace rollcall::cli::demo
