// Hot records: two copies and a version, so that a reader never waits and a dead writer never blocks.
//
// The writer fills the copy that is not current and then stores version + 1. A reader takes the version, copies the current copy and
// accepts it if the version has not moved. Payload is stored with release and loaded with acquire, word by word: whoever reads a word
// of a later write therefore also sees the version that came before it, and refuses. No fences: ThreadSanitizer cannot follow them.
#pragma once

#include <cstdint>

#include "shm/hot.hpp"
#include "shm/layout.hpp"
#include "shm/name.hpp"

namespace rollcall::shm {

inline constexpr int record_attempts = 1000;  // a writer needs two flips during one copy to spoil it; this many are no accident

template <class Record>
HotWords load_copy(const Record& record, std::uint64_t version) noexcept {
    return load_words<hot_words>(record.copies[version & 1], std::memory_order_acquire);  // [record] pairs with store_hot
}

template <class Record>
std::uint64_t load_version(const Record& record) noexcept {
    return record.version.load(std::memory_order_acquire);  // [record] pairs with store_hot
}

// The current copy, as its only writer sees it.
template <class Record>
Hot own_hot(const Record& record) noexcept {
    const std::uint64_t version = record.version.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    return decode(load_words<hot_words>(record.copies[version & 1], std::memory_order_relaxed));
}

// Its state alone.
template <class Record>
State own_state(const Record& record) noexcept {
    const std::uint64_t version = record.version.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    return state_in(record.copies[version & 1][0].load(std::memory_order_relaxed));
}

template <class Record>
void store_hot(Record& record, const HotWords& words) noexcept {
    const std::uint64_t version = record.version.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    store_words(record.copies[(version + 1) & 1], words, std::memory_order_release);  // [record] a reader of such a word also sees the version before it
    record.version.store(version + 1, std::memory_order_release);  // [record] pairs with load_version; publishes the copy
}

// What `next` says from the moment a record gets another node until it is in that node's chain: a reader that stood on it starts anew.
inline constexpr std::uint32_t next_unknown = no_index - 1;

// Only while the current copy says "no peer": readers believe a name only together with a copy that has one.
template <class Record>
void store_name(Record& record, std::uint32_t hash, const Name& name) noexcept {
    // The version moved when the record became free, long ago: without this mark a reader could take the new hash and the `next` of
    // the old chain for the end of the new one.
    record.next.store(next_unknown, std::memory_order_release);  // [index] before `hash`, which the walk reads first
    record.hash.store(hash, std::memory_order_release);  // [index] pairs with the chain walk, which checks the chain before `next`
    store_words(record.name, name.words, std::memory_order_release);  // [record]
}

template <class Record>
Name load_name(const Record& record) noexcept {
    return Name{load_words<name_words>(record.name, std::memory_order_acquire)};  // [record]
}

struct RecordView {
    std::uint64_t version = 0;
    Hot hot;
    Name name;
};

// One consistent look; false if the writer did not hold still for `record_attempts`.
template <class Record>
bool load(const Record& record, std::uint64_t& version, Hot& hot, Name& name) noexcept {
    for (int attempt = 0; attempt < record_attempts; ++attempt) {
        version = load_version(record);
        const HotWords words = load_copy(record, version);
        name.words = load_words<name_words>(record.name, std::memory_order_acquire);  // [record]
        if (load_version(record) != version) continue;
        decode(words, hot);
        return true;
    }
    return false;
}
template <class Record>
bool load(const Record& record, RecordView& out) noexcept {
    return load(record, out.version, out.hot, out.name);
}

}  // namespace rollcall::shm
