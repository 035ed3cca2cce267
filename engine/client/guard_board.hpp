// The guards of one member: what its beats ask before they count.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/client/guard.hpp"
#include "shm/stall.hpp"

namespace rollcall {

// One guard, or the place of one that is gone. Its words are atomic because a beat reads them while the next owner writes them.
struct GuardCell {
    std::atomic<std::int64_t> since_ns{0};  // the budget began; 0: nothing is expected. Written last
    std::atomic<std::int64_t> budget_ns{0};
    shm::StallName name{};
    std::atomic<bool> is_taken{false};
    GuardCell* next = nullptr;  // never changes once the cell is in the list
};

// A list that grows, so that a beat may walk it while guards come and go. Any thread, any function.
class GuardBoard : public std::enable_shared_from_this<GuardBoard> {
public:
    GuardBoard() = default;
    ~GuardBoard();
    GuardBoard(const GuardBoard&) = delete;
    GuardBoard& operator=(const GuardBoard&) = delete;

    Guard take(Duration budget, std::string_view name, Instant now);
    // The guard whose budget has been over for longest, if any is.
    const GuardCell* overrun(Instant now) const noexcept;

private:
    GuardCell& free_cell();
    std::atomic<GuardCell*> first_{nullptr};
};

}  // namespace rollcall
