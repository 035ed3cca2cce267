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
#include "shm/word.hpp"

namespace rollcall {

class GuardBoard;

// One life of the member: where it beats. Never changed once it is published, and kept as long as the page, so that a beat in flight
// on another thread stands on firm ground while the member joins again.
struct BeatingLife {
    // What every beat needs, on one cache line.
    alignas(64) shm::Word* word = nullptr;
    const std::atomic<std::uint32_t>* lifecycle = nullptr;  // of the roster
    std::int64_t base_ns = 0;
    std::atomic<std::int64_t> next_look_ns{0};  // at the detector's step stamp
    Generation generation;

    std::shared_ptr<shm::Segment> segment;
    Slot slot;
    Incarnation incarnation;
    std::uint64_t token = 0;  // of the join: tells a later life of our own from somebody else's
    shm::Name name;
    shm::Card* card = nullptr;  // none if there was no memory for one
    std::atomic<std::int64_t> next_place_ns{0};  // at whether the path still names this memory

    // On superseded memory nothing counts, whatever the word says. The roster says so: in the pulse any member could.
    bool is_on_live_memory() const noexcept {
        return lifecycle->load(std::memory_order_relaxed) == static_cast<std::uint32_t>(shm::Lifecycle::live);  // relaxed: nothing follows from it
    }
    bool is_to_look_at_engine(Instant now) const noexcept { return to_ns(now) >= next_look_ns.load(std::memory_order_relaxed); }  // relaxed: a hint
};

// What lies in the page.
struct BeatingContent {
    std::atomic<BeatingLife*> beating;  // none before the first join and after leaving, and where guards must be asked first
    std::atomic<BeatingLife*> standing;  // the same, guards or not
    std::atomic<BeatingLife*> life;     // the present or last one
    std::atomic<std::uint64_t> mine;    // 0 once a fork has wiped it
    std::atomic<const GuardBoard*> guards;  // none before the first guard
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
    // From now on beats ask these guards first, which must outlive the page. Any thread, at any time.
    void ask_first(const GuardBoard& guards) noexcept;
    // A guard's budget is over: no beat counts now.
    bool is_stalled(Instant now) const noexcept;
    // False in a forked child, and before the first join.
    bool is_mine() const noexcept;
    // The roster of the present or last life; nothing before the first, and in a forked child.
    const shm::Roster* roster() const noexcept;

    BeatingContent* content() const noexcept { return content_; }
    Beat beat(Instant now) noexcept;

private:
    BeatingContent* content_ = nullptr;
    std::deque<BeatingLife> lives_;
};

// Says why, where `beat` does not come to an end as always.
Beat beat_and_say_why(const BeatingContent& at, Instant now) noexcept;

// Thirty instructions, one of them a swap (bench/instructions.py counts them): whatever is not as always is looked at again, out of line.
inline Beat beat(const BeatingContent& at, Instant now) noexcept {
    BeatingLife* const life = at.beating.load(std::memory_order_acquire);  // [enter]
    if (life != nullptr && life->is_on_live_memory() && shm::beat(*life->word, shm::word_at(now, life->base_ns, life->generation), life->generation) != shm::WordBeat::foreign &&
        !life->is_to_look_at_engine(now)) [[likely]]
        return {Beat::counted_};
    return beat_and_say_why(at, now);
}
inline Beat BeatingPage::beat(Instant now) noexcept { return rollcall::beat(*content_, now); }

}  // namespace rollcall
