// The same for what a small and quiet cluster does not do: more events than a commit and a step have room for, and memory that must grow.
#include <gtest/gtest.h>

#include "tests/crash/report.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;

// Joined one after the other by one process, and so in this order of slots.
template <std::size_t count>
void join_many(TimedCore& core) {
    for (std::size_t i = 0; i < count; ++i) {
        Request request = TimedCore::join_request("n" + std::to_string(10 + i), 7, "of many");
        request.token = i + 1;
        core.ask(std::move(request));
        core.take();
    }
    core.step_after(10ms);
}

std::vector<std::string> nodes(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back("n" + std::to_string(10 + i));
    return names;
}

// Silence is judged in slot order: the lines of both events of each.
std::vector<std::string> suspect_and_dead(const std::vector<std::string>& nodes) {
    std::vector<std::string> lines;
    for (const std::string& node : nodes) {
        lines.push_back("suspect " + node + " silence");
        lines.push_back("dead " + node + " silence");
    }
    return lines;
}

// Twelve die at once: 24 events, of which a step of a ring of 64 may make 16.
TEST(GrowthAtEveryInstruction, EventsForMoreThanOneStep) {
    const Operation operation{"a mass silence over two steps",
                              [](TimedCore& c) { join_many<12>(c), c.run(2500ms), c.configure({1s, 1100ms, 1200ms, 10s, 10ms}); },
                              [](TimedCore& c) { c.step_after(10ms), c.step(); },
                              suspect_and_dead(nodes(12))};
    Sweep sweep(operation, {.capacity = 24, .members = {}});
    sweep.sweep_operation();
    sweep.sweep_adoptions(4);
    report(operation.what, sweep.tally());
}

// Everybody leaves because an operator stops the cluster: in as many steps as it takes.
TEST(GrowthAtEveryInstruction, LeavingOfEverybody) {
    std::vector<std::string> lines;
    for (const std::string& node : nodes(20)) lines.push_back("left " + node + " operator");
    const Operation operation{"everybody leaves", join_many<20>,
                              [](TimedCore& c) { c.put(TimedCore::about({}, Request::Kind::leave_all)), c.step(), c.step(); }, lines};
    Sweep sweep(operation, {.capacity = 24, .members = {}});
    sweep.sweep_operation();
    sweep.sweep_adoptions(4);
    report(operation.what, sweep.tally());
}

// The 4,097th slot is the first of a new extent of records. Of the first extent only the last slots are looked at.
TEST(GrowthAtEveryInstruction, RecordsBeyondAnExtent) {
    const Operation operation{"a join into a new extent of records", join_many<shm::extent_records>,
                              [](TimedCore& c) { c.ask(TimedCore::join_request("new", 1, "of the new")); }, {"joined new join"}};
    constexpr std::uint32_t n = shm::extent_records;
    Sweep sweep(operation, {.capacity = n + 8, .members = {}, .first_slot = n - 8, .extents = 6, .room = 7});
    sweep.sweep_operation();
    sweep.sweep_adoptions(2);
    report(operation.what, sweep.tally());
}

}  // namespace
}  // namespace rollcall::test
