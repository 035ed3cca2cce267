// What this host tells others of its own members: the list, what it comes to, and what changed lately.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/hosts/list_entry.hpp"

namespace rollcall::engine {

// One thread. Knows neither memory nor clock.
class OwnList {
public:
    static constexpr std::size_t changes_kept = 4096;

    // The entry's version is above every one before it. An empty place (State::none) takes whoever was there out. An entry that says what is said already changes
    // the version all the same. `previous` is filled in here. Cost: two hashes, a few steps in a tree.
    void set(ListEntry entry);
    // A list that somebody else kept until now: these are in it at this version, ascending; what changed before is not known.
    void restore(const std::vector<ListEntry>& entries, std::uint64_t version);

    ListSummary summary() const noexcept { return {version_, digest_}; }
    std::size_t size() const noexcept { return entries_.size(); }
    const ListEntry* find(Place place) const;

    // Deltas of at most `max_bytes` of entries each, one behind the other, that bring somebody who has everything up to `since` to the present version.
    // At most so many of them, from the first on. Nothing to say: none. Nothing: that is longer ago than what is kept; send pages. Whose list it is, here and in pages, the caller says.
    std::optional<std::vector<ListDelta>> changes_since(std::uint64_t since, std::size_t max_bytes, std::size_t most = SIZE_MAX) const;
    // As many as fit, one at least, from `begin` on, ending at `end` if they all do. The last page of a list ends at end_of_places.
    ListPage page(Place begin, Place end, std::size_t max_bytes) const;

private:
    void put(const ListEntry& entry);
    Reason why_gone(const ListEntry& now) const;
    void forget_oldest();
    // What this change left there; nothing if there was a later one.
    const ListEntry* changed_at(std::uint64_t version, Place place) const;

    std::map<Place, ListEntry> entries_;
    std::deque<std::pair<std::uint64_t, Place>> changes_;  // version, place; ascending
    std::map<Place, ListEntry> emptied_;   // places that are empty by one of `changes_`: why
    std::uint64_t version_ = 0, forgotten_ = 0;  // every change after `forgotten_` is in `changes_`
    Digest digest_;
};

}  // namespace rollcall::engine
