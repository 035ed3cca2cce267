// Whether a process can show a sign of life: one that is stopped, in a debugger's hands or in a frozen cgroup cannot, and then nobody
// may show one for it.
#pragma once

#include <string>

#include <sys/types.h>

#include "shm/descriptor.hpp"

namespace rollcall::cli {

// Keeps what it reads open. The process must not be reaped before this object is gone: the pid would be another's.
class Stillness {
public:
    explicit Stillness(pid_t pid);

    enum class Look { moving, stopped, unknown };
    // By the state of its first thread. Unknown where that thread has ended before the others, or /proc does not show it.
    Look look() const;
    // By cgroup v2. Without it nothing is frozen.
    bool is_frozen();

private:
    void follow_cgroup();

    shm::Descriptor stat_;        // /proc/PID/stat
    shm::Descriptor membership_;  // /proc/PID/cgroup: a process may be moved at any time
    std::string cgroup_;          // where it was when we last looked
    shm::Descriptor events_;      // cgroup.events of that one
};

}  // namespace rollcall::cli
