#include "engine/hosts/list_keeper.hpp"

#include <algorithm>

#include "shm/snapshot.hpp"

namespace rollcall::engine {

namespace {

// Others' members are for their hosts to speak of.
bool is_own(Slot slot, const shm::Hot& hot, const shm::Name& name) { return hot.word_slot == slot && !name.is_host(); }

ListEntry entry_of(Slot slot, const shm::Hot& hot, const shm::Name& name) {
    ListEntry entry;
    entry.place = slot.value + 1;
    entry.version = hot.lsn.value + 1;
    entry.state = hot.state;
    entry.reason = hot.reason;
    if (hot.state == State::none) return entry;
    entry.incarnation = hot.incarnation;
    entry.status = hot.status;
    entry.node = name.view();
    return entry;
}

void add_text(ListEntry& entry, const shm::Blob& blob) {
    entry.endpoint = blob.endpoint();
    entry.tags = blob.tags();
}

}  // namespace

ListEntry ListKeeper::own_entry(Incarnation host) const {
    ListEntry entry;
    entry.version = 1;  // of the events' one more
    entry.state = State::alive;
    entry.reason = Reason::registered;
    entry.incarnation = host;
    entry.node = own_.node;
    entry.endpoint = own_.endpoint;
    return entry;
}

bool ListKeeper::begin(const shm::Roster& roster, Incarnation host, OwnList& list) {
    shm::Image image;
    if (shm::take_snapshot(roster, image) != shm::Snapshot::exact) return false;
    std::vector<ListEntry> entries{own_entry(host)};
    for (std::uint32_t i = 0; i < image.slots.size(); ++i) {
        const shm::SlotImage& s = image.slots[i];
        if (s.hot.state == State::none || !is_own(Slot{i}, s.hot, s.name)) continue;
        ListEntry& entry = entries.emplace_back(entry_of(Slot{i}, s.hot, s.name));
        entry.version = std::min(entry.version, image.list_version + 1);  // an event that changed nothing of it came last
        add_text(entry, s.blob);
    }
    list.restore(entries, image.list_version + 1);
    stream_ = roster.header().stream.load(std::memory_order_relaxed);  // relaxed: written before anybody looked
    at_ = image.at;
    host_ = host;
    return true;
}

bool ListKeeper::follow(const shm::Roster& roster, Incarnation host, OwnList& list) {
    if (stream_ != roster.header().stream.load(std::memory_order_relaxed) || host_ != host) return begin(roster, host, list);
    for (const Sequence head = shm::load_head(roster.header()); at_ < head; at_ = at_ + 1) {
        shm::StoredEvent event;
        if (!shm::load_entry(roster.entry(at_ + 1), at_ + 1, event)) return begin(roster, host, list);
        if (event.list_version == event.sequence.value) apply(roster, event, list);
    }
    return true;
}

// A blob that is gone was replaced by a later event, which brings the new one.
void ListKeeper::apply(const shm::Roster& roster, const shm::StoredEvent& event, OwnList& list) const {
    ListEntry entry = entry_of(event.slot, event.hot, event.name);
    entry.version = event.list_version + 1;
    const ListEntry* before = list.find(entry.place);
    shm::Blob blob;
    const bool is_same_life = before != nullptr && before->incarnation == entry.incarnation;
    const bool brings = entry.state != State::none && shm::load_blob(roster, event.hot.blob, blob) && blob.sequence <= event.sequence &&
                        shm::load_blob_sequence(roster, event.hot.blob) == blob.sequence;
    if (brings) add_text(entry, blob);
    else if (is_same_life && entry.state != State::none) entry.endpoint = before->endpoint, entry.tags = before->tags;
    list.set(entry);
}

}  // namespace rollcall::engine
