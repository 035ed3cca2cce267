// A member may be stopped between any two instructions of a beat, for any length of time. When it goes on, its slot may be another's.
//
// Goal: the new owner is untouched, and the old one learns at its next beat that it is over. Method: a child beats, and is stepped up to the
// k-th instruction, for every k; there an engine ends its life and gives the slot to another node; then the child goes on.
#include <iostream>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "engine/client/beating.hpp"
#include "shm/verify.hpp"
#include "tests/crash/memory.hpp"
#include "tests/crash/stepper.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

// How the life ends, and what its member must be told.
struct End {
    const char* name;
    void (*make)(TimedCore&);
    bool has_heir;  // another node gets the slot; else the same one has a new life in it
    Beat::Kind told;
    bool looks;  // the beat also looks at the engine, and writes its card
};

void PrintTo(const End& end, std::ostream* out) { *out << end.name; }

void outlive(TimedCore& core) { core.run(11s, {"b", "c", "d", "e", "f", "g", "h"}); }

// By another process: a join of the same one would only be its answer again.
void replace(TimedCore& core) {
    engine::Request request = TimedCore::join_request("zombie", 999);
    request.may_replace = true;
    core.ask(std::move(request));
}

constexpr End ends[]{
    {"ByAnOperator", [](TimedCore& c) { c.evict("zombie"); }, true, Beat::evicted, false},
    {"BySilence", outlive, true, Beat::evicted, false},
    {"ByGoodbye", [](TimedCore& c) { c.leave("zombie"); }, true, Beat::evicted, false},
    {"ByExit", [](TimedCore& c) { c.exit("zombie"), outlive(c); }, true, Beat::evicted, false},
    {"ByReplacement", replace, false, Beat::replaced, false},
    {"ByAnOperatorDuringALookAtTheEngine", [](TimedCore& c) { c.evict("zombie"); }, true, Beat::evicted, true},
    {"BySilenceDuringALookAtTheEngine", outlive, true, Beat::evicted, true},
    {"ByReplacementDuringALookAtTheEngine", replace, false, Beat::replaced, true},
};

struct Shared {
    std::int64_t now_ns = 0;
    Beat::Kind told{};
};

class Zombie : public testing::TestWithParam<End> {
protected:
    // Every slot is taken, so that the zombie's is the next that anybody gets.
    Zombie() : shared(*new (::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared) {
        TimedCore core(setup());
        for (const char* node : {"zombie", "b", "c", "d", "e", "f", "g", "h"}) core.join(node);
        core.step_after(10ms);
        core.core().writable().header().cards_used.store(1);
        me = core.peer("zombie");
        now = core.now();
    }
    ~Zombie() override { ::munmap(&shared, sizeof shared); }
    EngineSetup setup() const { return {.settings = {1s, 3s, 5s, 10s, 500ms}, .capacity = 8, .ring = 64, .dir = folder.path(), .start = now}; }

    // The child: beats whenever it is let go on, on a page of its own.
    void live(const SteppedProcess::Stop& stop) const {
        auto attached = shm::Segment::attach(shm::Paths::of(folder.path(), "test"), shm::Access::producer, shm::HostIdentity::current());
        if (!attached) throw std::runtime_error(attached.error().message);
        const auto segment = std::make_shared<shm::Segment>(std::move(*attached));
        BeatingPage page;
        const auto enter = [&] { page.enter(segment, me.slot, me.generation, me.incarnation, 100, shm::Name::of("zombie"), 0); };
        enter();
        page.beat(now);
        for (;;) {
            if (GetParam().looks) enter();  // a new life looks at its first beat
            stop();
            shared.told = page.beat(instant_from_ns(shared.now_ns)).kind;
            stop();
            shared.told = page.beat(instant_from_ns(shared.now_ns)).kind;
            stop();
        }
    }

    struct Owner {
        std::array<std::uint64_t, sizeof(shm::Record) / 8> record;
        std::int64_t word;
        friend bool operator==(const Owner&, const Owner&) = default;
    };
    Owner owner(const ClusterFiles& files) const {
        Owner o{};
        std::memcpy(&o.record, static_cast<const void*>(&files.roster().record(me.slot)), sizeof o.record);
        o.word = files.roster().word(me.slot).load();
        return o;
    }

    // Ends the zombie's life, and gives its slot away. The new owner has beaten once.
    void end_life(TimedCore& core) const {
        core.take();
        GetParam().make(core);
        core.advance(10ms);
        const char* const heir = GetParam().has_heir ? "heir" : "zombie";
        if (GetParam().has_heir) core.join("heir");
        core.advance(20ms);
        core.beat(heir);
        core.step();
        const Peer peer = core.peer(heir);
        ASSERT_EQ(peer.slot, me.slot);
        ASSERT_EQ(peer.generation, shm::next_generation(me.generation));
        ASSERT_EQ(peer.state, State::alive);
    }

    // False: the beat has fewer instructions.
    bool go(SteppedProcess& child, ClusterFiles& files, std::uint64_t instructions) {
        const std::int64_t before = files.roster().word(me.slot).load();
        shared.now_ns = to_ns(now + 20ms);
        for (std::uint64_t i = 0; i < instructions; ++i)
            if (!child.step()) return false;
        const bool has_beaten = files.roster().word(me.slot).load() != before;
        EngineSetup next = setup();
        next.start = now + 30ms;
        TimedCore core(next);
        end_life(core);
        const Owner heir = owner(files);
        child.run_to_stop();
        const Beat first{shared.told};
        // A beat that swapped may still find out, when it looks at the engine.
        EXPECT_TRUE(first.kind == GetParam().told || (has_beaten && first.counted())) << to_string(first.kind);
        EXPECT_EQ(owner(files), heir) << "the zombie's beat, stopped at instruction " << instructions;
        child.run_to_stop();
        EXPECT_EQ(to_string(shared.told), to_string(GetParam().told));
        EXPECT_EQ(owner(files), heir) << "the zombie's next beat, after instruction " << instructions;
        EXPECT_THAT(shm::verify(files.roster(), core.now_stamp()).broken, testing::IsEmpty());
        child.run_to_stop();
        return true;
    }

    TemporaryFolder folder;
    Instant now = origin;
    Peer me;
    Shared& shared;
};
INSTANTIATE_TEST_SUITE_P(Ends, Zombie, testing::ValuesIn(ends), [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(Zombie, LeavesTheNewOwnerAloneAndLearnsThatItIsOver) {
    ClusterFiles files(folder.path());
    const Spans spans = what_changes(files.roster().geometry());
    SteppedProcess child([&](const SteppedProcess::Stop& stop) { live(stop); });
    const Image alive(files, spans);
    std::uint64_t stops = 0;
    while (!HasFailure() && go(child, files, stops)) {
        alive.put_into(files, spans);
        ++stops;
    }
    std::cout << "zombie: its life ends " << GetParam().name << ": stopped at " << stops << " instructions of a beat\n";
    RecordProperty("stops", std::to_string(stops));
    EXPECT_GT(stops, 20u);
}

}  // namespace
}  // namespace rollcall::test
