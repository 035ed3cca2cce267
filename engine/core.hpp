// The engine without threads, clocks and sockets: requests and `now` go in, the memory changes. Tests and simulations drive it by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/adoption.hpp"
#include "engine/books.hpp"
#include "engine/detector.hpp"
#include "engine/inbox.hpp"
#include "engine/membership.hpp"
#include "shm/lock.hpp"

namespace rollcall::engine {

struct CoreOptions {
    std::string cluster, node, host;
    std::string dir;  // empty: private memory
    Settings settings;
    std::uint32_t capacity = 0, ring = 0;  // 0: the default, or what is there
    std::optional<std::uint32_t> group;
};

class Core {
public:
    // Takes the lock, then the memory: adopts what is there, replaces what means nothing here (another boot, version, damage), else
    // creates. Fails with held, invalid (another capacity or ring than what is there), full, refused, system.
    static Result<std::unique_ptr<Core>> open(const CoreOptions& options, Instant now, std::int64_t wall_us);

    // One round: requests, then (with `scan`) the detector's pass; publishes; answers.
    void step(Instant now, std::int64_t wall_us, Inbox& inbox, bool scan);
    // Something was left for want of budget: step again soon.
    bool has_more() const noexcept { return more_; }
    // Something was published in the last step: wake whoever sleeps on the ring.
    bool has_published() const noexcept { return books_->ledger.has_published(); }

    // Blocks of heartbeat words that passes have read, since this engine began.
    std::uint64_t blocks_read() const noexcept { return detector_->blocks_read(); }

    // By what other hosts are heard, from the next pass on, also in memory that is made anew.
    void listen(Listening listening);

    void record_step_time(Duration took) noexcept;
    // Members may find us: the socket listens and the first step is done. `false` at a clean stop.
    void set_ready(bool ready) noexcept;
    // Makes the memory anew, under the lock that is held: what was there is lost, and those who still look at it learn that it is over.
    // Settings, sizes and the greatest incarnation stay. Fails like open(), and changes nothing then.
    Result<void> renew(Instant now, std::int64_t wall_us);
    // Nobody has removed our lock or replaced our roster.
    bool is_in_place() const noexcept { return (!lock_.is_held() || lock_.is_in_place()) && books_->segment.is_in_place(); }

    const shm::Roster& roster() const noexcept { return books_->segment.roster(); }
    shm::Roster& writable() noexcept { return books_->roster(); }
    // For readers that may still stand on it when the memory is made anew.
    std::shared_ptr<const shm::Roster> shared_roster() const noexcept { return {books_, &books_->segment.roster()}; }
    shm::Segment& segment() noexcept { return books_->segment; }
    CardPool& cards() noexcept { return books_->cards; }
    const Settings& settings() const noexcept { return books_->settings(); }
    std::uint64_t& counter(Counter c) noexcept { return books_->ledger.counter(c); }
    void publish_needed() noexcept { books_->ledger.publish_needed(); }
    const std::optional<shm::Paths>& paths() const noexcept { return paths_; }
    // Everybody was told to leave.
    bool is_closing() const noexcept { return membership_->is_closing(); }
    bool has_adopted() const noexcept { return adopted_; }
    // Why what lay in the folder was replaced instead of adopted; empty if it was not.
    const std::string& why_replaced() const noexcept { return replaced_; }

private:
    Core(std::unique_ptr<Books> books, const CoreOptions& options);
    void work_with(std::unique_ptr<Books> books);
    void introduce(std::int64_t wall_us);

    CoreOptions options_;
    shm::EngineLock lock_;
    std::optional<shm::Paths> paths_;
    std::shared_ptr<Books> books_;
    std::string replaced_;
    Listening listening_;
    std::optional<Membership> membership_;
    std::optional<Detector> detector_;
    bool more_ = false, adopted_ = false;
};

}  // namespace rollcall::engine
