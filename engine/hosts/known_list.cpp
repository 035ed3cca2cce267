#include "engine/hosts/known_list.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace rollcall::engine {

namespace {

bool says_the_same(const ListEntry& a, const ListEntry& b) {
    const auto said = [](const ListEntry& e) { return std::tie(e.state, e.reason, e.incarnation, e.status, e.node, e.endpoint, e.tags); };
    return said(a) == said(b);
}

bool is_empty(const ListEntry& entry) { return entry.state == State::none; }

void sort_once(std::vector<Place>& places) {
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
}

}  // namespace

std::uint64_t KnownList::version_of(Place place) const {
    const ListEntry* known = find(place);
    return known == nullptr ? 0 : known->version;
}

const ListEntry* KnownList::find(Place place) const {
    for (const auto* among : {&claims_, &emptied_})
        if (const auto at = among->find(place); at != among->end()) return &at->second;
    return nullptr;
}

bool KnownList::put(const ListEntry& entry, std::vector<Place>& changed) { return is_empty(entry) ? empty(entry, changed) : claim(entry, changed); }

bool KnownList::claim(const ListEntry& entry, std::vector<Place>& changed) {
    const auto at = claims_.find(entry.place);
    if (at == claims_.end() && claims_.size() >= max_entries_) return false;
    if (at != claims_.end() && says_the_same(at->second, entry)) {
        at->second.version = entry.version;
        return true;
    }
    if (at != claims_.end()) digest_ -= digest_of(at->second);
    digest_ += digest_of(entry);
    claims_.insert_or_assign(entry.place, entry);
    emptied_.erase(entry.place);
    changed.push_back(entry.place);
    return true;
}

bool KnownList::empty(const ListEntry& entry, std::vector<Place>& changed) {
    if (const auto at = claims_.find(entry.place); at != claims_.end()) {
        digest_ -= digest_of(at->second);
        claims_.erase(at);
        changed.push_back(entry.place);
    }
    if (!emptied_.contains(entry.place) && emptied_.size() >= max_entries_) return false;
    emptied_.insert_or_assign(entry.place, entry);
    return true;
}

// Who leaves makes room for who comes: first the one, then the other.
bool KnownList::apply(const ListDelta& delta, std::vector<Place>& changed) {
    changed.clear();
    bool is_whole = true;
    for (const bool emptying : {true, false})
        for (const ListEntry& entry : delta.entries)
            if (is_empty(entry) == emptying && is_news(entry)) is_whole = put(entry, changed) && is_whole;
    sort_once(changed);
    if (is_whole) hear(delta);
    return is_whole;
}

bool KnownList::apply(const ListPage& page, std::vector<Place>& changed) {
    changed.clear();
    bool is_whole = empty_all_but(page, changed);
    for (const ListEntry& entry : page.entries)
        if (is_settled_by(page, entry.place)) is_whole = put(entry, changed) && is_whole;
    sort_once(changed);
    return is_whole && hear(page);
}

bool KnownList::empty_all_but(const ListPage& page, std::vector<Place>& changed) {
    std::vector<Place> gone;
    auto named = page.entries.begin();
    for (auto at = claims_.lower_bound(page.begin); at != claims_.end() && at->first < page.end; ++at) {
        while (named != page.entries.end() && named->place < at->first) ++named;
        const bool is_named = named != page.entries.end() && named->place == at->first;
        if (!is_named && is_settled_by(page, at->first)) gone.push_back(at->first);
    }
    bool is_whole = true;
    for (const Place place : gone) {
        ListEntry entry;
        entry.place = place;
        entry.version = page.version;
        is_whole = empty(entry, changed) && is_whole;
    }
    return is_whole;
}

void KnownList::hear(const ListDelta& delta) {
    for (auto& [begin, heard] : heard_)
        if (!heard.is_missing && heard.version >= delta.from && heard.version < delta.to) heard.version = delta.to;
    tidy();
}

bool KnownList::hear(const ListPage& page) {
    // Whoever sends what is missing begins where it begins, and is always heard.
    const auto splits = [&](const Range& range) { return range.first < page.begin && page.end < range.second; };
    if (missing_.size() >= max_missing && std::any_of(missing_.begin(), missing_.end(), splits)) return false;
    split_at(page.begin);
    if (page.end != end_of_places) split_at(page.end);
    for (auto at = heard_.find(page.begin); at != heard_.end() && at->first < page.end; ++at)
        if (page.version >= at->second.version) at->second = {page.version, false};
    tidy();
    if (heard_.size() > max_ranges) level();
    return true;
}

void KnownList::split_at(Place place) { heard_.emplace(place, Heard(heard_of(place))); }

// Fewer ranges, of which less is known to have been heard. What is forgotten so is at worst sent again.
void KnownList::level() {
    std::optional<std::uint64_t> lowest[2];
    for (const auto& [begin, heard] : heard_) lowest[heard.is_missing] = std::min(lowest[heard.is_missing].value_or(heard.version), heard.version);
    for (auto& [begin, heard] : heard_) heard.version = *lowest[heard.is_missing];
    tidy();
}

void KnownList::tidy() {
    for (auto at = std::next(heard_.begin()); at != heard_.end();) at = at->second == std::prev(at)->second ? heard_.erase(at) : std::next(at);
    missing_.clear();
    complete_ = heard_.begin()->second.version;
    for (auto at = heard_.begin(); at != heard_.end(); ++at) {
        complete_ = std::min(complete_, at->second.version);
        if (!at->second.is_missing) continue;
        const Place end = std::next(at) == heard_.end() ? end_of_places : std::next(at)->first;
        if (!missing_.empty() && missing_.back().second == at->first) missing_.back().second = end;
        else missing_.emplace_back(at->first, end);
    }
    if (!missing_.empty()) complete_ = 0;
}

bool KnownList::match(const ListSummary& summary) {
    if (digest_ != summary.digest) return false;
    if (complete_ == summary.version && missing_.empty() && emptied_.empty()) return true;  // as it was the last time
    for (auto& [begin, heard] : heard_) heard = {std::max(heard.version, summary.version), false};
    std::erase_if(emptied_, [this](const auto& at) { return at.second.version <= heard_of(at.first).version; });
    tidy();
    return true;
}

void KnownList::start_over(std::uint64_t present) {
    for (auto& [begin, heard] : heard_) heard = {std::min(heard.version, present), true};
    for (auto& [place, entry] : claims_)
        if (entry.version > present) entry.version = 0;
    std::erase_if(emptied_, [present](const auto& at) { return at.second.version > present; });
    tidy();
}

}  // namespace rollcall::engine
