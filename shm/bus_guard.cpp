#include "shm/bus_guard.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <new>
#include <utility>

#include <signal.h>
#include <sys/mman.h>

#include "shm/layout.hpp"

namespace rollcall::shm {

namespace detail {

// Read by the handler on any thread at any time, so everything is an atomic and nothing is ever given back.
struct Range {
    std::atomic<bool> taken{false};
    std::atomic<std::uintptr_t> begin{0}, end{0};  // begin is valid while end is not 0
    std::atomic<bool> writable{false}, broken{false};
};

}  // namespace detail

namespace {

using detail::Range;

struct Chunk {
    std::array<Range, 128> ranges;
    std::atomic<Chunk*> next{nullptr};
};

Chunk first_chunk;
std::atomic<bool> is_off{false};
struct sigaction previous {};

bool fill_with_zeros(Range& range, std::uintptr_t fault) noexcept {
    const std::uintptr_t end = range.end.load(std::memory_order_acquire);  // [guard]
    const std::uintptr_t begin = range.begin.load(std::memory_order_relaxed);  // relaxed: end publishes it
    if (fault < begin || fault >= end) return false;
    const int access = PROT_READ | (range.writable.load(std::memory_order_relaxed) ? PROT_WRITE : 0);  // relaxed: end publishes it
    const std::uintptr_t from = fault / page * page;
    void* where = reinterpret_cast<void*>(from);
    if (::mmap(where, end - from, access, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED) return false;
    range.broken.store(true, std::memory_order_relaxed);  // relaxed: whoever asks next sees it or asks again
    return true;
}

bool is_answered(std::uintptr_t fault) noexcept {
    for (Chunk* chunk = &first_chunk; chunk != nullptr; chunk = chunk->next.load(std::memory_order_acquire))  // [guard]
        for (Range& range : chunk->ranges)
            if (fill_with_zeros(range, fault)) return true;
    return false;
}

void hand_on(int number, siginfo_t* info, void* context, bool is_fault) noexcept {
    if ((previous.sa_flags & SA_SIGINFO) != 0) return previous.sa_sigaction(number, info, context);
    if (previous.sa_handler == SIG_IGN && !is_fault) return;
    if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(number);
    ::signal(number, SIG_DFL);
    if (!is_fault) ::raise(number);  // a fault comes again by itself
}

void on_bus_error(int number, siginfo_t* info, void* context) {
    const int error = errno;
    const bool is_fault = info->si_code > 0;  // else some process sent it
    if (!is_fault || !is_answered(reinterpret_cast<std::uintptr_t>(info->si_addr))) hand_on(number, info, context, is_fault);
    errno = error;
}

void install_once() noexcept {
    static const bool installed = [] {
        struct sigaction ours {};
        ours.sa_sigaction = on_bus_error;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
        ::sigemptyset(&ours.sa_mask);
        return ::sigaction(SIGBUS, &ours, &previous) == 0;
    }();
    (void)installed;
}

// A free note, ours from now on. No lock: a fork must not copy a held one.
Range* take_range() noexcept {
    for (Chunk* chunk = &first_chunk;;) {
        for (Range& range : chunk->ranges)
            if (!range.taken.exchange(true, std::memory_order_acq_rel)) return &range;  // [guard] its last owner has let go
        Chunk* next = chunk->next.load(std::memory_order_acquire);  // [guard]
        if (next == nullptr) {
            auto* fresh = new (std::nothrow) Chunk;
            if (fresh == nullptr) return nullptr;
            constexpr auto both = std::memory_order_acq_rel;  // [guard] publishes the chunk, or finds another thread's
            if (chunk->next.compare_exchange_strong(next, fresh, both)) next = fresh;
            else delete fresh;
        }
        chunk = next;
    }
}

}  // namespace

void switch_off_bus_guard() noexcept { is_off.store(true, std::memory_order_relaxed); }  // relaxed: before any attach

GuardedRange::GuardedRange(std::byte* begin, std::size_t bytes, bool writable) noexcept {
    if (is_off.load(std::memory_order_relaxed)) return;
    install_once();
    range_ = take_range();
    if (range_ == nullptr) return;
    const auto from = reinterpret_cast<std::uintptr_t>(begin);
    range_->broken.store(false, std::memory_order_relaxed);
    range_->writable.store(writable, std::memory_order_relaxed);
    range_->begin.store(from, std::memory_order_relaxed);
    range_->end.store(from + bytes, std::memory_order_release);  // [guard] pairs with the handler: the note is complete
}

GuardedRange::GuardedRange(GuardedRange&& other) noexcept : range_(std::exchange(other.range_, nullptr)) {}

GuardedRange& GuardedRange::operator=(GuardedRange&& other) noexcept {
    std::swap(range_, other.range_);
    return *this;
}

GuardedRange::~GuardedRange() {
    if (range_ == nullptr) return;
    range_->end.store(0, std::memory_order_release);       // [guard] nothing is guarded here any more
    range_->taken.store(false, std::memory_order_release);  // [guard] pairs with take_range
}

bool GuardedRange::is_broken() const noexcept { return range_ != nullptr && range_->broken.load(std::memory_order_relaxed); }

}  // namespace rollcall::shm
