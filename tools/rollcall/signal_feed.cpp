#include "tools/rollcall/signal_feed.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/rollcall/timespec.hpp"

namespace rollcall::cli {

bool Signal::asks_to_end() const noexcept {
    if (number != SIGTERM && number != SIGINT && number != SIGQUIT && number != SIGHUP) return false;
    return !was_ignored || (!from_terminal && number != SIGHUP);
}

Result<SignalFeed> SignalFeed::open(std::initializer_list<int> which) {
    SignalFeed feed;
    sigset_t set;
    sigemptyset(&set);
    sigemptyset(&feed.ignored_);
    for (const int signal : which) {
        sigaddset(&set, signal);
        struct sigaction action{};
        if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) sigaddset(&feed.ignored_, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &set, &feed.before_);
    // An ignored SIGCHLD would reap our child before anybody could learn how it ended. Others may stay: blocked is kept, not ignored.
    if (sigismember(&feed.ignored_, SIGCHLD) == 1) std::signal(SIGCHLD, SIG_DFL);
    feed.fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!feed.fd_) return fail(ErrorKind::full, std::string("cannot listen for signals: ") + std::strerror(errno));
    return feed;
}

std::optional<Signal> SignalFeed::next() const noexcept {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    const int number = static_cast<int>(info.ssi_signo);
    return Signal{number, info.ssi_code == SI_KERNEL, sigismember(&ignored_, number) == 1};
}

std::optional<Signal> SignalFeed::wait(Duration timeout) const noexcept {
    pollfd p{fd_.get(), POLLIN, 0};
    const timespec time = to_timespec(timeout);
    return ::ppoll(&p, 1, &time, nullptr) > 0 ? next() : std::nullopt;
}

void SignalFeed::restore() const noexcept {
    if (sigismember(&ignored_, SIGCHLD) == 1) std::signal(SIGCHLD, SIG_IGN);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace rollcall::cli
