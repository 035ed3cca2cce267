// A cluster of a test's own: a folder in memory, an engine in a process of its own, and the command to look at it.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "engine/client/observer.hpp"
#include "tests/support/process.hpp"

namespace rollcall::test {

// For engines. `fast`: short timeouts, long enough that no member that beats misses them while two cores are busy.
inline const std::vector<std::string> calm{"--suspect", "60s", "--dead", "120s", "--evict", "180s"};  // nobody is judged by silence
inline const std::vector<std::string> fast{"--heartbeat", "100ms", "--suspect", "1s", "--dead", "2s", "--evict", "3s", "--scan", "5ms"};

// Throws where a test could not go on. If the test has failed, shows at its end what every process said on stderr.
class TemporaryCluster {
public:
    TemporaryCluster();
    ~TemporaryCluster();
    TemporaryCluster(const TemporaryCluster&) = delete;
    TemporaryCluster& operator=(const TemporaryCluster&) = delete;

    const std::string& dir() const noexcept { return dir_; }

    // `rollcall run` with these flags, as node `engine` if they name none; returns when it is ready. An engine before it must have ended.
    Process& start_engine(const std::vector<std::string>& flags = {}, const Environment& environment = {});
    Process& engine() { return engine_.front(); }
    void kill_engine();  // SIGKILL, and reaped

    std::string said_by_engine() const;  // on stderr, of all engines so far

    static std::string command();  // path of `rollcall`
    static std::string puppet_path();
    // `rollcall WORDS...`, with --dir added. Its stdout is a pipe.
    Process start(std::vector<std::string> words, const Environment& environment = {}) const;
    struct Output {
        int code;
        std::string out, err;
    };
    // The same, until it ends.
    Output run(const std::vector<std::string>& words) const;

    // A process that does what it is told, see programs/puppet.cpp. Wrapped: the wrapper's process, with a puppet in it, and its voice.
    Process puppet() const;
    Process wrapped_puppet(const std::vector<std::string>& join_flags, const Environment& environment = {}) const;

    // A process with many members, PREFIX0 and so on, see programs/crowd.cpp.
    Process crowd(const std::string& prefix, int members, unsigned seed) const;
    // A producer that flips bits of the pulse for a while, save in the words of those whose names begin so; see programs/flipper.cpp.
    Process flipper(int flips, Duration during, unsigned seed, const std::string& spared_prefix) const;
    // An observer in a process of its own, see programs/fold.cpp.
    Process fold(const std::string& file = {}) const;

    Observer observe(std::optional<std::uint64_t> after = {}) const;
    std::string stream() const;  // its id, as the command writes it
    // Nothing as long as there is no such cluster.
    std::optional<ClusterInfo> info() const;
    // What the memory says of it now; throws if there is no such peer.
    Peer find(const std::string& node) const;
    Instant last_beat(const std::string& node) const;

private:
    ObserverOptions where(std::optional<std::uint64_t> after) const;
    Process launch(std::vector<std::string> argv, const Environment& environment = {}, const std::string& err = {}) const;
    std::string error_file(const std::string& name) const;

    std::string dir_;
    std::list<Process> engine_;
    mutable int started_ = 0;
};

}  // namespace rollcall::test
