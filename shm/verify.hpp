// Is this memory what the layout says it must be? Every invariant that holds between two publications, checked from outside.
//
// While an engine works, a commit in the middle of the look would seem to be damage: such a look is thrown away and taken again. Where an
// engine died between preparing and publishing, the events that its successor will redo are checked, and the slots they touch are not.
#pragma once

#include <string>
#include <vector>

#include "shm/roster.hpp"

namespace rollcall::shm {

struct Verification {
    bool is_settled = false;          // false: the memory would not hold still, and nothing is certain
    std::vector<std::string> broken;  // one line each: where, what is there, what must be; the first hundred
    std::size_t broken_count = 0;     // all of them
    bool is_structure_sound = true;   // header, cursors, index, records and blobs hold; heartbeat words and old events may not
};

// `now`: stamps beyond it are damage. Reads everything once; allocates for each slot and each node id.
Verification verify(const Roster& roster, Stamp now);

}  // namespace rollcall::shm
