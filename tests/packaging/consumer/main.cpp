// A program of somebody else's: an embedded engine, and what it tells.
#include <cstdio>

#include <rollcall/rollcall.hpp>

int main() {
    rollcall::Engine engine({.cluster = "orders", .node = "gw-1"});
    int joined = 0;
    engine.add_callback([&](const rollcall::Event& e) { joined += e.kind == rollcall::Event::joined; });
    if (auto opened = engine.open(); !opened) return std::puts(opened.error().message.c_str()), 1;
    if (auto registered = engine.register_peer("gw-2", "10.0.0.2:7000"); !registered) return std::puts(registered.error().message.c_str()), 1;
    engine.sync();
    engine.dispatch();
    const auto peer = engine.find("gw-2");
    return joined == 1 && peer && peer->endpoint == "10.0.0.2:7000" ? 0 : 1;
}
