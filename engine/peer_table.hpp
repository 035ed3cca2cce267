// What the detector remembers of each slot between two steps, beside the shared memory: what it announced, and which slots are silent.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/judgement.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

class PeerTable {
public:
    explicit PeerTable(std::uint32_t capacity) : announced_(capacity, Announced::nobody), position_(capacity, absent), touched_(capacity, 0) {}

    Announced operator[](Slot s) const noexcept { return announced_[s.value]; }
    void set(Slot s, Announced now);

    // Suspect or dead: judged at every step whatever their words say. In no order; `set` moves its elements.
    std::span<const Slot> silent() const noexcept { return silent_; }
    std::uint32_t peers() const noexcept { return peers_; }

    // At most one event a slot and commit.
    bool touched_in(Slot s, std::uint64_t commit) const noexcept { return touched_[s.value] == commit; }
    void touch(Slot s, std::uint64_t commit) noexcept { touched_[s.value] = commit; }

private:
    static constexpr std::uint32_t absent = 0xFFFF'FFFF;
    static bool is_silent(Announced a) noexcept { return a >= Announced::suspect; }

    std::vector<Announced> announced_;
    std::vector<Slot> silent_;
    std::vector<std::uint32_t> position_;  // in silent_
    std::vector<std::uint64_t> touched_;
    std::uint32_t peers_ = 0;
};

inline void PeerTable::set(Slot s, Announced now) {
    const Announced before = announced_[s.value];
    announced_[s.value] = now;
    peers_ += (now != Announced::nobody) - (before != Announced::nobody);
    if (is_silent(now) == is_silent(before)) return;
    if (is_silent(now)) {
        position_[s.value] = static_cast<std::uint32_t>(silent_.size());
        silent_.push_back(s);
    } else {
        const std::uint32_t hole = position_[s.value];
        silent_[hole] = silent_.back();
        position_[silent_[hole].value] = hole;
        silent_.pop_back();
        position_[s.value] = absent;
    }
}

}  // namespace rollcall::engine
