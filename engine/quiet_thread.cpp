#include "engine/quiet_thread.hpp"

#include <initializer_list>

#include <pthread.h>
#include <signal.h>

namespace rollcall::engine {

// bus_guard.hpp answers for one of those that are left.
std::thread start_quiet_thread(const char* name, std::function<void()> body) {
    sigset_t all, before;
    ::sigfillset(&all);
    for (const int own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL}) ::sigdelset(&all, own);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    struct Restore {
        const sigset_t& before;
        ~Restore() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    } const restore{before};
    std::thread thread(std::move(body));
    ::pthread_setname_np(thread.native_handle(), name);
    return thread;
}

}  // namespace rollcall::engine
