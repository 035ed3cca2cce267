// Heartbeats tied to progress. A thread that beats beside a program that hangs tells the world that all is well; a guard ties the two:
// while a guard's budget is overrun, its member does not beat, whoever calls beat(), and `rollcall why` says which guard it is.
//
//     {
//         auto guard = me->guard(200ms, "write the journal");  // what follows must end within 200 ms
//         write_journal();
//     }
//     auto guard = me->guard(2s, "orders");                    // or: something must happen every 2 s
//     while (take_order()) guard.progress();
#pragma once

#include <memory>

#include "shm/units.hpp"

namespace rollcall {

struct GuardCell;
class GuardBoard;

// Its time runs from when it was made. Movable; may outlive its member. Each function from any thread, but not while it is moved or destroyed.
// Wait-free, no allocation, no syscall beside the clock, async-signal-safe: a clock read and a store, some 25 ns.
class Guard {
public:
    Guard(Guard&&) noexcept;
    Guard& operator=(Guard&&) noexcept;
    ~Guard();  // nothing is expected of it any more

    // The budget begins anew. A member that had stopped beating goes on with its next beat.
    void progress() noexcept;
    // Nothing is expected until progress() is called again: the program waits for work.
    void rest() noexcept;

private:
    friend class GuardBoard;
    Guard(std::shared_ptr<GuardBoard> board, GuardCell& cell) noexcept;
    std::shared_ptr<GuardBoard> board_;
    GuardCell* cell_;
};

}  // namespace rollcall
