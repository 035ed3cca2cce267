#include "engine/hosts/own_list.hpp"

#include <algorithm>

namespace rollcall::engine {

void OwnList::put(const ListEntry& entry) {
    const auto at = entries_.find(entry.place);
    if (at != entries_.end()) digest_ -= digest_of(at->second);
    digest_ += digest_of(entry);
    if (entry.state != State::none) entries_.insert_or_assign(entry.place, entry);
    else if (at != entries_.end()) entries_.erase(at);
}

// Of one life its beginning, of a new one how the last one in this place ended.
Reason OwnList::why_gone(const ListEntry& now) const {
    if (const ListEntry* before = find(now.place)) return before->incarnation == now.incarnation ? before->previous : before->state == State::dead ? before->reason : Reason::none;
    const auto empty = emptied_.find(now.place);
    return empty == emptied_.end() ? Reason::none : empty->second.reason;
}

void OwnList::set(ListEntry entry) {
    entry.previous = entry.state == State::none ? Reason::none : why_gone(entry);
    put(entry);
    if (entry.state == State::none) emptied_.insert_or_assign(entry.place, entry);
    else emptied_.erase(entry.place);
    version_ = entry.version;
    changes_.emplace_back(entry.version, entry.place);
    if (changes_.size() > changes_kept) forget_oldest();
}

void OwnList::forget_oldest() {
    const auto [version, place] = changes_.front();
    changes_.pop_front();
    forgotten_ = version;
    const auto at = emptied_.find(place);
    if (at != emptied_.end() && at->second.version == version) emptied_.erase(at);
}

void OwnList::restore(const std::vector<ListEntry>& entries, std::uint64_t version) {
    *this = OwnList();
    for (const ListEntry& entry : entries) put(entry);
    version_ = forgotten_ = version;
}

const ListEntry* OwnList::find(Place place) const {
    const auto at = entries_.find(place);
    return at == entries_.end() ? nullptr : &at->second;
}

const ListEntry* OwnList::changed_at(std::uint64_t version, Place place) const {
    for (const auto* among : {&entries_, &emptied_})
        if (const auto at = among->find(place); at != among->end() && at->second.version == version) return &at->second;
    return nullptr;
}

std::optional<std::vector<ListDelta>> OwnList::changes_since(std::uint64_t since, std::size_t max_bytes, std::size_t most) const {
    if (since < forgotten_) return std::nullopt;
    std::vector<ListDelta> deltas;
    std::size_t bytes = 0;
    const auto after = [](std::uint64_t version, const auto& change) { return version < change.first; };
    for (auto change = std::upper_bound(changes_.begin(), changes_.end(), since, after); change != changes_.end(); ++change) {
        const ListEntry* entry = changed_at(change->first, change->second);
        if (entry == nullptr) continue;  // the place changed again since
        bytes += encoded_size(*entry);
        if (deltas.empty() || bytes > max_bytes) {
            if (deltas.size() == most) break;
            deltas.push_back({{}, deltas.empty() ? since : deltas.back().to, 0, {}});
            bytes = encoded_size(*entry);
        }
        deltas.back().entries.push_back(*entry);
        deltas.back().to = entry->version;
    }
    for (ListDelta& delta : deltas) std::sort(delta.entries.begin(), delta.entries.end(), [](const ListEntry& a, const ListEntry& b) { return a.place < b.place; });
    return deltas;
}

ListPage OwnList::page(Place begin, Place end, std::size_t max_bytes) const {
    ListPage page{{}, version_, begin, end, {}};
    std::size_t bytes = 0;
    for (auto at = entries_.lower_bound(begin); at != entries_.end() && at->first < end; ++at) {
        bytes += encoded_size(at->second);
        if (bytes > max_bytes && !page.entries.empty()) {
            page.end = at->first;
            break;
        }
        page.entries.push_back(at->second);
    }
    return page;
}

}  // namespace rollcall::engine
