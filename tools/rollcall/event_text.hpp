// Events as people read them.
#pragma once

#include <cstddef>
#include <string>

#include "engine/peer.hpp"
#include "tools/rollcall/colour.hpp"

namespace rollcall::cli {

// What the event says beside its kind and node: "silent for 3 s, the timeout is 3s", "its process was killed by signal 9 (KILL)".
std::string event_detail(const Event& event);
// "exited with code 3", "was killed by signal 9 (KILL)", or "ended" where that is not known.
std::string ending(const Evidence& evidence);

// Lines in columns: time, sequence, event, node, detail. The column of nodes grows with what it has seen.
class EventLines {
public:
    explicit EventLines(Palette palette) : palette_(palette) {}
    std::string line(const Event& event);

private:
    Palette palette_;
    std::size_t kind_width_ = 9, node_width_ = 12;
};

}  // namespace rollcall::cli
