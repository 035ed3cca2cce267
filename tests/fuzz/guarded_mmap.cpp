// Every mapping of the code under test gets an inaccessible page on either side, so that a step beyond it is seen. Linked with
// --wrap=mmap,--wrap=munmap,--wrap=sched_yield.
#include <cstddef>
#include <map>

#include <sys/mman.h>
#include <sys/types.h>

extern "C" {
void* __real_mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset);
int __real_munmap(void* address, std::size_t bytes);
void* __wrap_mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset);
int __wrap_munmap(void* address, std::size_t bytes);
int __wrap_sched_yield();
}

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t whole_pages(std::size_t bytes) { return (bytes + page - 1) / page * page; }

std::map<void*, std::size_t>& guarded() {
    static auto& all = *new std::map<void*, std::size_t>;
    return all;
}

}  // namespace

void* __wrap_mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset) {
    constexpr std::size_t most = std::size_t{1} << 40;  // beyond it the kernel shall say no itself
    if ((flags & MAP_FIXED) != 0 || bytes == 0 || bytes > most) return __real_mmap(address, bytes, protection, flags, file, offset);
    const std::size_t whole = whole_pages(bytes);
    void* around = __real_mmap(nullptr, whole + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (around == MAP_FAILED) return around;
    void* inside = static_cast<char*>(around) + page;
    if (__real_mmap(inside, bytes, protection, flags | MAP_FIXED, file, offset) == MAP_FAILED) {
        __real_munmap(around, whole + 2 * page);
        return MAP_FAILED;
    }
    guarded()[inside] = whole;
    return inside;
}

int __wrap_munmap(void* address, std::size_t bytes) {
    const auto it = guarded().find(address);
    if (it == guarded().end()) return __real_munmap(address, bytes);
    const std::size_t whole = it->second;
    guarded().erase(it);
    return __real_munmap(static_cast<char*>(address) - page, whole + 2 * page);
}

// A reader waits so for a writer; here nobody else ever writes.
int __wrap_sched_yield() { return 0; }
