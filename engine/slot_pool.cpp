#include "engine/slot_pool.hpp"

#include <algorithm>

namespace rollcall::engine {

SlotPool::SlotPool(std::uint32_t capacity, std::uint32_t high_water)
    : capacity_(capacity), high_water_(high_water), where_(capacity, Where::unused), freed_at_(capacity), busy_((capacity + line - 1) / line, 0) {
    const std::uint32_t end_of_line = std::min((high_water + line - 1) / line * line, capacity);
    for (std::uint32_t i = 0; i < end_of_line; ++i) {
        where_[i] = Where::taken;
        ++busy_[i / line];
    }
    for (std::uint32_t i = end_of_line; i-- > high_water;) release(Slot{i}, Stamp{});  // the rest of the last line was kept for somebody
}

Slot SlotPool::occupy(std::uint32_t index) {
    where_[index] = Where::taken;
    high_water_ = std::max(high_water_, index + 1);
    return Slot{index};
}

std::optional<Slot> SlotPool::take_kept(ProducerId producer) {
    const auto it = kept_.find(producer);
    if (it == kept_.end() || it->second.empty()) return std::nullopt;
    const std::uint32_t index = it->second.back();
    it->second.pop_back();
    return occupy(index);
}

// Keeps the rest of the line for this producer; the lowest slot is used first.
std::optional<Slot> SlotPool::take_from_line(ProducerId producer, std::uint32_t line_number, bool fresh) {
    auto& kept = kept_[producer];
    const std::uint32_t begin = line_number * line, end = std::min(begin + line, capacity_);
    for (std::uint32_t i = end; i-- > begin;) {
        if (where_[i] != (fresh ? Where::unused : Where::idle_line)) continue;
        where_[i] = Where::kept;
        ++busy_[line_number];
        kept.push_back(i);
    }
    return take_kept(producer);
}

std::optional<Slot> SlotPool::take_loose(Stamp now, std::uint64_t quarantine) {
    while (!loose_.empty()) {
        const Freed freed = loose_.front();
        const bool is_current = where_[freed.index] == Where::loose && freed_at_[freed.index] == freed.at;
        if (is_current && now.value - freed.at.value < quarantine) return std::nullopt;
        loose_.pop_front();
        if (!is_current) continue;  // its whole line went idle meanwhile
        ++busy_[freed.index / line];
        return occupy(freed.index);
    }
    return std::nullopt;
}

// The last resort: a slot that is kept for another producer. Their lines are shared from now on.
std::optional<Slot> SlotPool::take_anybodys() {
    for (auto it = kept_.begin(); it != kept_.end();) {
        if (it->second.empty()) {
            it = kept_.erase(it);
            continue;
        }
        const std::uint32_t index = it->second.back();
        it->second.pop_back();
        return occupy(index);
    }
    return std::nullopt;
}

std::optional<Slot> SlotPool::take(ProducerId producer, Stamp now, std::uint64_t quarantine) {
    if (auto slot = take_kept(producer)) return slot;
    const std::uint32_t fresh_line = (high_water_ + line - 1) / line;
    if (fresh_line < busy_.size()) return take_from_line(producer, fresh_line, true);
    if (!idle_lines_.empty() && now.value - idle_lines_.front().at.value >= quarantine) {
        const std::uint32_t idle = idle_lines_.front().index;
        idle_lines_.pop_front();
        return take_from_line(producer, idle, false);
    }
    if (auto slot = take_loose(now, quarantine)) return slot;
    return take_anybodys();
}

// Whatever need not rest goes before everything that does: a queue whose front rests is not searched any further.
void SlotPool::enqueue(std::deque<Freed>& queue, Freed freed) {
    if (freed.at == Stamp{}) queue.push_front(freed);
    else queue.push_back(freed);
}

void SlotPool::release(Slot slot, Stamp now) {
    const std::uint32_t number = slot.value / line;
    where_[slot.value] = Where::loose;
    freed_at_[slot.value] = now;
    if (--busy_[number] != 0) {
        enqueue(loose_, {slot.value, now});
        return;
    }
    for (std::uint32_t i = number * line; i < std::min((number + 1) * line, capacity_); ++i) {
        if (where_[i] != Where::loose) continue;
        where_[i] = Where::idle_line;
        now = std::max(now, freed_at_[i]);  // the whole line rests until its latest slot has
    }
    enqueue(idle_lines_, {number, now});
}

void SlotPool::forget(ProducerId producer) {
    const auto it = kept_.find(producer);
    if (it == kept_.end()) return;
    const std::vector<std::uint32_t> kept = std::move(it->second);
    kept_.erase(it);
    for (const std::uint32_t index : kept) release(Slot{index}, Stamp{});
}

}  // namespace rollcall::engine
