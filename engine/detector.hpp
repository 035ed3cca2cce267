// The detector: announces what the silence of heartbeat words means.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/books.hpp"
#include "engine/host_verdicts.hpp"
#include "engine/schedule.hpp"

namespace rollcall::engine {

class Detector {
public:
    explicit Detector(Books& books) : books_(books), schedule_(books.roster().capacity()), host_verdicts_(books) {}

    // One pass at the ledger's `now`: observed time, the words that can matter, judgement of each candidate, block by block in the order of
    // slots. Stops when the step's budget of events is used up.
    void pass();
    // The last pass stopped early; the next one goes on there.
    bool has_more() const noexcept { return has_more_ || members_wait_; }

    std::uint64_t blocks_read() const noexcept { return blocks_read_; }  // since it began

private:
    void observe();
    bool read_blocks(std::uint32_t from, std::uint32_t end);
    bool read(BlockRun run);
    bool examine(std::uint32_t block, bool differs);
    void collect(std::uint32_t block, bool differs, BlockMask& candidates);
    void collect_silent(std::uint32_t block, BlockMask& candidates);
    void collect_below(std::uint32_t block, Announced a, Stamp threshold, BlockMask& candidates);
    void collect_proven(std::uint32_t block, BlockMask& candidates);
    bool judge_all(std::uint32_t block, const BlockMask& candidates);
    void judge(Slot slot);
    void judge_word(RemoteHost& host);
    Thresholds thresholds_of(const RemoteHost* host) const noexcept;
    bool is_lost(Slot slot, Announced so_far, std::int64_t word);
    void suspect(Slot slot, shm::Hot& hot, Verdict verdict);
    void recover(Slot slot, shm::Hot& hot);
    void evict(Slot slot, shm::Hot& hot, std::int64_t word, Stamp judged);
    void judge_silence(Slot slot, shm::Hot& hot, State state);
    std::uint64_t lost_since(const RemoteHost* host, Stamp since) const noexcept;
    Stamp judged_stamp(Slot slot, Announced so_far, std::int64_t word);

    void look_again_at_future();
    void audit_unused_block();
    void audit(std::uint32_t block, BlockMask& candidates);
    void audit(Slot slot);
    void audit_word(const RemoteHost& host, std::int64_t word);
    void free_word_of_nobody(Slot slot);
    void repair(Slot slot, const shm::Hot& hot);

    Books& books_;
    Schedule schedule_;
    HostVerdicts host_verdicts_;
    MonotoneThresholds thresholds_;
    bool has_more_ = false, members_wait_ = false;  // members of other hosts
    std::uint32_t resume_at_ = 0, skip_below_ = 0, stop_at_ = 0;  // slots: where the last pass ran out of budget, where this one begins, where it ends
    BlockMask left_behind_{}, left_{};              // in that block: who was left by this pass, and who by the last one
    std::uint32_t left_in_ = 0;
    std::uint64_t judged_ = 0;                      // since the last pass that had all it needed
    std::uint32_t audit_unused_at_ = 0;    // block of words above the high-water mark
    std::uint64_t blocks_read_ = 0;
    std::vector<std::pair<Slot, std::int64_t>> future_;  // words seen beyond `now` at the last pass
};

}  // namespace rollcall::engine
