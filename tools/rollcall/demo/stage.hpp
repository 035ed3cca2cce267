// Who takes part in the demo: an engine, workers and a second observer, each a process of its own, and where they meet.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/client/observer.hpp"
#include "shm/error.hpp"
#include "shm/settings.hpp"
#include "tools/rollcall/demo/child_process.hpp"
#include "tools/rollcall/demo/temporary_folder.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli::demo {

// Short enough for a show, and long enough for a busy machine: ten heartbeats fit into the suspect timeout, a worker that was suspected is
// woken long before it would be dead, and only a stall of a third of a second counts as a pause of the engine.
inline constexpr Settings timing{.heartbeat = std::chrono::milliseconds(100),
                                 .suspect = std::chrono::milliseconds(1000),
                                 .dead = std::chrono::milliseconds(2000),
                                 .evict = std::chrono::milliseconds(2200),
                                 .scan = std::chrono::milliseconds(5)};

class Stage {
public:
    // An engine that runs, this process' observer and a `watch` in a second one. `parent`: see TemporaryFolder. Fails with the reason, or
    // with timeout if a signal interrupts or the engine is not there in time; nothing is left then.
    static Result<Stage> set_up(const std::string& parent, const Signals& signals);

    Result<void> start_worker(const std::string& node);
    const ChildProcess& worker(const std::string& node) const { return workers_.at(node); }
    const ChildProcess& engine() const { return engine_; }
    Observer& events() { return events_; }    // from the first event on
    Observer& roster() { return roster_; }    // for snapshots, which would move the other one on
    const std::string& folder() const { return folder_.path(); }

    // Ends the second observer once it has written `count` lines, or no more come. Fails if it did not end well.
    Result<std::vector<std::string>> end_watch(std::size_t count);
    // The last line that each process wrote on stderr, if any, behind its name.
    std::vector<std::string> last_words() const;

private:
    Stage(TemporaryFolder folder, ChildProcess engine, ChildProcess watch, Observer events, Observer roster, const Signals& signals);

    TemporaryFolder folder_;  // first: removed when the processes are gone
    ChildProcess engine_;
    ChildProcess watch_;
    std::map<std::string, ChildProcess> workers_;
    Observer events_, roster_;
    const Signals* signals_;
};

}  // namespace rollcall::cli::demo
