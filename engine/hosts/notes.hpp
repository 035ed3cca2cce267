// What a view keeps beside the membership, for each life of a peer: what a record has no room for.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "shm/units.hpp"

namespace rollcall {

// Not thread-safe: its owner has the lock. A note outlives neither its peer's life nor, by much, its peer.
template <class Note>
class Notes {
public:
    // The note about this life. A new life begins with none; a note that was made before the peer was known is its first life's.
    Note& of(std::string_view node, Incarnation incarnation) {
        const auto [at, is_new] = notes_.try_emplace(std::string(node));
        Entry& entry = at->second;
        if (!is_new && entry.incarnation.value != 0 && entry.incarnation != incarnation) entry = Entry{};  // another life's, or the next one's
        if (incarnation.value != 0) entry.incarnation = incarnation;
        return entry.note;
    }
    // Whoever is asked for is the life that a note was waiting for.
    const Note* find(std::string_view node, Incarnation incarnation) {
        const auto at = notes_.find(node);
        if (at == notes_.end()) return nullptr;
        Entry& entry = at->second;
        if (entry.incarnation.value == 0) entry.incarnation = incarnation;
        return entry.incarnation == incarnation ? &entry.note : nullptr;
    }
    void forget(std::string_view node) {
        if (const auto at = notes_.find(node); at != notes_.end()) notes_.erase(at);
    }
    // Forgets those whose peers are gone, once there are twice as many as were left the last time. Who was never seen may be about to join: he is
    // spared once.
    void sweep(const std::function<bool(const std::string&)>& is_there) {
        if (notes_.size() < sweep_at_) return;
        for (auto at = notes_.begin(); at != notes_.end();) {
            Entry& entry = at->second;
            const bool is_spared = entry.incarnation.value == 0 && !std::exchange(entry.was_spared, true);
            at = is_spared || is_there(at->first) ? std::next(at) : notes_.erase(at);
        }
        sweep_at_ = std::max<std::size_t>(64, 2 * notes_.size());
    }

private:
    struct Entry {
        Incarnation incarnation{};  // 0: not known yet
        bool was_spared = false;
        Note note{};
    };
    std::map<std::string, Entry, std::less<>> notes_;
    std::size_t sweep_at_ = 64;
};

}  // namespace rollcall
