// `rollcall watch --json` in a process of its own, and what it saw.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/support/temporary_cluster.hpp"

namespace rollcall::test {

// One line of the watch. Numbers that are null there are nothing here.
struct SeenEvent {
    std::uint64_t sequence = 0, view = 0, epoch = 0;
    std::string stream, event, node, cluster, state, reason;
    std::optional<std::uint64_t> incarnation, exit_code, signal, from, to;
    std::optional<double> age_ms, lost_ms, late_ms, suspect_ms, dead_ms, length_ms;
    std::optional<std::int64_t> mono_us;
    std::string line;

    // Judged at the earliest `timeout` after `beat`.
    bool is_not_before(Instant beat, Duration timeout) const;
};

SeenEvent read_event(const std::string& line);

class Watch {
public:
    // From the first event that the ring still holds, or behind `from`.
    explicit Watch(const TemporaryCluster& cluster, const std::string& from = "0");

    // Reads on until this happens; empty `node`: to nobody (paused, gap). Throws, with all that was seen, when time is over.
    SeenEvent until(const std::string& event, const std::string& node = {}, Duration within = patience);
    // Reads all that is published by now.
    void catch_up();

    const std::vector<SeenEvent>& seen() const noexcept { return seen_; }
    // What happened to a node so far: "joined:join dead:process_exit".
    std::string story(const std::string& node) const;
    // The same of all of them in order: "a joined, b joined, a dead".
    std::string story() const;
    // The sequences follow one another without a hole, save what a gap tells.
    bool is_whole() const;

    Process& process() { return process_; }

private:
    const TemporaryCluster& cluster_;
    Process process_;
    std::vector<SeenEvent> seen_;
};

}  // namespace rollcall::test
