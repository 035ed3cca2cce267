#include "engine/client/cursor.hpp"

namespace rollcall {

// A quarter of the ring may be overwritten in one step of the engine, before its head moves.
Sequence Cursor::before_oldest(const shm::Roster& roster) noexcept {
    const std::uint64_t head = shm::load_head(roster.header()).value, ring = roster.geometry().ring_entries;
    std::uint64_t at = head > ring ? head - ring : 0;
    shm::StoredEvent event;
    while (at < head && !shm::load_entry(roster.entry(Sequence{at + 1}), Sequence{at + 1}, event)) ++at;
    return Sequence{at};
}

Cursor::Outcome Cursor::next(const shm::Roster& roster, shm::StoredEvent& out) noexcept {
    const Sequence head = shm::load_head(roster.header());
    if (head <= last_) return Outcome::nothing;
    if (shm::load_entry(roster.entry(last_ + 1), last_ + 1, out)) {
        last_ = last_ + 1;
        return Outcome::event;
    }
    // Go on in the middle of the ring: nearer to its end the writer would lap this reader again at once.
    from_ = last_ + 1;
    const std::uint64_t half = roster.geometry().ring_entries / 2;
    last_ = std::max(from_, Sequence{head.value > half ? head.value - half : 0});
    return Outcome::lapped;
}

}  // namespace rollcall
