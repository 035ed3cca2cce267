// What a memory may say: the membership as it was at each publication of an operation, and every event of the stream.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/client/present.hpp"
#include "shm/checkpoint.hpp"
#include "shm/ring.hpp"
#include "shm/snapshot.hpp"

namespace rollcall::test {

// Everything that is said of everybody from slot `first` on: node, the whole hot record, every field of the blob. Of those below, how many.
std::string slots_text(const shm::Image& image, std::uint32_t first);
// What events change of the checkpoint, and what changes without one.
std::string numbers_text(const shm::CheckpointValues& values);
std::string eventless_text(const shm::CheckpointValues& values);
std::string event_text(const shm::StoredEvent& event);
// Reads the settled membership of this memory. Throws if it does not read exactly.
shm::Image exact_image(const shm::Roster& roster);
shm::CheckpointValues checkpoint_of(const shm::Roster& roster);

// One life of a member that was there before the operation, as the member itself knows it.
struct Life {
    Slot slot;
    Generation generation;
    Incarnation incarnation;
    std::uint64_t token = 0;
    shm::Name name;
    bool stays = true;             // through the whole operation, whatever is announced of it
    bool ends_by_silence = false;  // it is evicted for silence: a beat that counts must save it
};

class Truth {
public:
    explicit Truth(std::uint32_t first_slot = 0) : first_slot_(first_slot) {}

    struct Position {
        std::string slots;
        std::set<std::string> numbers;  // more than one if something was published without an event
        std::set<std::string> nodes;
        std::uint64_t view = 0;
    };

    std::string slots(const shm::Image& image) const { return slots_text(image, first_slot_); }

    // This memory has just been published.
    void add(const shm::Roster& roster);
    // The events that this memory's ring holds, up to `prepared`.
    void add_events(const shm::Roster& roster);

    // Nothing was ever published there: null.
    const Position* at(Sequence head) const;
    Sequence last() const { return Sequence{positions_.rbegin()->first}; }
    // Null: no such event.
    const std::string* event(Sequence s) const;
    bool knows_eventless(const std::string& text) const { return eventless_.contains(text); }
    // Some publication or event showed this node so.
    bool knows_hot(const std::string& node, const shm::HotWords& hot) const;
    const std::vector<Life>& lives() const { return lives_; }
    // All nodes that are in some position; and whether this one is in all of them.
    const std::set<std::string>& nodes() const { return nodes_; }
    bool is_always_there(const std::string& node) const;

    // "kind node reason" of each event behind `head`.
    std::vector<std::string> lines_after(Sequence head) const;

private:
    void update_lives(const shm::Image& image);

    std::uint32_t first_slot_;
    std::map<std::uint64_t, Position> positions_;
    std::map<std::uint64_t, std::string> events_;
    std::map<std::uint64_t, std::string> lines_;
    std::set<std::string> eventless_, nodes_;
    std::map<std::string, std::set<shm::HotWords>> hots_;
    std::vector<Life> lives_;
};

}  // namespace rollcall::test
