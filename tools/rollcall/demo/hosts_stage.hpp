// Who takes part in the demo of hosts: engines in folders of their own, as if on hosts of their own, which speak over UDP on loopback; and two workers on each.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/client/observer.hpp"
#include "shm/error.hpp"
#include "tools/rollcall/demo/child_process.hpp"
#include "tools/rollcall/demo/stage.hpp"
#include "tools/rollcall/demo/temporary_folder.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli::demo {

// Whoever is cut off here comes back before he is forgotten.
inline constexpr Settings hosts_timing{.heartbeat = timing.heartbeat, .suspect = timing.suspect, .dead = timing.dead, .evict = std::chrono::minutes(1), .scan = timing.scan};

class HostsStage {
public:
    static constexpr int workers_a_host = 2;

    // `count` engines that run. Fails with the reason, or with timeout if a signal interrupts; nothing is left then.
    static Result<HostsStage> set_up(const std::string& parent, std::size_t count, const Signals& signals);

    Result<void> start_workers();
    std::size_t count() const { return engines_.size(); }
    static std::string host(std::size_t i) { return "host-" + std::to_string(i + 1); }
    static std::string worker(std::size_t host, int i) { return HostsStage::host(host) + "-worker-" + std::to_string(i + 1); }
    const ChildProcess& engine(std::size_t i) const { return engines_.at(i); }
    const ChildProcess& process(const std::string& worker) const { return workers_.at(worker); }
    // Of the first host's memory, from its first event on.
    Observer& events() { return observers_.front(); }
    // A view of any host's memory.
    Result<Observer> look(std::size_t i) const;
    const std::string& folder() const { return folder_.path(); }

private:
    HostsStage(TemporaryFolder folder, const Signals& signals) : folder_(std::move(folder)), signals_(&signals) {}
    std::string memory(std::size_t i) const { return folder_.path() + "/" + host(i); }
    Result<void> start_engine(std::size_t i, const std::vector<std::string>& addresses);
    Result<Observer> once_ready(std::size_t i) const;

    TemporaryFolder folder_;  // first: removed when the processes are gone
    std::vector<ChildProcess> engines_;
    std::map<std::string, ChildProcess> workers_;
    std::vector<Observer> observers_;
    const Signals* signals_;
};

}  // namespace rollcall::cli::demo
