#include "tools/rollcall/event_text.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "shm/settings.hpp"
#include "tools/rollcall/clock_text.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli {

namespace {

// Silence is observed silence: what nobody was there to hear does not count.
std::string silence(const Evidence& e, Duration timeout) {
    std::string text = "silent for " + rounded(e.age - e.lost);
    if (timeout != Duration{}) text += ", the timeout is " + to_text(as_set(timeout));
    if (e.lost != Duration{}) text += " (" + rounded(e.lost) + " more went unobserved)";
    return text;
}

std::string joined(Reason reason) {
    switch (reason) {
        case Reason::registered: return "registered";
        case Reason::heartbeat: return "heard for the first time";
        default: return "";
    }
}

std::string dead(const Event& e) {
    switch (e.reason) {
        case Reason::silence: return silence(e.evidence, e.evidence.dead_timeout);
        case Reason::process_exit: return "its process " + ending(e.evidence);
        case Reason::replaced: return "a new life of the same node took over";
        case Reason::host_silence: return silence(e.evidence, e.evidence.dead_timeout) + ", with its host";
        case Reason::host_said: return "by silence, as its host says";
        case Reason::host_restarted: return "its host began a new life without it";
        default: return std::string(to_string(e.reason));
    }
}

std::string suspect(const Event& e) {
    if (e.reason == Reason::host_said) return "as its host says";
    return silence(e.evidence, e.evidence.suspect_timeout) + (e.reason == Reason::host_silence ? ", with its host" : "");
}

std::string updated(const Event& e) {
    if (is_proof(e.state, e.reason)) return "proof of its death: " + dead(e);
    return is_of_host(e.kind) ? "its address changed" : "endpoint or tags changed";
}

// What ends a membership without being a judgement.
std::string gone(const Event& e, std::string_view usual) { return std::string(e.reason == Reason::by_operator ? "by an operator" : usual); }

}  // namespace

std::string ending(const Evidence& evidence) {
    if (!evidence.status) return "ended";
    const int value = evidence.status->value;
    if (!evidence.status->signalled) return "exited with code " + std::to_string(value);
    const char* name = sigabbrev_np(value);
    return "was killed by signal " + std::to_string(value) + (name != nullptr ? " (" + std::string(name) + ")" : "");
}

std::string event_detail(const Event& e) {
    switch (plain_kind(e.kind)) {
        case EventKind::joined: return joined(e.reason);
        case EventKind::suspect: return suspect(e);
        case EventKind::recovered: return "heard again";
        case EventKind::dead: return dead(e);
        case EventKind::evicted: return gone(e, "forgotten");
        case EventKind::left: return gone(e, "said goodbye");
        case EventKind::updated: return updated(e);
        case EventKind::paused: return "the detector did not look for " + rounded(e.length) + ", and counts none of it as silence";
        case EventKind::one_way: return "we hear it, and it does not hear us";
        case EventKind::orphaned: return "nobody is left here to hear it: it is not judged";
        case EventKind::duplicate: return is_of_host(e.kind) ? "there are two hosts of this name: the first one counts as long as it answers" : "another host speaks for it, too";
        case EventKind::mass_silence: return "most hosts fell silent together: nobody is forgotten for one evict timeout longer";
        case EventKind::gap: return "events " + std::to_string(e.from.value) + " to " + std::to_string(e.to.value) + " are lost to this reader";
        default: break;
    }
    return "";
}

std::string EventLines::line(const Event& event) {
    const bool of_peer = !is_of_nobody(event.kind);
    const std::string node = of_peer ? printable(event.node()) : "-";
    node_width_ = std::max(node_width_, width(node));
    kind_width_ = std::max(kind_width_, to_string(event.kind).size());

    const std::string time = event.wall_us > 0 ? local_time(event.wall_us) : std::string(12, ' ');
    const std::string place = std::to_string(event.sequence.value);
    std::string line = palette_.paint(Colour::faint, time + "  " + std::string(place.size() < 6 ? 6 - place.size() : 0, ' ') + place);
    line += "  " + palette_.paint(colour_of(event.kind), padded(to_string(event.kind), kind_width_)) + "  ";
    const std::string detail = event_detail(event);
    return line + (detail.empty() ? node : padded(node, node_width_) + "  " + detail);
}

}  // namespace rollcall::cli
