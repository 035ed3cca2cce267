#include "engine/schedule.hpp"

#include <algorithm>

#include "engine/scan.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

Schedule::Schedule(std::uint32_t capacity) : due_(blocks_of(capacity)), aged_(blocks_of(capacity)), found_(blocks_of(capacity)) {}

void Schedule::begin(const PeerTable& table, const Thresholds& thresholds, const Settings& settings, std::uint32_t blocks, std::uint64_t gap) {
    aged_.clear();
    add_below(aged_, table, Announced::suspect, thresholds.dead, blocks);
    add_below(aged_, table, Announced::dead_silent, thresholds.evict, blocks);
    add_below(aged_, table, Announced::dead_proven, thresholds.evict, blocks);
    due_ = table.silent_blocks();
    due_.add(aged_);
    add_below(due_, table, Announced::alive, thresholds.suspect, blocks);
    rotate(settings, blocks, gap);
}

void Schedule::add_below(BlockSet& to, const PeerTable& table, Announced state, Stamp threshold, std::uint32_t blocks) {
    if (table.count(state) == 0) return;
    const std::size_t found = collect_below(table.bounds(state), blocks, shm::threshold_word(threshold), found_.data());
    for (std::size_t i = 0; i < found; ++i) to.add(found_[i]);
}

// At least one block a pass: a small cluster is looked through many times a second.
void Schedule::rotate(const Settings& settings, std::uint32_t blocks, std::uint64_t gap) {
    blocks_ = blocks;
    round_ = std::max<std::uint64_t>(1, to_stamp_units_up(settings.suspect - settings.heartbeat) * 5 / 6);
    debt_ = std::min(debt_ + blocks * std::min(gap, round_), (blocks + 1) * round_);
    rotation_count_ = is_first_ ? blocks : static_cast<std::uint32_t>(std::clamp<std::uint64_t>(debt_ / round_, blocks == 0 ? 0 : 1, blocks));
    if (audit_at_ < blocks) due_.add(audit_at_);
    for (std::uint32_t i = 0; i < rotation_count_; ++i) due_.add((rotation_begin_ + i) % blocks);
}

void Schedule::finish() noexcept {
    is_first_ = false;
    audit_at_ = audit_at_ + 1 < blocks_ ? audit_at_ + 1 : 0;
    debt_ -= std::min(debt_, rotation_count_ * round_);
    rotation_begin_ = blocks_ == 0 ? 0 : (rotation_begin_ + rotation_count_) % blocks_;
}

bool Schedule::is_in_rotation(std::uint32_t block) const noexcept { return (block + blocks_ - rotation_begin_) % blocks_ < rotation_count_; }

}  // namespace rollcall::engine
