// Which blocks of heartbeat words a pass of the detector has to read. Nearly none.
//
// Beats only move stamps forward. So the oldest stamp that was seen in a block is a lower bound of what will ever be seen there, until
// somebody is admitted, recovers or is repaired with an older one, which lowers the bound. A block is read
//   - when its bound falls below the threshold: somebody in it may be silent;
//   - when somebody in it is silent: he may have recovered;
//   - when somebody in it was proven dead for as long as the evict timeout;
//   - in rotation, a whole round in five sixths of (suspect - heartbeat): else all bounds, taken at the same time, would fall due at the same
//     time, and one step in a hundred would read everything;
//   - one block a pass, in its turn, to be audited for damaged words.
// No due times are kept, so other settings and pauses need no rule: they move the thresholds, and nothing else. What a pass says of words that
// producers write as they must is what it would say if it read every block; what they damage, the audit finds when it comes around.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/block_set.hpp"
#include "engine/judgement.hpp"
#include "engine/peer_table.hpp"
#include "shm/settings.hpp"

namespace rollcall::engine {

class Schedule {
public:
    explicit Schedule(std::uint32_t capacity);

    // Begins a pass over `blocks` blocks, `gap` stamp units after the last one.
    void begin(const PeerTable& table, const Thresholds& thresholds, const Settings& settings, std::uint32_t blocks, std::uint64_t gap);

    // The next blocks to read in [from, end), at most `longest_run`.
    BlockRun next_run(std::uint32_t from, std::uint32_t end) const noexcept { return due_.next_run(from, end, longest_run); }
    // Every block of this pass was read: the rotation goes on. A pass that ended early is repeated, and more is due with it.
    void finish() noexcept;
    // May somebody in it be dead or evicted by now?
    bool is_aged(std::uint32_t block) const noexcept { return aged_.contains(block); }
    // Is it this block's turn to be looked through for damaged words? At first every block's, then one a pass.
    bool is_to_audit(std::uint32_t block) const noexcept { return is_first_ || block == audit_at_; }
    // Is it this block's turn to be read whatever it holds?
    bool is_in_rotation(std::uint32_t block) const noexcept;

    static constexpr std::uint32_t longest_run = 64;

private:
    void add_below(BlockSet& to, const PeerTable& table, Announced state, Stamp threshold, std::uint32_t blocks);
    void rotate(const Settings& settings, std::uint32_t blocks, std::uint64_t gap);

    BlockSet due_, aged_;
    std::vector<std::uint32_t> found_;  // scratch
    bool is_first_ = true;              // nothing is known yet: read everything
    std::uint32_t audit_at_ = 0, rotation_begin_ = 0, rotation_count_ = 0, blocks_ = 0;
    std::uint64_t debt_ = 0, round_ = 1;  // of the rotation: blocks × stamp units, stamp units
};

}  // namespace rollcall::engine
