#include "engine/schedule.hpp"

#include <algorithm>

#include "engine/scan.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

Schedule::Schedule(std::uint32_t capacity) : due_(blocks_of(capacity)), found_(blocks_of(capacity)) {}

void Schedule::begin(const PeerTable& table, const Thresholds& thresholds, const Settings& settings, std::uint32_t blocks, std::uint64_t gap) {
    due_ = table.silent_blocks();
    add_below(table.bounds(Announced::alive), blocks, thresholds.suspect);
    if (table.has_proven_deaths()) add_below(table.bounds(Announced::dead_proven), blocks, thresholds.evict);
    rotate(settings, blocks, gap);
}

void Schedule::add_below(const std::int64_t* bounds, std::uint32_t blocks, Stamp threshold) {
    const std::size_t found = collect_below(bounds, blocks, shm::threshold_word(threshold), found_.data());
    for (std::size_t i = 0; i < found; ++i) due_.add(found_[i]);
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
