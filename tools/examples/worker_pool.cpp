// A pool that gives the jobs of a dead worker to the living ones. Workers are the members whose tag `role` is `worker`.
//   worker_pool [JOBS]   prints who does what, each time that changes
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <rollcall/rollcall.hpp>

namespace {

using Jobs = std::map<int, std::string>;  // who does it

std::vector<std::string> workers_in(const rollcall::View& view) {
    std::vector<std::string> all;
    for (const auto& [node, peer] : view.peers()) {
        const auto role = peer.tags.find("role");
        // A suspect keeps its jobs: it may be slow. Whoever is dead of silence may still run; jobs must bear being done twice, or be fenced by the incarnation.
        if (role != peer.tags.end() && role->second == "worker" && peer.state != rollcall::State::dead) all.push_back(node);
    }
    return all;
}

// Everybody keeps what he has; what nobody has goes to whoever has least.
bool assign(Jobs& jobs, const std::vector<std::string>& workers) {
    bool has_changed = false;
    std::map<std::string, int> load;
    for (const std::string& worker : workers) load[worker] = 0;
    for (auto& [job, worker] : jobs) {
        if (const auto at = load.find(worker); at != load.end()) ++at->second;
        else has_changed |= !std::exchange(worker, "").empty();
    }
    for (auto& [job, worker] : jobs) {
        if (!worker.empty() || load.empty()) continue;
        auto least = load.begin();
        for (auto at = load.begin(); at != load.end(); ++at)
            if (at->second < least->second) least = at;
        worker = least->first;
        ++least->second;
        has_changed = true;
    }
    return has_changed;
}

}  // namespace

int main(int argc, char** argv) {
    Jobs jobs;
    for (int i = 0; i < (argc > 1 ? std::atoi(argv[1]) : 6); ++i) jobs[i] = "";
    auto observer = rollcall::Observer::attach({});
    if (!observer) return std::fprintf(stderr, "%s\n", observer.error().message.c_str()), 1;
    const auto followed = observer->follow([&](const rollcall::View& view, const rollcall::Event&) {
        if (!assign(jobs, workers_in(view))) return true;
        for (const auto& [job, worker] : jobs) std::printf("%d:%s ", job, worker.empty() ? "-" : worker.c_str());
        std::printf("\n");
        return std::fflush(stdout) == 0;
    });
    return followed ? 0 : (std::fprintf(stderr, "%s\n", followed.error().message.c_str()), 1);
}
