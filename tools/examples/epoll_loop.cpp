// Events beside sockets and timers: an observer's descriptor in a loop that a program has already.
#include <cstdio>
#include <string>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rollcall/rollcall.hpp>

int main() {
    auto observer = rollcall::Observer::attach({});
    if (!observer) return std::fprintf(stderr, "%s\n", observer.error().message.c_str()), 1;
    auto me = rollcall::Member::join({.node = "loop"});
    if (!me) return std::fprintf(stderr, "%s\n", me.error().message.c_str()), 1;

    const int loop = ::epoll_create1(EPOLL_CLOEXEC), timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), events = observer->fd();
    const auto add = [loop](int fd) {
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        wanted.data.fd = fd;
        return fd >= 0 && ::epoll_ctl(loop, EPOLL_CTL_ADD, fd, &wanted) == 0;
    };
    // The loop itself beats: if it hangs, it falls silent.
    const long ns = static_cast<long>(me->interval().count());
    const itimerspec every{{ns / 1'000'000'000, ns % 1'000'000'000}, {0, 1}};
    if (!add(timer) || !add(events) || ::timerfd_settime(timer, 0, &every, nullptr) != 0) return std::perror("epoll"), 1;

    for (epoll_event ready;;) {
        if (::epoll_wait(loop, &ready, 1, -1) != 1) continue;
        std::uint64_t count;
        (void)!::read(ready.data.fd, &count, sizeof count);  // of both: clears it
        if (ready.data.fd == timer) {
            me->keep_known();
            if (!me->beat().counted() && !me->rejoin()) return std::fprintf(stderr, "%s\n", me->error().message.c_str()), 1;
            if (observer->is_stale()) return std::fprintf(stderr, "the memory was replaced: attach again\n"), 1;
        }
        while (const auto event = observer->poll()) {
            const std::string kind(to_string(event->kind)), node(event->node());
            std::printf("%s %s\n", kind.c_str(), node.c_str());
            std::fflush(stdout);
        }
    }
}
