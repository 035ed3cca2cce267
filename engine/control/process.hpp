// What the kernel says of a process: who it is, whether it is stopped, how it ended. Through pidfds, which name one process for ever.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/request.hpp"
#include "shm/descriptor.hpp"
#include "shm/terms.hpp"

namespace rollcall::control {

// Opens a pidfd; invalid if there is no such process, or no descriptor left.
shm::Descriptor open_pidfd(std::uint32_t pid) noexcept;
// To look at a pidfd takes another descriptor: without it nobody can tell what it is.
bool has_descriptor_left() noexcept;
bool is_pidfd(int fd) noexcept;
// True once the process has ended, zombies included.
bool has_exited(int pidfd) noexcept;

// Pid (0 if it lies in a namespace that this process cannot see), start, uid and gid of the process behind a pidfd. Nothing if it
// ended meanwhile: then none of it would be certain.
std::optional<engine::ProcessFacts> facts_of(int pidfd);

// How it ended, where this process may know: from the kernel once it was reaped (Linux 6.15), else from the zombie.
std::optional<ExitStatus> exit_status_of(int pidfd, const engine::ProcessFacts& facts);

// Stopped by a signal, a debugger or a frozen cgroup: it shows no sign of life, and nobody may show one for it.
bool is_held_still(std::uint32_t pid);

}  // namespace rollcall::control
