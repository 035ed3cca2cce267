// What `rollcall run` tells a supervisor that wants to know (sd_notify(3), systemd's Type=notify): that it is ready, or stands by, reloads,
// stops, how its members are, and, for a watchdog, that its detector looks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/peer.hpp"
#include "shm/units.hpp"
#include "tools/rollcall/notify_outer.hpp"

namespace rollcall {
class Engine;
}

namespace rollcall::cli {

// When a watchdog is told WATCHDOG=1: at a quarter of its patience, and only if the detector has looked since it was told last. Rejected: a
// thread or a timer of its own, which would go on for a detector that hangs. Pure: time is passed in.
class Petting {
public:
    // Nothing: nobody has a watchdog.
    explicit Petting(std::optional<Duration> patience) noexcept : patience_(patience) {}

    bool is_due(Instant now, std::optional<Instant> last_look) noexcept;
    // How often to ask.
    Duration look_again(Duration otherwise) const noexcept;
    // Why a detector that is well would be taken for stuck; empty if it would not.
    std::string why_too_short_for(Duration scan) const;

private:
    std::optional<Duration> patience_;
    std::optional<Instant> told_;  // when
    std::optional<Instant> seen_;  // the look that was told of
};

// "3 members alive, 1 suspect, 1 dead"; "; 2 of 3 other hosts alive", empty where there are none.
std::string members_status(const std::vector<Peer>& peers);
std::string hosts_status(const std::vector<Host>& hosts);

class ServiceNotify {
public:
    // From the environment, which forgets it: nothing that this process ever starts may speak for it. Before there are other threads.
    static ServiceNotify from_environment();

    void ready(const Engine& engine, Instant now);
    // A standby is ready: what it does is to wait. Its look at the lock is its work.
    void standing_by(const std::string& behind_whom);
    void has_looked_at_lock(Instant now);
    void reloading(Instant now);
    void reloaded();
    void stopping();
    // The watchdog, and once a second what has changed.
    void tick(const Engine& engine, Instant now);

    const Petting& petting() const noexcept { return petting_; }

private:
    ServiceNotify(NotifyOuter outer, std::optional<Duration> patience) : outer_(std::move(outer)), petting_(patience) {}

    void say(const std::string& text);
    // What a supervisor waits for: said again until it is taken.
    void say_surely(std::string text);
    void repeat_unsaid();
    std::string status(const Engine& engine);

    NotifyOuter outer_;
    Petting petting_;
    Instant next_status_{};
    std::optional<Counters> counted_;
    std::string members_;  // as of `counted_`
    std::string said_;     // the last status
    std::string unsaid_;   // what was not taken
};

}  // namespace rollcall::cli
