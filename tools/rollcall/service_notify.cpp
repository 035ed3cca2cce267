#include "tools/rollcall/service_notify.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "engine/engine.hpp"
#include "tools/rollcall/duration.hpp"

namespace rollcall::cli {

namespace {

constexpr int tellings = 4;  // within the watchdog's patience: one may be late, and one lost
constexpr Duration status_every = std::chrono::seconds(1);

}  // namespace

bool Petting::is_due(Instant now, std::optional<Instant> last_look) noexcept {
    if (!patience_ || !last_look || last_look == seen_) return false;
    if (told_ && now - *told_ < *patience_ / tellings) return false;
    told_ = now;
    seen_ = last_look;
    return true;
}

Duration Petting::look_again(Duration otherwise) const noexcept {
    constexpr Duration least = std::chrono::milliseconds(1);
    return patience_ ? std::clamp(*patience_ / (2 * tellings), least, otherwise) : otherwise;
}

std::string Petting::why_too_short_for(Duration scan) const {
    if (!patience_ || *patience_ > 2 * scan) return "";
    return "the supervisor's watchdog waits " + rounded(*patience_) + ", and the detector looks every " + rounded(scan) +
           ": an engine that is well may be ended; raise WatchdogSec= above twice the scan";
}

std::string members_status(const std::vector<Peer>& peers) {
    const auto count = [&peers](State state) { return std::count_if(peers.begin(), peers.end(), [state](const Peer& p) { return p.state == state; }); };
    const auto alive = count(State::alive);
    std::string text = std::to_string(alive) + (alive == 1 ? " member alive" : " members alive");
    for (const State state : {State::suspect, State::dead})
        if (const auto n = count(state); n != 0) text += ", " + std::to_string(n) + " " + std::string(to_string(state));
    return text;
}

std::string hosts_status(const std::vector<Host>& hosts) {
    if (hosts.empty()) return "";
    const auto alive = std::count_if(hosts.begin(), hosts.end(), [](const Host& h) { return h.state == State::alive; });
    return "; " + std::to_string(alive) + " of " + std::to_string(hosts.size()) + (hosts.size() == 1 ? " other host alive" : " other hosts alive");
}

ServiceNotify ServiceNotify::from_environment() {
    ServiceNotify notify(NotifyOuter::from_environment(), outer_watchdog());
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    return notify;
}

void ServiceNotify::say(const std::string& text) { (void)outer_.pass_on({text, {}}); }

void ServiceNotify::say_surely(std::string text) {
    unsaid_ = std::move(text);
    repeat_unsaid();
}

void ServiceNotify::repeat_unsaid() {
    if (!unsaid_.empty() && outer_.pass_on({unsaid_, {}})) unsaid_.clear();
}

// A snapshot costs more the more members there are: only if something has happened.
std::string ServiceNotify::status(const Engine& engine) {
    const Counters counters = engine.counters();
    const auto told = [](const Counters& c) { return std::tuple(c.peers_joined, c.peers_suspected, c.peers_dead, c.peers_evicted, c.peers_recovered, c.peers_left); };
    if (!counted_ || told(*counted_) != told(counters)) members_ = members_status(engine.snapshot());
    counted_ = counters;
    return members_ + hosts_status(engine.hosts());
}

void ServiceNotify::ready(const Engine& engine, Instant now) {
    if (!outer_.is_there()) return;
    said_ = status(engine);
    next_status_ = now + status_every;
    say_surely("READY=1\nSTATUS=" + said_);
}

void ServiceNotify::standing_by(const std::string& behind_whom) { say_surely("READY=1\nSTATUS=standing by: " + behind_whom); }

void ServiceNotify::has_looked_at_lock(Instant now) {
    repeat_unsaid();
    if (petting_.is_due(now, now)) say("WATCHDOG=1");
}

void ServiceNotify::reloading(Instant now) {
    say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count()));
}

void ServiceNotify::reloaded() { say_surely("READY=1"); }

void ServiceNotify::stopping() { say("STOPPING=1"); }

void ServiceNotify::tick(const Engine& engine, Instant now) {
    if (!outer_.is_there()) return;
    if (petting_.is_due(now, engine.last_look())) say("WATCHDOG=1");
    repeat_unsaid();
    if (now < next_status_) return;
    next_status_ = now + status_every;
    if (std::string text = status(engine); text != said_) say("STATUS=" + (said_ = std::move(text)));
}

}  // namespace rollcall::cli
