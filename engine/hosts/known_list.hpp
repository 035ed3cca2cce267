// What another host says of its members, as far as it has been heard: put together from deltas and pages, in whatever order and however often they come.
//
// Of each place a version is known up to which everything about it has been heard (HEARD), and its claim, or that it is empty, with the version that changed it last:
//  - what a place became up to HEARD is known exactly, so that an entry or a page that is no newer than that says nothing, whatever has been forgotten since;
//  - a delta has everybody whom its versions changed last, so it moves HEARD from anywhere in from..to - 1 to `to`, for every place;
//  - a page has everybody in its range, so it moves HEARD there to its version from wherever it was; it also corrects claims that cannot be;
//  - what does not fit is not heard.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "engine/hosts/list_entry.hpp"

namespace rollcall::engine {

// One thread. Knows neither memory nor clock. Holds claims as the host makes them, whatever becomes of them here.
class KnownList {
public:
    // [begin, end)
    using Range = std::pair<Place, Place>;

    explicit KnownList(std::size_t max_entries) : max_entries_(max_entries) {}

    // What is newer than what is known is taken over; `changed` becomes the places whose claims are different now, each once, ascending. False: it would hold more than
    // `max_entries` (or know of too many missing ranges); what was too much was left out, counts as not heard, and keeps it from matching.
    bool apply(const ListDelta& delta, std::vector<Place>& changed);
    bool apply(const ListPage& page, std::vector<Place>& changed);

    // Is everything here that comes to this? Then it is complete up to that version. Not to be asked with a summary older than one that was heard: what is newer
    // here would be taken for a difference.
    bool match(const ListSummary& summary);

    // Everything up to this version has been heard; 0 while a transfer is under way.
    std::uint64_t complete() const noexcept { return complete_; }
    // The digests differ although nothing is missing, or too much is missing: everything is to be sent again. Claims stay until they are contradicted. `present`:
    // the version at which the host says that its list is; where something later is known (or was made up), any page and any newer delta is believed instead.
    void start_over(std::uint64_t present);
    // Ranges that no page has filled since start_over(), ascending; none: no transfer is under way.
    const std::vector<Range>& missing() const noexcept { return missing_; }

    Digest digest() const noexcept { return digest_; }
    std::size_t max_entries() const noexcept { return max_entries_; }
    std::size_t size() const noexcept { return claims_.size(); }  // places that are not empty
    // The claim, or, until a match, the reason why a place is empty; nothing if there is nothing to say of it.
    const ListEntry* find(Place place) const;
    // Every claim, ascending.
    template <class Visit>
    void each(Visit visit) const {
        for (const auto& [place, entry] : claims_) visit(entry);
    }

private:
    // Of the places from one on: everything up to `version` has been heard. Missing: what is held there may be wrong, and a page is waited for.
    struct Heard {
        std::uint64_t version = 0;
        bool is_missing = false;
        friend bool operator==(const Heard&, const Heard&) = default;
    };
    static constexpr std::size_t max_missing = 1024, max_ranges = 4096;

    const Heard& heard_of(Place place) const { return std::prev(heard_.upper_bound(place))->second; }
    std::uint64_t version_of(Place place) const;
    bool is_news(const ListEntry& entry) const { return entry.version > heard_of(entry.place).version && entry.version > version_of(entry.place); }
    bool is_settled_by(const ListPage& page, Place place) const { return page.version >= heard_of(place).version && page.version >= version_of(place); }
    bool put(const ListEntry& entry, std::vector<Place>& changed);
    bool claim(const ListEntry& entry, std::vector<Place>& changed);
    bool empty(const ListEntry& entry, std::vector<Place>& changed);
    bool empty_all_but(const ListPage& page, std::vector<Place>& changed);
    void hear(const ListDelta& delta);
    bool hear(const ListPage& page);
    void split_at(Place place);
    void level();
    void tidy();

    std::size_t max_entries_;
    std::map<Place, ListEntry> claims_, emptied_;  // at most max_entries_ each
    std::map<Place, Heard> heard_{{0, Heard{}}};   // from a place to where the next begins; neighbours differ
    std::vector<Range> missing_;                   // as `heard_` says
    std::uint64_t complete_ = 0;                   // likewise
    Digest digest_;
};

}  // namespace rollcall::engine
