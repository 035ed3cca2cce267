// What stands between a truncated file and the death of everybody who maps it: a fault inside a guarded range is answered with zeros.
//
// One handler of SIGBUS a process, installed with the first range. Faults elsewhere go to the handler that was there before, and to
// the default where there was none. A program that installs its own handler later should hand on what is not its own. A thread that blocks
// SIGBUS is not guarded: the kernel ends the process.
#pragma once

#include <cstddef>

namespace rollcall::shm {

namespace detail {
struct Range;
}

// From now on this process answers for SIGBUS itself: no handler is installed, and ranges guard nothing. Call before the first attach.
void switch_off_bus_guard() noexcept;

// While it lives, a fault between `begin` and `begin + bytes` maps anonymous zeros from the faulting page to the end of the range, and is
// remembered. Whatever another process writes to the file is not seen there any more. End it before the range is unmapped.
class GuardedRange {
public:
    GuardedRange() noexcept = default;
    GuardedRange(std::byte* begin, std::size_t bytes, bool writable) noexcept;  // guards nothing if there was no memory for the note
    GuardedRange(GuardedRange&& other) noexcept;
    GuardedRange& operator=(GuardedRange&& other) noexcept;
    ~GuardedRange();

    bool is_broken() const noexcept;

private:
    detail::Range* range_ = nullptr;
};

}  // namespace rollcall::shm
