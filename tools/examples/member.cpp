// A member in fifteen lines: this process is alive as long as its work goes on, and everybody on the host knows it.
#include <chrono>
#include <cstdio>
#include <thread>

#include <rollcall/rollcall.hpp>

bool do_some_work() { return std::this_thread::sleep_for(std::chrono::milliseconds(100)), true; }

int main(int argc, char** argv) {
    auto me = rollcall::Member::join({.node = argc > 1 ? argv[1] : "worker-1", .endpoint = "127.0.0.1:7000", .tags = {{"role", "worker"}}});
    if (!me) return std::fprintf(stderr, "%s\n", me.error().message.c_str()), 1;
    while (do_some_work())  // the beat is where the work is: a program that hangs falls silent
        if (auto beat = me->beat(); !beat.counted() && !me->rejoin()) return std::fprintf(stderr, "%s\n", me->error().message.c_str()), 1;
}
