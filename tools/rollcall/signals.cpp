#include "tools/rollcall/signals.hpp"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace rollcall::cli {

Signals::Signals(std::initializer_list<int> which) {
    sigemptyset(&which_);
    for (const int signal : which) sigaddset(&which_, signal);
    pthread_sigmask(SIG_BLOCK, &which_, &before_);
}

Signals::~Signals() {
    while (wait({})) {}  // a second Ctrl-C of an impatient user must not end a program that is about to end well
    restore();
}

void Signals::restore() const noexcept { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

std::optional<int> Signals::wait(Duration timeout) const {
    const std::int64_t ns = std::max<std::int64_t>(timeout.count(), 0);
    const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
    const int signal = sigtimedwait(&which_, nullptr, &time);
    // EINTR (some other signal's handler ran) looks like time over: every caller comes back.
    return signal > 0 ? std::optional<int>(signal) : std::nullopt;
}

namespace {

void (*on_file_too_large)(int) = SIG_DFL;

}  // namespace

void outlive_the_limit_of_file_sizes() noexcept { on_file_too_large = std::signal(SIGXFSZ, SIG_IGN); }
void restore_the_limit_of_file_sizes() noexcept { std::signal(SIGXFSZ, on_file_too_large); }

}  // namespace rollcall::cli
