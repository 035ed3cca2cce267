// Which cards are free: each belongs to a process that beats, or to a host that is heard.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "shm/segment.hpp"

namespace rollcall::engine {

// One thread.
class CardPool {
public:
    // Cards that were used before are free until keep() says that a record still names them.
    explicit CardPool(shm::Segment& segment) : segment_(segment) {
        const shm::Roster& roster = segment.roster();
        for (std::uint32_t i = std::min(roster.header().cards_used.load(std::memory_order_relaxed), roster.capacity()); i-- > 0;) free_.push_back(i);  // relaxed: this thread is the writer
    }

    // A page of cards is backed before the first of them is given away. Without memory there is no card (no_index): it carries statistics only.
    std::uint32_t take() {
        if (!free_.empty()) {
            const std::uint32_t card = free_.back();
            free_.pop_back();
            return card;
        }
        auto& used = segment_.writable().header().cards_used;
        const std::uint32_t next = used.load(std::memory_order_relaxed);  // relaxed: this thread is the writer
        if (next >= segment_.roster().capacity()) return shm::no_index;
        constexpr std::uint32_t a_page = shm::page / sizeof(shm::Card);
        if (next % a_page == 0 && !segment_.back_pulse(segment_.roster().geometry().cards + std::uint64_t{next} * sizeof(shm::Card), shm::page)) return shm::no_index;
        used.store(next + 1, std::memory_order_release);  // [extent] pairs with whoever lists the cards
        return next;
    }
    // At adoption: the card that a record names, unless somebody else has it already.
    std::uint32_t keep(std::uint32_t card) {
        const auto it = std::find(free_.begin(), free_.end(), card);
        if (it == free_.end()) return shm::no_index;
        free_.erase(it);
        return card;
    }
    void give_back(std::uint32_t card) {
        if (card != shm::no_index) free_.push_back(card);
    }

private:
    shm::Segment& segment_;
    std::vector<std::uint32_t> free_;
};

}  // namespace rollcall::engine
