// Kills an engine after every instruction of one operation that changed the memory, and has each image judged.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/crash/judge.hpp"
#include "tests/crash/stepper.hpp"

namespace rollcall::test {

// `before` leads to it, `make` is what is stepped through, `events` is what it must announce, as line_of tells it.
struct Operation {
    const char* what;
    void (*before)(TimedCore&);
    void (*make)(TimedCore&);
    std::vector<std::string> events;
};

inline void PrintTo(const Operation& operation, std::ostream* out) { *out << operation.what; }

struct SweepSetup {
    Settings settings{};
    std::uint32_t capacity = 8, ring = 64;
    std::vector<std::string> members{"a", "b", "c", "d", "e"};  // who is there before `before`
    std::uint32_t first_slot = 0;                               // what is below it is not looked at
    std::uint32_t extents = 3;                                  // of blobs
    std::uint32_t room = 0;                                     // not 0: so many more must find room afterwards, instead of everybody anew
    std::function<void(const std::string& dir)> call{};         // what somebody else does to the engine just before `make`
};

// What was done, for the record.
struct Tally {
    std::uint64_t instructions = 0;  // stepped through
    std::uint64_t images = 0;        // different from the one before
    std::uint64_t judged = 0;        // different from all before
    std::uint64_t adoptions = 0;     // that were stepped through in their turn
    std::uint64_t faults = 0;
};

class Sweep {
public:
    Sweep(const Operation& operation, SweepSetup setup) : operation_(operation), setup_(std::move(setup)), truth_(setup_.first_slot) {}

    // Steps through the operation and judges every image. Each fault is a failure of the test; after a few it gives up.
    void sweep_operation();
    // Then, of the images with something to redo, `how_many` spread over all of them: an engine adopts it, and is itself killed after every
    // instruction that changed the memory, until it has published. Everything after that writes nothing but who it is.
    void sweep_adoptions(std::size_t how_many);
    // The same from the first instruction of Core::open to its last.
    void sweep_whole_adoptions(std::size_t how_many);
    const Tally& tally() const noexcept { return tally_; }

private:
    void record(SteppedProcess& child, const ClusterFiles& files, bool until_published = false);
    void sweep_adoption_of(std::size_t image, bool whole);
    void adopt(const std::string& dir, bool whole, const SteppedProcess::Stop& stop) const;
    std::vector<std::size_t> some_unfinished(std::size_t how_many) const;
    void learn(const std::string& dir, std::size_t from);
    void judge_all(Judge& judge, std::size_t from, const std::string& of);
    JudgeOptions judge_options() const;

    Operation operation_;
    SweepSetup setup_;
    TemporaryFolder origin_;  // a copy of the memory as it was at first
    Spans spans_;
    Truth truth_;
    Instant now_{};
    std::vector<Image> images_;
    std::vector<std::uint64_t> instruction_of_;  // an image: after which instruction it was taken
    std::vector<std::size_t> unfinished_;        // images with events to redo
    std::unordered_set<std::size_t> seen_;
    Tally tally_;
};

}  // namespace rollcall::test
