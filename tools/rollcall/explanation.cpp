#include "tools/rollcall/explanation.hpp"

#include <deque>

#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli {

namespace {

std::string beat_now(const Peer& p, Instant now) { return p.last_heartbeat ? "Its last heartbeat is " + rounded(now - *p.last_heartbeat) + " old now." : ""; }

// What the detector saw when it judged a silence.
std::string silence_seen(const Evidence& e, Duration timeout) {
    std::string text = "When it was judged, its last heartbeat was " + rounded(e.age) + " old";
    if (e.lost != Duration{}) text += ". Of that nobody was observing for " + rounded(e.lost) + ", which leaves a silence of " + rounded(e.age - e.lost);
    return text + "; the timeout was " + to_text(as_set(timeout)) + ", and the detector looked " + rounded(e.late) + " after it.";
}

std::string why_alive(const Peer& p) {
    switch (p.reason) {
        case Reason::join: return "Its process joined, and no silence since then was long enough for doubt.";
        case Reason::registered: return "The program around the engine registered it, and no silence since then was long enough for doubt.";
        case Reason::heartbeat: return "It was heard, and no silence since then was long enough for doubt.";
        case Reason::host_said: return "Its host says so.";
        default: return "The reason is " + std::string(to_string(p.reason)) + ".";
    }
}

std::string why_dead_by_proof(const Peer& p) {
    std::string text;
    switch (p.reason) {
        case Reason::process_exit: text = "Its process" + (p.pid != 0 ? " (pid " + std::to_string(p.pid) + ")" : "") + " " + ending(p.evidence); break;
        case Reason::replaced: text = "A new life of the same node took over"; break;
        case Reason::goodbye: text = "It said goodbye"; break;
        case Reason::by_operator: text = "An operator said so"; break;
        case Reason::host_restarted: text = "Its host began a new life without it"; break;
        default: text = "The reason is " + std::string(to_string(p.reason)); break;
    }
    return text + ". That is proof: no timeout was waited for, and no heartbeat can bring this life back.";
}

std::string why(const Peer& p) {
    if (p.state == State::alive) return why_alive(p);
    if (is_proof(p.state, p.reason)) return why_dead_by_proof(p);
    if (p.reason == Reason::host_said) return "Its host judged so, by its silence there.";
    return silence_seen(p.evidence, p.state == State::dead ? p.evidence.dead_timeout : p.evidence.suspect_timeout);
}

std::string what_next(const Peer& p, const Settings& s) {
    if (p.state == State::alive) return "It is suspected after " + to_text(s.suspect) + " of observed silence and announced dead after " + to_text(s.dead) + ".";
    if (p.state == State::suspect)
        return "A heartbeat clears it. After " + to_text(s.dead) + " of observed silence it is announced dead, after " + to_text(s.evict) + " forgotten.";
    if (is_proof(p.state, p.reason)) return "It is forgotten " + to_text(s.evict) + " after the proof.";
    return "A heartbeat still brings it back. After " + to_text(s.evict) + " of observed silence it is forgotten.";
}

std::string held_back(const Peer& p, Instant now) {
    if (!p.stall) return "";
    const std::string name = p.stall->guard.empty() ? "a guard without a name" : "its guard '" + p.stall->guard + "'";
    return "It does not beat by its own will: " + name + " saw no progress for " + rounded(now - p.stall->since) + ", the budget is " + to_text(p.stall->budget) +
           ". Its program hangs or is slow there; it beats again as soon as that goes on.";
}

void add_line(std::string& text, const std::string& sentence) {
    if (!sentence.empty()) text += "  " + printable(sentence) + "\n";
}

}  // namespace

std::string explain(const Peer& peer, const Settings& settings, Instant now) {
    std::string text = printable(peer.node + " is " + std::string(to_string(peer.state)) + ", for " + rounded(now - peer.since) + ".") + "\n";
    add_line(text, why(peer));
    add_line(text, beat_now(peer, now));
    add_line(text, held_back(peer, now));
    add_line(text, what_next(peer, settings));
    if (!peer.local) add_line(text, "It lives on host '" + peer.host + "' and is judged by that host's word.");
    return text;
}

std::vector<Event> history_of(Observer& observer, std::string_view node) {
    constexpr std::size_t most = 12;
    std::deque<Event> kept;
    const Sequence head = observer.info().head;
    while (const std::optional<Event> event = observer.poll()) {
        const bool of_peer = !is_of_nobody(event->kind) && !is_of_host(event->kind);
        if (of_peer && event->node() == node) kept.push_back(*event);
        if (kept.size() > most) kept.pop_front();
        if (event->sequence >= head) break;
    }
    return {kept.begin(), kept.end()};
}

}  // namespace rollcall::cli
