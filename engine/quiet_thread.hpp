// Threads of rollcall in somebody else's program.
#pragma once

#include <functional>
#include <thread>

namespace rollcall::engine {

// Its signals belong to the program's own threads, save those that a thread brings upon itself. `name` has at most 15 bytes. Throws std::system_error where
// no thread can be had.
std::thread start_quiet_thread(const char* name, std::function<void()> body);

}  // namespace rollcall::engine
