// The part of a member that a beat touches. A fork wipes it, so that a child's copy of its parent's member is nobody's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "engine/client/member.hpp"
#include "shm/name.hpp"
#include "shm/segment.hpp"

namespace rollcall {

// One life of the member: where it beats. Never changed once it is published, and kept as long as the page, so that a beat in flight
// on another thread stands on firm ground while the member joins again.
struct BeatingLife {
    std::shared_ptr<shm::Segment> segment;
    Slot slot;
    Generation generation;
    Incarnation incarnation;
    std::uint64_t token = 0;  // of the join: tells a later life of our own from somebody else's
    shm::Name name;
    shm::Word* word = nullptr;
    shm::Card* card = nullptr;  // none if there was no memory for one
    std::int64_t base_ns = 0;
    std::atomic<std::int64_t> next_look_ns{0};   // at the detector's step stamp
    std::atomic<std::int64_t> next_place_ns{0};  // at whether the path still names this memory
};

class BeatingPage {
public:
    // Throws nothing; `is_valid` is false if there was no memory.
    BeatingPage() noexcept;
    ~BeatingPage();
    BeatingPage(const BeatingPage&) = delete;
    BeatingPage& operator=(const BeatingPage&) = delete;

    bool is_valid() const noexcept { return content_ != nullptr; }

    // From now on beats go to this life. One thread at a time; others may beat meanwhile.
    void enter(std::shared_ptr<shm::Segment> segment, Slot slot, Generation generation, Incarnation incarnation, std::uint64_t token, const shm::Name& name, std::uint32_t card);
    void leave() noexcept;
    // False in a forked child, and before the first join.
    bool is_mine() const noexcept;
    // The roster of the present or last life; nothing before the first, and in a forked child.
    const shm::Roster* roster() const noexcept;

    Beat beat(Instant now) noexcept;

private:
    struct Content {
        std::atomic<std::uint64_t> mine;         // 0 once a fork has wiped it
        std::atomic<std::uint64_t> joined;       // 0 before the first join and after leaving
        std::atomic<BeatingLife*> life;
    };
    static Beat look_at_engine(BeatingLife& life, std::int64_t now_ns) noexcept;
    static Beat why_not(BeatingLife& life) noexcept;

    Content* content_ = nullptr;
    std::deque<BeatingLife> lives_;
};

}  // namespace rollcall
