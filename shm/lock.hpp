// Exactly one engine a cluster a host: an OFD lock on the file `lock`. The kernel frees it when its holder dies, at whatever
// instruction; a stopped holder keeps it. A forked child would share it: it lets go before its first instruction. Only the removal of a stopped cluster unlinks the file.
#pragma once

#include <string>

#include "shm/descriptor.hpp"
#include "shm/error.hpp"
#include "shm/trust.hpp"

namespace rollcall::shm {

class EngineLock {
public:
    EngineLock() = default;
    EngineLock(EngineLock&&) noexcept = default;
    EngineLock& operator=(EngineLock&& other) noexcept;
    ~EngineLock() { let_go(); }

    // Fails with held if another engine has it, with refused or system if the file cannot be made or opened, or is not to be trusted.
    static Result<EngineLock> acquire(const std::string& path, const Trust& trust = {});

    // Still the file that the path names? If not, somebody removed it and another engine may start: this one must end.
    bool is_in_place() const noexcept;
    bool is_held() const noexcept { return static_cast<bool>(file_); }

private:
    void let_go() noexcept;

    Descriptor file_;
    std::string path_;
};

// May this user's engine take it, or would, were it not held? Fails as acquire() does, but for held; makes and locks nothing, and what is
// not there may be made.
Result<void> check_lock(const std::string& path, const Trust& trust = {});

// Does some process hold it? Asks the kernel (owner), else looks for its inode in /proc/locks. Never a pid.
bool is_locked(const std::string& path);

}  // namespace rollcall::shm
