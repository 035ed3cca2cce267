// Is this what an engine may leave behind at its death? Everything that anybody can do with such a memory is done with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core.hpp"
#include "tests/crash/memory.hpp"
#include "tests/crash/truth.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {

struct JudgeOptions {
    Settings settings;       // of the next engine
    Instant now;             // of the next engine: not before the dead one's last look
    std::uint32_t capacity = 0, ring = 0;
    bool fills_up = true;    // in the end everybody leaves, and as many as there is room for come
    std::uint32_t room = 0;  // if not: so many more must find room
};

class Judge {
public:
    // `dir` holds a cluster with the sizes of the one that is judged, whose bytes outside `spans` are right; it is the judge's to spoil.
    Judge(std::string dir, const Spans& spans, const Truth& truth, const JudgeOptions& options);

    // Nothing, or the first thing that is not as it must be. In this order: `verify` finds nothing; an observer reads a published state;
    // each node is found or not, as it was or will be; a new engine adopts it, at the position up to which events were prepared, and has what
    // was published there, words and old events included; so does another one right after it; which then goes on without a hole, and has
    // room for everybody. Then once more from the beginning: each member beats, is told nothing untrue, and what counted is not lost.
    std::string fault_of(const Image& image);

private:
    std::string verified() const;
    std::string observed() const;
    std::string found() const;
    std::string numbers_fault() const;
    std::string adopted();
    std::string continued();
    std::string beaten();
    std::string beat_of(const Life& life, const std::shared_ptr<shm::Segment>& segment, std::vector<std::string>& must_stay);
    std::string words_fault(const shm::Roster& roster) const;
    std::string events_fault(const shm::Roster& roster) const;
    std::string position_fault(const shm::Roster& roster, Sequence wanted) const;
    Stamp now_stamp() const { return to_stamp(options_.now, files_.roster().base_ns()); }

    std::string dir_;
    const Spans& spans_;
    const Truth& truth_;
    JudgeOptions options_;
    ClusterFiles files_;
    std::vector<std::int64_t> words_;  // as they were when the next engine came
};

}  // namespace rollcall::test
