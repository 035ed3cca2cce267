// Without an engine: says so, and how to start one.
#include <cstdio>

#include <rollcall/rollcall.hpp>

int main() {
    const auto me = rollcall::Member::join({.cluster = "nobody-runs-this", .node = "worker-1"});
    const auto them = rollcall::Observer::attach({.cluster = "nobody-runs-this"});
    std::puts(me ? "joined" : me.error().message.c_str());
    return !me && !them && me.error().kind == rollcall::ErrorKind::no_cluster ? 0 : 1;
}
