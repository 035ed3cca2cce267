// The memory layout, version 1: what lies where, how large it is and who writes it. Everything here is little-endian and made of
// lock-free atomics; nothing is a pointer. `shm/README.md` tells the protocol, this file tells the bytes.
//
//   roster          written by the engine only; everybody else maps it read-only
//     0       preamble               64 bytes, frozen for all versions
//     64      header                 identity (once), cursors, two checkpoints, histograms
//     ...     ring                   ring_entries × 192: the events, which are the redo log
//     ...     buckets                1.75 × capacity × 4: heads of the index chains
//     ...     extent classes         4 bytes an extent of blobs
//     ...     records                capacity × 192
//     ...     blobs                  extents of 64 KiB
//   pulse.<instance>  written by the producers too: hostile
//     0       preamble               the same 64 bytes
//     4096    heartbeat words        8 bytes a peer, padded to whole blocks of 512
//     ...     producer cards         128 bytes a process
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace rollcall::shm {

static_assert(std::endian::native == std::endian::little, "the layout is little-endian");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free &&
                  std::atomic<std::uint32_t>::is_always_lock_free,
              "an atomic with a lock inside cannot be shared between processes");

inline constexpr std::size_t cache_line = 64;  // a literal: the layout must not depend on a compiler's opinion
inline constexpr std::size_t page = 4096;

inline constexpr std::uint32_t layout_version = 1;
inline constexpr std::uint64_t roster_magic = 0x7265'7473'6f72'6352;  // "Rcroster"
inline constexpr std::uint64_t pulse_magic = 0x2e65'736c'7570'6352;   // "Rcpulse."

inline constexpr std::uint32_t default_capacity = 4096;
inline constexpr std::uint32_t max_capacity = 1u << 24;
inline constexpr std::uint32_t default_ring = 1u << 16;
inline constexpr std::uint32_t min_ring = 64;
inline constexpr std::uint32_t max_ring = 1u << 24;

inline constexpr std::uint32_t block_words = 512;       // heartbeat words are judged by the block
inline constexpr std::uint32_t extent_records = 4096;   // records are backed by memory in extents of this many
inline constexpr std::size_t blob_unit = 16;            // blobs are numbered in units of 16 bytes
inline constexpr std::size_t blob_extent_bytes = 65536; // one size class an extent
inline constexpr std::uint32_t largest_blobs_an_extent = blob_extent_bytes / 896;
inline constexpr std::size_t max_node_id = 63;
inline constexpr std::size_t max_endpoint = 255;
inline constexpr std::size_t max_tags = 512;
inline constexpr std::size_t max_pauses = 64;
inline constexpr std::uint32_t no_index = 0xFFFF'FFFF;  // end of a chain, no blob, no card

enum class Lifecycle : std::uint32_t { building = 0, live = 1, superseded = 2 };

// Frozen for all versions: any build can tell another's memory by this much, and end it.
struct Preamble {
    std::atomic<std::uint64_t> magic;           //  0  written last but for `lifecycle`
    std::atomic<std::uint32_t> version;         //  8
    std::atomic<std::uint32_t> lifecycle;       // 12  Lifecycle; published last
    std::atomic<std::uint64_t> instance;        // 16  random, the same in both files of a pair
    std::atomic<std::uint64_t> words_offset;    // 24  of the heartbeat words in the pulse file
    std::atomic<std::uint64_t> word_count;      // 32  capacity
    std::array<std::atomic<std::uint64_t>, 3> reserved;  // 40
};
static_assert(sizeof(Preamble) == 64 && offsetof(Preamble, lifecycle) == 12 && offsetof(Preamble, words_offset) == 24);

inline constexpr std::size_t hot_words = 7;   // 56 bytes: see hot.hpp
inline constexpr std::size_t name_words = 8;  // 64 bytes: length, then up to 63 bytes of node id

// A peer's hot record. Writer: the engine. `version` counts the writes; copies[version & 1] is the current one.
template <template <class> class Atomic>
struct BasicRecord {
    Atomic<std::uint64_t> version;                    //   0
    Atomic<std::uint32_t> next;                       //   8  index chain
    Atomic<std::uint32_t> hash;                       //  12  of the node id; says which chain this record is in
    Atomic<std::uint64_t> copies[2][hot_words];       //  16
    Atomic<std::uint64_t> name[name_words];           // 128  rewritten only while the current copy says "no peer"
};
using Record = BasicRecord<std::atomic>;
static_assert(sizeof(Record) == 192 && offsetof(Record, copies) == 16 && offsetof(Record, name) == 128);

// An event: the after-image of its record, so that the ring is the redo log. Writer: the engine, beyond `head` only.
template <template <class> class Atomic>
struct BasicEntry {
    Atomic<std::uint64_t> sequence;           //   0  0 while being written
    Atomic<std::uint64_t> what;               //   8  slot 32 | flags 16 | state before 8 | kind 8
    Atomic<std::uint64_t> hot[hot_words];     //  16
    Atomic<std::uint64_t> view;               //  72
    Atomic<std::uint64_t> mono_ns;            //  80  when judged
    Atomic<std::uint64_t> wall_us;            //  88  for show
    Atomic<std::uint64_t> length_ns;          //  96  paused: for how long
    Atomic<std::uint64_t> epoch;              // 104
    Atomic<std::uint64_t> list_version;       // 112  of this host's list after this event
    Atomic<std::uint64_t> reserved;           // 120
    Atomic<std::uint64_t> name[name_words];   // 128
};
using Entry = BasicEntry<std::atomic>;
static_assert(sizeof(Entry) == 192 && offsetof(Entry, name) == 128);

inline constexpr std::size_t counter_count = 16;  // engine/peer.hpp names the first eleven

// What is true at `head`. Two of them: the selector says which one counts, the other one is being written.
template <template <class> class Atomic>
struct BasicCheckpoint {
    Atomic<std::uint64_t> head;
    Atomic<std::uint64_t> view;
    Atomic<std::uint64_t> list_version;
    Atomic<std::uint64_t> host_incarnation;
    Atomic<std::uint64_t> greatest_incarnation;
    Atomic<std::uint64_t> settings_ns[5];  // heartbeat, suspect, dead, evict, scan
    Atomic<std::uint64_t> counters[counter_count];
    Atomic<std::uint64_t> pause_count;
    Atomic<std::uint64_t> pauses[max_pauses][2];  // begin and end, stamps
    Atomic<std::uint64_t> reserved[5];
};
using Checkpoint = BasicCheckpoint<std::atomic>;
static_assert(sizeof(Checkpoint) % cache_line == 0);

inline constexpr std::size_t histogram_buckets = 64;  // bucket b counts durations of b significant bits, in nanoseconds

// What a transport of the engine's counted; a name of no bytes: there is none. For show.
inline constexpr std::size_t max_transports = 4, transport_name_words = 2, transport_counters = 14, host_counters = 16;
struct TransportLine {
    std::atomic<std::uint64_t> name[transport_name_words];
    std::atomic<std::uint64_t> counters[transport_counters];
};
static_assert(sizeof(TransportLine) == 128);

struct RosterHeader {
    // Written once, before the segment is live.
    alignas(cache_line) std::atomic<std::uint64_t> boot_id[2];
    std::atomic<std::uint64_t> time_namespace;  // inode; a stamp means nothing in another one
    std::atomic<std::uint64_t> pid_namespace;   // inode; pids below mean nothing in another one
    std::atomic<std::uint64_t> stream;
    std::atomic<std::uint64_t> base_ns;         // CLOCK_MONOTONIC at stamp 0
    std::atomic<std::uint32_t> capacity;
    std::atomic<std::uint32_t> ring_entries;
    std::atomic<std::uint64_t> roster_bytes;
    std::atomic<std::uint64_t> pulse_bytes;
    std::atomic<std::uint64_t> cluster[name_words];

    // Written by each engine when it opens.
    alignas(cache_line) std::atomic<std::uint32_t> engine_pid;
    std::atomic<std::uint32_t> epoch;
    std::atomic<std::uint64_t> engine_start;   // ticks since boot, as in /proc/PID/stat
    std::atomic<std::uint32_t> engine_ready;   // 1: socket listening and first step done; 0: stopped cleanly
    std::atomic<std::uint32_t> engine_uid;
    std::atomic<std::uint64_t> engine_version;  // major 32 | minor 16 | patch 16
    std::atomic<std::uint64_t> engine_name[name_words];
    std::atomic<std::uint64_t> host_name[name_words];

    // One line a rhythm: the step stamp moves with every scan, the selector with every publication.
    alignas(cache_line) std::atomic<std::uint64_t> step_ns;      // CLOCK_MONOTONIC of the last step
    alignas(cache_line) std::atomic<std::uint64_t> selector;     // head 48 | publication 16; publication & 1 selects the checkpoint
    alignas(cache_line) std::atomic<std::uint64_t> prepared;     // events up to here are complete in the ring
    std::atomic<std::uint32_t> high_water;                       // slots ever used; nobody reads above
    std::atomic<std::uint32_t> blob_extents_used;
    std::atomic<std::uint32_t> cards_used;
    alignas(cache_line) Checkpoint checkpoints[2];
    alignas(cache_line) std::atomic<std::uint64_t> scan_time[histogram_buckets];  // of a step, ns
    std::atomic<std::uint64_t> lateness[histogram_buckets];                       // of a judgement, ns
    // Written by the engine's thread that speaks to other hosts.
    alignas(cache_line) TransportLine transports[max_transports];
    std::atomic<std::uint64_t> hosts[host_counters];  // of the messages of hosts
    alignas(cache_line) std::atomic<std::uint64_t> inbox;  // requests that the last step with any found waiting
};
static_assert(sizeof(RosterHeader) <= 2 * page - sizeof(Preamble));
inline constexpr std::size_t roster_header_bytes = 2 * page;

inline constexpr std::size_t stall_name_words = 5;
// A process that writes heartbeats, or a host that is heard. Writer: that process, after the engine has given it the card.
struct Card {
    alignas(2 * cache_line) std::atomic<std::uint64_t> pid;
    std::atomic<std::uint64_t> start;        // ticks since boot: tells a reused pid
    std::atomic<std::uint64_t> alive_ns;     // when its beating thread last ran
    std::atomic<std::uint64_t> refused;      // beats that did not count
    std::atomic<std::uint64_t> rejoins;
    // Of a host that is heard: what those who hear it say of the way there. For show.
    std::atomic<std::uint64_t> loss_ppm;       // of its beats, lately
    std::atomic<std::uint64_t> round_trip_ns;  // 0: not known
    // Which of its members does not beat, and for which guard's sake: see stall.hpp. For show.
    std::atomic<std::uint64_t> stall_ns;         // CLOCK_MONOTONIC when the guard's budget began; 0: no note. Written last
    std::atomic<std::uint64_t> stall_budget_ns;
    std::atomic<std::uint64_t> stall_member;     // slot 32 | generation 16
    std::atomic<std::uint64_t> stall_name[stall_name_words];  // length, then up to 39 bytes
    std::atomic<std::uint64_t> reserved;
};
static_assert(sizeof(Card) == 128);

using Word = std::atomic<std::int64_t>;  // see word.hpp
using AtomicWord64 = std::atomic<std::uint64_t>;

// Where everything lies: a function of two numbers, so that no offset in shared memory has to be believed.
struct Geometry {
    std::uint32_t capacity = 0, ring_entries = 0, bucket_count = 0, blob_extents = 0;
    std::uint64_t ring = 0, buckets = 0, extent_classes = 0, records = 0, blobs = 0, roster_bytes = 0;
    std::uint64_t words = 0, word_count = 0, cards = 0, pulse_bytes = 0;

    static constexpr std::uint64_t pages(std::uint64_t bytes) noexcept { return (bytes + page - 1) / page * page; }

    static constexpr Geometry of(std::uint32_t capacity, std::uint32_t ring_entries) noexcept {
        Geometry g;
        g.capacity = capacity;
        g.ring_entries = ring_entries;
        g.bucket_count = static_cast<std::uint32_t>(std::uint64_t{capacity} * 7 / 4 + 1);
        // Room for the largest blob of every peer, for one more of each event in flight, and for a last extent of each class.
        g.blob_extents = (capacity + 4096 + largest_blobs_an_extent - 1) / largest_blobs_an_extent + 10;
        g.ring = roster_header_bytes;
        g.buckets = g.ring + pages(std::uint64_t{ring_entries} * sizeof(Entry));
        g.extent_classes = g.buckets + pages(std::uint64_t{g.bucket_count} * 4);
        g.records = g.extent_classes + pages(std::uint64_t{g.blob_extents} * 4);
        g.blobs = g.records + pages(std::uint64_t{capacity} * sizeof(Record));
        g.roster_bytes = g.blobs + std::uint64_t{g.blob_extents} * blob_extent_bytes;
        g.words = page;
        g.word_count = (std::uint64_t{capacity} + block_words - 1) / block_words * block_words;
        g.cards = g.words + pages(g.word_count * 8);
        g.pulse_bytes = g.cards + pages(std::uint64_t{capacity} * sizeof(Card));
        return g;
    }
};
static_assert(Geometry::of(max_capacity, max_ring).blob_extents * (blob_extent_bytes / blob_unit) < no_index, "blob numbers fit 32 bits");

// The promise to users: beside the ring, endpoints and tags at most 256 bytes a peer and 128 a joined process.
static_assert(sizeof(Record) + 7 + sizeof(Word) + 48 < 256);  // what is left pays for the rounding to whole extents

// All words of an array of atomics, written out: from a loop g++ stores and loads again in other widths, for which the processor has to wait.
template <std::size_t... I, class Atomics>
std::array<std::uint64_t, sizeof...(I)> load_words(const Atomics& from, std::memory_order order, std::index_sequence<I...>) noexcept {
    return {from[I].load(order)...};
}
template <std::size_t N, class Atomics>
std::array<std::uint64_t, N> load_words(const Atomics& from, std::memory_order order) noexcept {
    return load_words(from, order, std::make_index_sequence<N>());
}
template <std::size_t... I, class Atomics>
void store_words(Atomics& to, const std::array<std::uint64_t, sizeof...(I)>& words, std::memory_order order, std::index_sequence<I...>) noexcept {
    (to[I].store(words[I], order), ...);
}
template <std::size_t N, class Atomics>
void store_words(Atomics& to, const std::array<std::uint64_t, N>& words, std::memory_order order) noexcept {
    store_words(to, words, order, std::make_index_sequence<N>());
}

// The engine is about to rewrite all of it: its lines come while nobody waits for them.
template <class Lines>
void prefetch(const Lines& lines) noexcept {
    for (std::size_t line = 0; line < sizeof(Lines); line += cache_line) __builtin_prefetch(reinterpret_cast<const char*>(&lines) + line, 1);
}

}  // namespace rollcall::shm
