// A reader's place in the stream of events.
#pragma once

#include "shm/checkpoint.hpp"
#include "shm/ring.hpp"
#include "shm/roster.hpp"

namespace rollcall {

class Cursor {
public:
    enum class Outcome : std::uint8_t {
        nothing,  // everything published was read
        event,
        lapped,   // the ring has overwritten what comes next: from() to to() are lost, and next() goes on behind them
    };

    explicit Cursor(Sequence last = {}) noexcept : last_(last) {}

    // One event, or why there is none. Never beyond head.
    Outcome next(const shm::Roster& roster, shm::StoredEvent& out) noexcept;
    Sequence from() const noexcept { return from_; }
    Sequence to() const noexcept { return last_; }

    Sequence last() const noexcept { return last_; }
    void go_on_after(Sequence last) noexcept { last_ = last; }
    // Where everything that the ring still holds begins.
    static Sequence before_oldest(const shm::Roster& roster) noexcept;

private:
    Sequence last_{}, from_{};
};

}  // namespace rollcall
