// Descriptors that a forked child must not keep: the engine's lock, which would outlive the engine, and its listening socket, where
// clients would wait for a process that never answers.
#pragma once

#include <functional>

namespace rollcall::shm {

// Opens a descriptor that every child closes before its first instruction; no fork comes between opening and knowing that it is open.
// `open` returns it, or -1 with errno.
int open_guarded(const std::function<int()>& open);
// Closes it. In a child, where it was closed already and the number may be another file's, does nothing.
void close_guarded(int fd) noexcept;

}  // namespace rollcall::shm
