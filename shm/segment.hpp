// The two files of a cluster: creating, replacing, attaching. What is mapped here is unmapped when the Segment ends.
//
// A segment is published by one rename: `pulse.<instance>` and a roster beside the old one are complete before it, and both carry the
// same instance, so that whoever attaches never combines two. Interrupted anywhere, making one is simply repeated.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "shm/error.hpp"
#include "shm/host.hpp"
#include "shm/paths.hpp"
#include "shm/roster.hpp"
#include "shm/settings.hpp"

namespace rollcall::shm {

enum class Access : std::uint8_t {
    observer,  // reads both files
    producer,  // writes words and its card
    engine,    // writes everything
    copy,      // reads a copy, or what another boot left behind: stamps and pids mean nothing here
};

struct SegmentOptions {
    std::string cluster;
    std::uint32_t capacity = default_capacity;
    std::uint32_t ring_entries = default_ring;  // a power of two
    std::int64_t base_ns = 0;                   // CLOCK_MONOTONIC at stamp 0
    std::uint64_t stream = 0;                   // random
    std::uint64_t instance = 0;                 // random, not 0
    Settings settings;
    std::optional<std::uint32_t> group;  // gets write access to pulse
};

enum class RosterPart : std::uint8_t { records, blobs };

class Segment {
public:
    Segment() noexcept;
    Segment(Segment&&) noexcept;
    Segment& operator=(Segment&&) noexcept;
    ~Segment();

    // Makes both files and publishes them. What was there before is marked superseded and its words are freed first, so that every
    // beat on it learns. The folder exists; the caller holds the lock. Fails with full (ENOSPC), refused (not tmpfs, permissions), system.
    static Result<Segment> create(const Paths& paths, const SegmentOptions& options, const HostIdentity& host);
    // The same layout in memory that no other process can reach by name.
    static Result<Segment> create_private(const SegmentOptions& options);
    // Fails with no_cluster, incompatible (version, boot, time namespace), damaged, refused, system.
    static Result<Segment> attach(const Paths& paths, Access access, const HostIdentity& host);

    const Roster& roster() const noexcept { return roster_; }
    Roster& writable() noexcept { return roster_; }
    std::uint64_t instance() const noexcept;
    // Is the roster's path still this roster?
    bool is_in_place() const noexcept;
    bool is_superseded() const noexcept;
    // Has somebody cut a file short? By the size of the files: two syscalls.
    bool is_whole() const noexcept;
    // The same, seen by whoever touched what is gone and was given zeros instead (bus_guard.hpp): a load.
    bool has_lost_pages() const noexcept;
    // What clients ask: is this still the memory where the cluster lives?
    bool is_current() const noexcept { return is_in_place() && is_whole() && !is_superseded(); }

    // Engine only, once nobody can reach this memory by its path any more: those who still look at it, or beat in it, learn that it is over.
    void end() noexcept;

    // Engine only: puts the pulse's preamble right, which every producer may write; the roster's says what belongs there. False: nothing was wrong.
    bool mend_pulse() noexcept;

    // Backs a range of the roster or of the cards with memory before anybody touches it. Fails with full.
    Result<void> back_roster(std::uint64_t offset, std::uint64_t bytes);
    Result<void> back_pulse(std::uint64_t offset, std::uint64_t bytes);

private:
    struct Files;
    static Result<Segment> build(std::unique_ptr<Files> files, const SegmentOptions& options, const HostIdentity& host);
    std::unique_ptr<Files> files_;
    Roster roster_;
};

// 65,536 or capacity/16 events, less where the file system of `dir` is small (a quarter of what is free at most).
std::uint32_t default_ring_for(std::uint32_t capacity, const std::string& dir);

// Files of this folder that belong to no published roster: left by a creation or replacement that was interrupted. `instance` is the
// published one. The caller holds the lock.
void remove_strays(const Paths& paths, std::uint64_t instance);

// Tells those who still look that it is over, then removes roster, pulses, socket and lock, and the folder if nothing else is in it. The
// caller holds the lock.
Result<void> remove_folder(const Paths& paths);

}  // namespace rollcall::shm
