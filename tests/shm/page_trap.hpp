// Stops the code under test at one exact place: the next access to a page faults, and what shall happen meanwhile happens in the fault's
// handler. Unlike a signal out of the blue this one comes where the test wants it, so that its handler may do anything.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <utility>

#include <sys/mman.h>

namespace rollcall::test {

class PageTrap {
public:
    static constexpr std::uintptr_t page_bytes = 4096;

    enum class On { write, access };

    PageTrap() {
        struct sigaction action{};
        action.sa_sigaction = [](int, siginfo_t* info, void*) { spring(reinterpret_cast<std::uintptr_t>(info->si_addr)); };
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        if (::sigaction(SIGSEGV, &action, &before_) != 0) std::abort();
    }
    ~PageTrap() {
        disarm();
        ::sigaction(SIGSEGV, &before_, nullptr);
    }
    PageTrap(const PageTrap&) = delete;
    PageTrap& operator=(const PageTrap&) = delete;

    // The next write (or any access) to the page of `address` runs `then`, in which another trap may be set.
    void set(const void* address, On on, std::function<void()> then) {
        page_ = reinterpret_cast<std::uintptr_t>(address) / page_bytes * page_bytes;
        then_ = std::move(then);
        protect(on == On::write ? PROT_READ : PROT_NONE);
    }
    bool has_sprung() const noexcept { return page_ == 0; }

private:
    static void spring(std::uintptr_t at) {
        if (page_ == 0 || at / page_bytes * page_bytes != page_) std::abort();  // a fault that nobody ordered
        disarm();
        std::exchange(then_, nullptr)();
    }
    static void disarm() {
        if (page_ != 0) protect(PROT_READ | PROT_WRITE);
        page_ = 0;
    }
    static void protect(int rights) {
        if (::mprotect(reinterpret_cast<void*>(page_), page_bytes, rights) != 0) std::abort();
    }

    static inline std::uintptr_t page_ = 0;
    static inline std::function<void()> then_;
    struct sigaction before_{};
};

}  // namespace rollcall::test
