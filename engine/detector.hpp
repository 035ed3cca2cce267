// The detector: looks at every heartbeat word and announces what its silence means.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/books.hpp"

namespace rollcall::engine {

class Detector {
public:
    explicit Detector(Books& books) : books_(books) {}

    // One pass at the ledger's `now`: observed time, the scan, judgement of each candidate in slot order. Stops when the step's budget of
    // events is used up, and goes on there at the next call.
    void pass();

    // At adoption: deaths of silence whose word is already gone; their eviction was begun and must be finished.
    void finish_eviction(Slot slot) { unfinished_.push_back(slot); }

private:
    void observe();
    void set_thresholds();
    bool is_lost(Slot slot, Announced so_far, std::int64_t word);
    void collect();
    void judge(Slot slot);
    void suspect(Slot slot, shm::Hot hot, Verdict verdict);
    void bury(Slot slot, shm::Hot hot, const shm::Name& name);
    void recover(Slot slot, shm::Hot hot);
    void evict(Slot slot, shm::Hot hot, std::int64_t word, Stamp judged);
    void audit_block();
    void audit_unused_block();
    void free_word_of_nobody(Slot slot);
    void audit(Slot slot);
    void repair(Slot slot, const shm::Hot& hot);
    shm::Hot silent_for(shm::Hot hot, Stamp last_beat, State state, std::uint64_t timeout);
    Stamp judged_stamp(Slot slot, Announced so_far, std::int64_t word);

    Books& books_;
    Thresholds thresholds_;
    Settings judged_by_{};         // what they were made from
    std::uint64_t forgiven_ = 0;
    std::vector<std::uint32_t> below_;     // scratch
    std::vector<Slot> candidates_;         // scratch
    std::vector<Slot> unfinished_;
    std::uint32_t resume_at_ = 0;          // slot at which the last pass ran out of budget
    std::uint32_t audit_at_ = 0;           // block of words that have owners
    std::uint32_t audit_unused_at_ = 0;    // block of words above the high-water mark
    std::vector<std::pair<Slot, std::int64_t>> future_;  // words seen beyond `now` at the last pass
};

}  // namespace rollcall::engine
