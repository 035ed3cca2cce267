// What reads the machine and the folder for `doctor`. Nothing here judges, waits for anybody or changes anything; whatever it meets, it comes back.
#pragma once

#include <optional>
#include <string>

#include "shm/paths.hpp"
#include "shm/roster.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/doctor/cluster.hpp"
#include "tools/rollcall/doctor/machine.hpp"

namespace rollcall::cli::doctor {

std::string kernel_release();
int try_pidfd();
bool is_proc_mounted();
ClockSeen look_at_clock();
// Of process `engine_pid`, if that is not 0 and can be seen; else of this one.
LimitSeen look_at_open_files(std::uint32_t engine_pid);
LimitSeen look_at_file_size(std::uint32_t engine_pid);
std::uint64_t look_at_memory_left(std::uint32_t engine_pid);

// The first folder with this cluster in it among those where it may lie; else the one where an engine would make it.
shm::Paths place_of(const std::string& cluster, const std::string& dir);
FolderSeen look_at_folder(const shm::Paths& paths);
FilesystemSeen look_at_filesystem(const std::string& at);
// Bytes that the files of this memory really take.
std::uint64_t taken_by(const shm::Paths& paths, std::uint64_t instance);

LockSeen look_at_lock(const shm::Paths& paths);
Lies look_at_socket(const shm::Paths& paths);
PulseSeen look_at_pulse(const std::string& path);
std::optional<Error> try_socket(const shm::Paths& paths);
// The letter of /proc/PID/stat, if the process there is the one that started then.
std::optional<char> state_of(std::uint32_t pid, std::uint64_t start_ticks);

}  // namespace rollcall::cli::doctor
