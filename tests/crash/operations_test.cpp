// The engine may die at any instruction of any operation on the membership; so may the engine that takes over after it.
//
// Goal: whatever it leaves is a valid state, or one redo from it. Method: a child performs the operation on files in /dev/shm and is stepped
// through it instruction by instruction; after each one that changed the memory its image is taken. judge.hpp says what is done with each.
// Of the images with something to redo some are adopted by another child, which is stepped in the same way.
#include <gtest/gtest.h>

#include "tests/crash/report.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;

void nothing(TimedCore&) {}

void update(TimedCore& core, const char* node, const std::string& endpoint) {
    Request request = TimedCore::about(node, Request::Kind::update);
    request.endpoint = endpoint;
    core.ask(std::move(request));
}

void several_at_once(TimedCore& core) {
    core.put(TimedCore::join_request("new", 7, "of the new"));
    core.put(TimedCore::about("b", Request::Kind::leave));
    core.put(TimedCore::about("c", Request::Kind::exited));
    Request moved = TimedCore::about("d", Request::Kind::update);
    moved.endpoint = "moved";
    core.put(std::move(moved));
    core.put(TimedCore::about("e", Request::Kind::evict));
    core.step();
}

// A commit for the requests, one more for a node that comes twice, and one for what the detector saw.
void requests_and_silence(TimedCore& core) {
    core.put(TimedCore::join_request("new", 7));
    core.put(TimedCore::about("new", Request::Kind::leave));
    core.put(TimedCore::about("d", Request::Kind::exited));
    core.step_after(20ms);
}

const Operation requests[]{
    {"a join into a fresh slot", nothing, [](TimedCore& c) { c.ask(TimedCore::join_request("new", 100, "of the new")); }, {"joined new join"}},
    {"a join into a used slot", [](TimedCore& c) { c.leave("a"), c.advance(2ms); }, [](TimedCore& c) { c.join("new", "of the new"); },
     {"joined new join"}},
    {"a join after leaving", [](TimedCore& c) { c.leave("c"), c.advance(2ms); }, [](TimedCore& c) { c.join("c"); }, {"joined c join"}},
    {"a join after a death", [](TimedCore& c) { c.exit("a"); }, [](TimedCore& c) { c.join("a"); }, {"joined a join"}},
    {"a replacement", nothing, [](TimedCore& c) { c.replace("a"); }, {"dead a replaced", "joined a join"}},
    {"a beat", [](TimedCore& c) { c.advance(10ms); }, [](TimedCore& c) { c.beat("c"); }, {}},
    {"a goodbye", nothing, [](TimedCore& c) { c.leave("b"); }, {"left b goodbye"}},
    {"an operator's eviction", nothing, [](TimedCore& c) { c.evict("b"); }, {"evicted b operator"}},
    {"a process's exit", nothing, [](TimedCore& c) { c.exit("b", ExitStatus{true, 9}); }, {"dead b process_exit"}},
    {"an exit after a death by silence", [](TimedCore& c) { c.run(5100ms, {"b", "c", "d", "e"}); }, [](TimedCore& c) { c.exit("a"); },
     {"updated a process_exit"}},
    {"an update that takes no more room", nothing, [](TimedCore& c) { update(c, "a", "moved"); }, {"updated a join"}},
    {"an update that needs a new extent", nothing, [](TimedCore& c) { update(c, "a", std::string(200, 'x')); }, {"updated a join"}},
    {"an update into an extent that another size leaves empty",
     [](TimedCore& c) { update(c, "a", std::string(200, 'x')), update(c, "a", "short again"); },
     [](TimedCore& c) { update(c, "a", std::string(120, 'y')); }, {"updated a join"}},
    {"other settings", nothing, [](TimedCore& c) { c.configure({500ms, 2s, 4s, 6s, 20ms}); }, {}},
    {"several at once", nothing, several_at_once,
     {"joined new join", "left b goodbye", "dead c process_exit", "updated d join", "evicted e operator"}},
};

const Operation looks[]{
    {"suspicions", [](TimedCore& c) { c.run(2990ms, {"d", "e"}); }, [](TimedCore& c) { c.step_after(20ms); },
     {"suspect a silence", "suspect b silence", "suspect c silence"}},
    {"a death by silence", [](TimedCore& c) { c.run(4990ms, {"c", "d", "e"}); }, [](TimedCore& c) { c.step_after(20ms); },
     {"dead a silence", "dead b silence"}},
    {"suspicion and death at once", [](TimedCore& c) { c.run(2500ms, {"c", "d", "e"}), c.configure({1s, 1100ms, 1200ms, 10s, 10ms}); },
     [](TimedCore& c) { c.step_after(10ms); },
     {"suspect a silence", "dead a silence", "suspect b silence", "dead b silence"}},
    {"recoveries", [](TimedCore& c) { c.run(5100ms, {"b", "c", "d", "e"}), c.run(3100ms, {"c", "d", "e"}), c.beat("a"), c.beat("b"); },
     [](TimedCore& c) { c.step_after(10ms); },
     {"recovered a heartbeat", "recovered b heartbeat"}},
    {"evictions for silence", [](TimedCore& c) { c.run(9990ms, {"c", "d", "e"}); }, [](TimedCore& c) { c.step_after(20ms); },
     {"evicted a silence", "evicted b silence"}},
    {"an eviction that an earlier engine began",
     [](TimedCore& c) { c.run(5100ms, {"b", "c", "d", "e"}), c.set_word(c.peer("a").slot, shm::free_word); },
     [](TimedCore& c) { c.step_after(10ms); }, {"evicted a silence"}},
    {"an eviction after an exit", [](TimedCore& c) { c.exit("a"), c.run(9995ms, {"b", "c", "d", "e"}); }, [](TimedCore& c) { c.step_after(20ms); },
     {"evicted a process_exit"}},
    {"a pause", nothing, [](TimedCore& c) { c.step_after(20s); }, {"paused"}},
    {"a pause that is worth no event", nothing, [](TimedCore& c) { c.step_after(600ms); }, {}},
    {"requests and silence in one step", [](TimedCore& c) { c.run(2990ms, {"c", "d", "e"}); }, requests_and_silence,
     {"joined new join", "left new goodbye", "dead d process_exit", "suspect a silence", "suspect b silence"}},
};

std::string name_of(const testing::TestParamInfo<Operation>& info) {
    std::string name;
    bool begins = true;
    for (const char* c = info.param.what; *c != '\0'; ++c) {
        if (std::isalpha(static_cast<unsigned char>(*c)) == 0) begins = true;
        else name += static_cast<char>(std::exchange(begins, false) ? std::toupper(*c) : *c);
    }
    return name;
}

class AtEveryInstruction : public testing::TestWithParam<Operation> {};
INSTANTIATE_TEST_SUITE_P(OfRequests, AtEveryInstruction, testing::ValuesIn(requests), name_of);
INSTANTIATE_TEST_SUITE_P(OfLooks, AtEveryInstruction, testing::ValuesIn(looks), name_of);

TEST_P(AtEveryInstruction, TheMemoryIsAValidStateOrOneRedoFromIt) {
    Sweep sweep(GetParam(), {});
    sweep.sweep_operation();
    sweep.sweep_adoptions(4);
    report(GetParam().what, sweep.tally());
}

// Opening a folder, from its first instruction to its last.
class AdoptionAtEveryInstruction : public testing::TestWithParam<Operation> {};
INSTANTIATE_TEST_SUITE_P(Of, AdoptionAtEveryInstruction, testing::Values(requests[1], requests[14]), name_of);

TEST_P(AdoptionAtEveryInstruction, TheMemoryIsAValidStateOrOneRedoFromIt) {
    Sweep sweep(GetParam(), {});
    sweep.sweep_operation();
    sweep.sweep_whole_adoptions(1);
    report("adoption after " + std::string(GetParam().what), sweep.tally());
}

}  // namespace
}  // namespace rollcall::test
