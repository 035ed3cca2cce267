#include "tests/support/failing_allocation.hpp"

#include <cstdlib>
#include <new>

namespace rollcall::test {
thread_local int allocations_left = 0;
}

void* operator new(std::size_t size) {
    using rollcall::test::allocations_left;
    if (allocations_left > 0 && --allocations_left == 0) throw std::bad_alloc();
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
