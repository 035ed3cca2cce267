// Programs without memory: linked in, every allocation of C++ can be made to fail, also of libraries that are loaded.
#pragma once

namespace rollcall::test {

// Of this thread: the allocation that fails, counted down to it; 0: none does.
extern thread_local int allocations_left;

}  // namespace rollcall::test
