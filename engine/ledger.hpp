// The write side of the roster: every change of the membership goes through here, and through nowhere else.
//
// A commit (1) has written what nobody can reach yet (blobs), (2) has its events beyond `head` and stores `prepared`, (3) applies them
// to records, index and words, (4) publishes. Dying anywhere, the ring tells the successor what to finish. See shm/README.md.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/blob_heap.hpp"
#include "engine/judgement.hpp"
#include "engine/peer_table.hpp"
#include "shm/checkpoint.hpp"
#include "shm/ring.hpp"
#include "shm/segment.hpp"

namespace rollcall::engine {

// Which counter of the checkpoint is which; see rollcall::Counters.
enum class Counter : std::uint8_t { heartbeats_sent, heartbeats_received, joined, suspected, dead, evicted, recovered, left, pauses, words_repaired, unwatched };

// When a step happens: the only time there is.
struct Now {
    Stamp stamp{};
    std::int64_t mono_ns = 0;
    std::int64_t wall_us = 0;
};

class Ledger {
public:
    Ledger(shm::Segment& segment, const shm::CheckpointValues& at, std::uint32_t epoch);

    void begin_step(const Now& now) noexcept;
    const Now& now() const noexcept { return now_; }

    // How many more events this step may emit: a quarter of the ring in all.
    std::uint32_t budget() const noexcept { return step_limit_ > step_events_ ? step_limit_ - step_events_ : 0; }
    // Ends the commit if `events` more would not fit it, or if `slot` was already touched by it.
    void make_room(std::uint32_t events, Slot slot, const PeerTable& table);

    // The sequence that the next planned event will have: goes into a blob it brings.
    Sequence next_sequence() const noexcept { return prepared_ + (planned_ + 1); }
    std::uint64_t commit_number() const noexcept { return commit_number_; }

    // Writes an event beyond head. `hot.lsn` is filled in here. `name` is the peer's.
    void plan(EventKind kind, Slot slot, const shm::Hot& hot, const shm::Name& name, State before, std::uint64_t length_ns = 0);
    // Prepares, applies and publishes what was planned; publishes settings and pauses that changed even without events.
    void commit();

    shm::CheckpointValues& values() noexcept { return values_; }
    const shm::CheckpointValues& values() const noexcept { return values_; }
    std::uint64_t& counter(Counter c) noexcept { return values_.counters[static_cast<std::size_t>(c)]; }
    // Settings, pauses or counters changed: they are published also without events.
    void publish_needed() noexcept {
        dirty_ = true;
        ++edition_;
    }
    Sequence head() const noexcept { return values_.head; }
    bool has_published() const noexcept { return published_; }  // in this step

    shm::Roster& roster() noexcept { return segment_.writable(); }
    shm::Segment& segment() noexcept { return segment_; }
    BlobHeap& blobs() noexcept { return blobs_; }
    std::uint32_t epoch() const noexcept { return epoch_; }

private:
    struct Planned {
        shm::StoredEvent event;
        shm::HotWords hot;  // encoded
    };
    // Small enough that what a commit has planned is still in the first cache when it is applied.
    static constexpr std::uint32_t largest_commit = 64;

    void apply(const Planned& planned);
    void fetch_chains() const noexcept;

    shm::Segment& segment_;
    BlobHeap blobs_;
    shm::CheckpointValues values_;
    Sequence prepared_{};
    std::uint32_t epoch_;
    std::uint32_t commit_limit_, step_limit_;
    std::vector<Planned> plans_;  // the first planned_ are this commit's
    std::uint32_t planned_ = 0, step_events_ = 0;
    std::uint64_t commit_number_ = 1;
    bool dirty_ = false, published_ = false;
    std::uint64_t edition_ = 1;  // of settings and pauses
    shm::HeldEditions held_;
    Now now_;
};

// What an event does to the counters and the view; the same at a commit and at its redo.
void account(shm::CheckpointValues& values, const shm::StoredEvent& event) noexcept;

// Does the word of this slot belong to the peer in it? A member of another host is judged by its host's word.
inline bool has_own_word(Slot slot, const shm::Hot& hot) noexcept { return hot.word_slot == slot; }

}  // namespace rollcall::engine
