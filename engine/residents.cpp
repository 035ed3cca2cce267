#include "engine/residents.hpp"

#include <algorithm>

#include "shm/index.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

using shm::Blob;
using shm::Hot;
using shm::Name;

std::optional<Holder> Residents::holder_of(const Name& name, std::uint32_t events) {
    Ledger& ledger = books_.ledger;
    if (planned_.contains(shm::hash_of(name)) && planned_in_ == ledger.commit_number()) ledger.commit();
    ledger.make_room(events, no_slot, books_.table);

    shm::FoundRecord found;
    if (shm::find(books_.roster(), name, found) != shm::Lookup::found || books_.table[found.slot] == Announced::nobody) return std::nullopt;
    ledger.make_room(events, found.slot, books_.table);
    Holder holder{found.slot, books_.hot(found.slot), {}};
    if (holder.hot.state == State::none) return std::nullopt;  // it left in the commit that just ended
    shm::load_blob(books_.roster(), holder.hot.blob, holder.blob);
    return holder;
}

std::uint64_t Residents::quarantine() const noexcept {
    return std::max(to_stamp_units_up(std::chrono::milliseconds(1)), to_stamp_units_up(books_.settings().suspect) >> 14);
}

Result<Slot> Residents::take_slot(ProducerId producer) {
    const auto slot = books_.slots.take(producer, books_.ledger.now().stamp, quarantine());
    if (!slot) return fail(ErrorKind::full, "the cluster is full: capacity " + std::to_string(books_.roster().capacity()) + "; recreate it with a larger --capacity");
    auto backed = back_slot(*slot);
    if (backed) return *slot;
    books_.slots.release(*slot, Stamp{});
    return fail(backed.error());
}

// Memory for the slot's extent before the mark that lets readers look there.
Result<void> Residents::back_slot(Slot slot) {
    auto& high_water = books_.roster().header().high_water;
    const std::uint32_t now_used = high_water.load(std::memory_order_relaxed);  // relaxed: this thread is the writer
    if (slot.value < now_used) return {};
    const std::uint32_t backed = (now_used + shm::extent_records - 1) / shm::extent_records * shm::extent_records;
    if (slot.value >= backed) {
        // From where memory ends, not from the slot's own extent: joins that failed for want of memory may have passed over some.
        const std::uint64_t begin = backed, end = std::min<std::uint64_t>((slot.value / shm::extent_records + 1) * shm::extent_records, books_.roster().capacity());
        if (auto done = books_.segment.back_roster(books_.roster().geometry().records + begin * sizeof(shm::Record), (end - begin) * sizeof(shm::Record)); !done) return done;
    }
    high_water.store(slot.value + 1, std::memory_order_release);  // [extent] pairs with Roster::high_water
    return {};
}

Result<Room> Residents::room_for(ProducerId producer, const Blob& blob) {
    const auto slot = take_slot(producer);
    if (!slot) return fail(slot.error());
    const auto number = books_.ledger.blobs().allocate(shm::blob_class_for(blob));
    if (number) return Room{*slot, shm::next_generation(books_.hot(*slot).generation), State::none, *number};
    books_.slots.release(*slot, Stamp{});
    return fail(number.error());
}

Result<Room> Residents::room_in_place_of(const Holder& holder, const Blob& blob) {
    const auto number = books_.ledger.blobs().allocate(shm::blob_class_for(blob));
    if (!number) return fail(number.error());
    return Room{holder.slot, shm::next_generation(holder.hot.generation), State::dead, *number};
}

Hot Residents::admit(const Name& name, const Room& room, Blob blob, Incarnation incarnation, Reason reason, Slot word) {
    blob.sequence = books_.ledger.next_sequence();
    shm::store_blob(books_.roster(), room.blob, blob);
    const bool has_own = word == no_slot;
    Hot hot;
    hot.incarnation = incarnation;
    hot.generation = room.generation;
    hot.word_slot = has_own ? room.slot : word;
    hot.blob = room.blob;
    hot.last_beat = books_.ledger.now().stamp;
    hot = books_.judged(hot, State::alive, reason);
    books_.plan(EventKind::joined, room.slot, hot, name, room.before);
    books_.table.set(room.slot, has_own ? Announced::alive : Announced::told, hot.last_beat);
    if (has_own) books_.table.own(room.slot, room.generation);
    if (planned_in_ != books_.ledger.commit_number()) planned_.clear();
    planned_in_ = books_.ledger.commit_number();
    planned_.insert(shm::hash_of(name));
    return hot;
}

Result<void> Residents::rewrite(const Name& name, Holder& holder, Blob blob) {
    const auto number = books_.ledger.blobs().allocate(shm::blob_class_for(blob));
    if (!number) return fail(number.error());
    blob.sequence = books_.ledger.next_sequence();
    shm::store_blob(books_.roster(), *number, blob);
    books_.ledger.blobs().free_later(holder.hot.blob);
    holder.hot.blob = *number;
    holder.hot = books_.heard(holder.slot, holder.hot);
    holder.blob = std::move(blob);
    books_.plan(EventKind::updated, holder.slot, holder.hot, name, holder.hot.state);
    return {};
}

}  // namespace rollcall::engine
