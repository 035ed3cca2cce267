// A copy of a cluster's two files, to be changed field by field and written to another folder: what an engine would have left had it ended
// at that moment.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include "shm/roster.hpp"

namespace rollcall::test {

class MemoryImage {
public:
    // Of the cluster "test" in `dir`, which has these sizes. Throws if it does not read.
    MemoryImage(const std::string& dir, std::uint32_t capacity, std::uint32_t ring);
    MemoryImage(const MemoryImage& other);
    MemoryImage& operator=(const MemoryImage&) = delete;

    // Replaces the cluster "test" in `dir`, in which no engine runs.
    void write(const std::string& dir) const;

    shm::Roster& roster() noexcept { return roster_; }
    const shm::Roster& roster() const noexcept { return roster_; }

    // Take over from `other`: what the cursors, records, chains and words were or will be.
    void take_cursors(const MemoryImage& other);     // selector and both checkpoints, time of the last step
    void take_prepared(const MemoryImage& other);
    void take_records(const MemoryImage& other);     // all of them, with their chains
    void take_words(const MemoryImage& other);
    void take_name(Slot slot, const MemoryImage& other);  // and hash
    void take_copy(Slot slot, std::uint64_t version, const MemoryImage& other);
    void set_version(Slot slot, std::uint64_t version);
    void take_next(Slot slot, const MemoryImage& other);
    void take_bucket(std::uint32_t bucket, const MemoryImage& other);
    void take_word(Slot slot, const MemoryImage& other);

private:
    struct Free {
        void operator()(std::byte* p) const noexcept { std::free(p); }
    };
    using Bytes = std::unique_ptr<std::byte[], Free>;
    static Bytes allocate(std::size_t bytes);
    static void read(const std::string& path, std::byte* to, std::size_t bytes);

    std::size_t roster_bytes_, pulse_bytes_;  // what is kept of each: not the unused rest of the heap, nor the cards
    Bytes roster_file_, pulse_file_;
    shm::Roster roster_;
};

}  // namespace rollcall::test
