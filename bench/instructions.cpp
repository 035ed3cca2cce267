// What is counted, not timed: `instructions WHAT N` does something N times, for valgrind to count inside the function in question. See instructions.py.
#include <cstdlib>
#include <cstring>

#include "bench/child.hpp"
#include "bench/population.hpp"
#include "engine/client/member.hpp"
#include "engine/engine.hpp"

namespace {

using namespace rollcall;
using namespace std::chrono_literals;

constexpr std::uint32_t peers = 4096;

// Inside Member::beat(Instant).
void beat(std::uint32_t count) {
    const bench::Folder folder;
    Engine engine({.cluster = "bench", .node = "engine", .dir = folder.path()});
    if (auto started = engine.start(); !started) bench::give_up(started.error().message);
    auto me = Member::join({.cluster = "bench", .node = "me", .dir = folder.path()});
    if (!me) bench::give_up(me.error().message);
    Instant now = std::chrono::steady_clock::now();
    for (std::uint32_t i = 0; i < count; ++i)
        if (!me->beat(now += from_stamp_units(1)).counted()) bench::give_up("a beat was refused");
}

// Inside Core::step: nothing happens.
void step(std::uint32_t count) {
    bench::Population p(peers);
    for (std::uint32_t i = 0; i < count; ++i) {
        p.advance(10ms);
        p.beat_in_turn(peers / 50);
        p.step();
    }
}

// Inside Core::step: so many peers fall silent, and nobody else.
void suspect(std::uint32_t count) {
    bench::Population p(peers);
    const auto step = [&](std::uint32_t silent) {
        p.advance(10ms);
        for (std::uint32_t i = silent; i < peers; ++i) p.beat(Slot{i});
        p.step();
    };
    for (int i = 0; i < 10; ++i) step(0);
    for (int i = 0; i < 310; ++i) step(count);
    if (p.core().counter(engine::Counter::suspected) != count) bench::give_up("not all were suspected");
}

}  // namespace

int main(int argc, char** argv) {
    const char* what = argc == 3 ? argv[1] : "";
    const auto count = static_cast<std::uint32_t>(argc == 3 ? std::atol(argv[2]) : 0);
    if (std::strcmp(what, "beat") == 0) return beat(count), 0;
    if (std::strcmp(what, "step") == 0) return step(count), 0;
    if (std::strcmp(what, "suspect") == 0) return suspect(count), 0;
    bench::give_up("usage: instructions beat|step|suspect N");
}
