// A membership as text, so that two observers in two processes can be compared: everything of a peer but its heartbeat, which moves.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/client/observer.hpp"

namespace rollcall::test {

inline std::string peer_text(const Peer& p) {
    const auto number = [](auto n) { return std::to_string(n); };
    std::string text = p.node + " " + std::string(to_string(p.state)) + " " + std::string(to_string(p.reason));
    text += " since " + number(to_ns(p.since)) + " age " + number(p.evidence.age.count()) + " incarnation " + number(p.incarnation.value);
    text += " slot " + number(p.slot.value) + "." + number(p.generation.value) + " event " + number(p.last_event.value);
    text += " pid " + number(p.pid) + " uid " + number(p.uid) + (p.local ? " local" : "") + " endpoint '" + p.endpoint + "' host '" + p.host + "'";
    for (const auto& [key, value] : p.tags) text += " " + key + "=" + value;
    return text + "\n";
}

// One line a peer, ordered by node id.
inline std::string roster_text(const View& view) {
    std::string text;
    for (const auto& [node, peer] : view.peers()) text += peer_text(peer);
    return text;
}

inline std::string roster_text(const std::vector<Peer>& peers) {
    std::map<std::string, std::string> lines;
    for (const Peer& peer : peers) lines.emplace(peer.node, peer_text(peer));
    std::string text;
    for (const auto& [node, line] : lines) text += line;
    return text;
}

}  // namespace rollcall::test
