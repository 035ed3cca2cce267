// The part of a member that a beat touches: one page that a fork wipes, so that a child's copy of its parent's member is nobody's.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/client/member.hpp"
#include "shm/name.hpp"
#include "shm/roster.hpp"

namespace rollcall {

class BeatingPage {
public:
    // Throws nothing; `is_valid` is false if there was no memory.
    BeatingPage() noexcept;
    ~BeatingPage();
    BeatingPage(const BeatingPage&) = delete;
    BeatingPage& operator=(const BeatingPage&) = delete;

    bool is_valid() const noexcept { return content_ != nullptr; }

    // From now on beats go to this slot. Not while another thread beats.
    void enter(shm::Roster& roster, Slot slot, Generation generation, Incarnation incarnation, const shm::Name& name, Duration suspect) noexcept;
    void leave() noexcept;
    // False in a forked child, and before the first join.
    bool is_mine() const noexcept;

    Beat beat(Instant now) noexcept;

private:
    struct Content {
        std::atomic<std::uint64_t> mine;        // 0 once a fork has wiped it
        std::atomic<std::uint32_t> generation;  // 0: not joined
        Slot slot;
        Incarnation incarnation;
        shm::Word* word;
        shm::Roster* roster;
        std::int64_t base_ns;
        std::int64_t suspect_ns;
        std::atomic<std::int64_t> next_look_ns;  // at the detector's step stamp
        shm::Name name;
    };
    Beat look_at_engine(std::int64_t now_ns) noexcept;
    Beat why_not() const noexcept;

    Content* content_ = nullptr;
};

}  // namespace rollcall
