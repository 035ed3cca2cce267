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
    HotWords words;
    for (std::size_t i = 0; i < hot_words; ++i)
        words[i] = record.copies[version & 1][i].load(std::memory_order_acquire);  // [record] pairs with store_hot
    return words;
}

template <class Record>
std::uint64_t load_version(const Record& record) noexcept {
    return record.version.load(std::memory_order_acquire);  // [record] pairs with store_hot
}

// The current copy, as its only writer sees it.
template <class Record>
Hot own_hot(const Record& record) noexcept {
    const std::uint64_t version = record.version.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    HotWords words;
    for (std::size_t i = 0; i < hot_words; ++i) words[i] = record.copies[version & 1][i].load(std::memory_order_relaxed);
    return decode(words);
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
    auto& copy = record.copies[(version + 1) & 1];
    for (std::size_t i = 0; i < hot_words; ++i)
        copy[i].store(words[i], std::memory_order_release);  // [record] a reader of this word also sees the version before it
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
    for (std::size_t i = 0; i < name_words; ++i) record.name[i].store(name.words[i], std::memory_order_release);  // [record]
}

template <class Record>
Name load_name(const Record& record) noexcept {
    Name name;
    for (std::size_t i = 0; i < name_words; ++i) name.words[i] = record.name[i].load(std::memory_order_acquire);  // [record]
    return name;
}

// The engine is about to read and rewrite all of it.
template <class Record>
void prefetch(const Record& record) noexcept {
    for (std::size_t line = 0; line < sizeof(Record); line += cache_line) __builtin_prefetch(reinterpret_cast<const char*>(&record) + line, 1);
}

struct RecordView {
    std::uint64_t version = 0;
    Hot hot;
    Name name;
};

// One consistent look; false if the writer did not hold still for `record_attempts`.
template <class Record>
bool load(const Record& record, RecordView& out) noexcept {
    for (int attempt = 0; attempt < record_attempts; ++attempt) {
        out.version = load_version(record);
        const HotWords words = load_copy(record, out.version);
        out.name = load_name(record);
        if (load_version(record) != out.version) continue;
        out.hot = decode(words);
        return true;
    }
    return false;
}

}  // namespace rollcall::shm
