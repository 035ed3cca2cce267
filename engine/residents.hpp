// Who has which id, and how somebody new gets a slot: the same for members of this host, of others, and for hosts.
#pragma once

#include <optional>
#include <unordered_set>
#include <utility>

#include "engine/books.hpp"
#include "shm/blob.hpp"
#include "shm/error.hpp"

namespace rollcall::engine {

struct Holder {
    Slot slot = no_slot;
    shm::Hot hot;
    shm::Blob blob;
};

// Where somebody new will be: nothing of it can be seen yet.
struct Room {
    Slot slot = no_slot;
    Generation generation{};
    State before = State::none;
    std::uint32_t blob = shm::no_index;
};

class Residents {
public:
    explicit Residents(Books& books) : books_(books) {}

    // Who has this id, as of what is planned. Commits if this commit already touches it; afterwards it has room for `events` more.
    std::optional<Holder> holder_of(const shm::Name& name, std::uint32_t events);

    // A free slot with memory behind it. Fails with full.
    Result<Slot> take_slot(ProducerId producer);
    // A free slot and room for the blob. Fails with full.
    Result<Room> room_for(ProducerId producer, const shm::Blob& blob);
    // In the place of the one who is there. Fails with full.
    Result<Room> room_in_place_of(const Holder& holder, const shm::Blob& blob);
    // Plans `joined`. `word`: which word it will be judged by; no_slot: its own. Nothing can fail any more. Returns its record.
    shm::Hot admit(const shm::Name& name, const Room& room, shm::Blob blob, Incarnation incarnation, Reason reason, Slot word = no_slot);
    // The holder's old blob is written anew: plans `updated`. Fails with full.
    Result<void> rewrite(const shm::Name& name, Holder& holder, shm::Blob blob);

private:
    Result<void> back_slot(Slot slot);
    std::uint64_t quarantine() const noexcept;

    Books& books_;
    std::unordered_set<std::uint32_t> planned_;  // hashes of ids that this commit admits
    std::uint64_t planned_in_ = 0;
};

}  // namespace rollcall::engine
