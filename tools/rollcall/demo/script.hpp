// What must happen, in order, and whether it did. Pure: knows neither processes nor time.
#pragma once

#include <string>
#include <vector>

#include "engine/peer.hpp"

namespace rollcall::cli::demo {

struct Expected {
    EventKind kind;
    std::string node;               // empty for events of no peer
    Reason reason = Reason::none;   // none: any
};

class Script {
public:
    // Comes behind everything expected so far.
    void expect(Expected next) { expected_.push_back(std::move(next)); }
    // Takes the next event. False if another one had to come, or none; then, and ever after, the script has failed. A pause that nobody
    // planned is no failure: a busy machine kept the engine from looking, and it says so.
    bool accept(const Event& event);

    bool is_complete() const { return !failed_ && scripted_.size() == expected_.size(); }
    bool has_failed() const { return failed_; }
    // Everything that came, unplanned pauses too.
    const std::vector<Event>& seen() const { return seen_; }
    // Expected and seen side by side, a line each, the first difference marked.
    std::string comparison() const;

private:
    std::vector<Expected> expected_;
    std::vector<Event> seen_, scripted_;
    bool failed_ = false;
};

}  // namespace rollcall::cli::demo
