// How late does another process learn of a death?
//
// Real processes: an engine (`rollcall run`), members that are killed or stopped one after the other, this process as the observer, and one
// process that keeps a core busy. A crash is timed from kill() to the event in this process's hands; a silence from the timeout's end (last
// beat + timeout, both from the event's evidence) to the same moment. usage: latency [SAMPLES]
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/client/member.hpp"
#include "engine/client/observer.hpp"

namespace {

using namespace rollcall;
using namespace std::chrono_literals;

Instant now() { return std::chrono::steady_clock::now(); }

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "latency: %s\n", why.c_str());
    std::exit(1);
}

// A process of ours that dies with us.
class Child {
public:
    template <class Body>
    explicit Child(Body body) : pid_(::fork()) {
        if (pid_ < 0) give_up("cannot fork");
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        ::_exit(1);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    void signal(int number) const { ::kill(pid_, number); }

private:
    pid_t pid_;
};

void report(const char* what, std::vector<double> ms) {
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double q) { return ms[static_cast<std::size_t>(q * static_cast<double>(ms.size() - 1) + 0.5)]; };
    std::printf("%-44s %4zu  median %7.3f  p99 %7.3f  max %7.3f ms\n", what, ms.size(), at(0.5), at(0.99), ms.back());
}

double in_ms(Duration d) { return static_cast<double>(d.count()) / 1e6; }

class Scene {
public:
    Scene(std::string dir, Observer observer) : dir_(std::move(dir)), observer_(std::move(observer)) {}

    // The next event of this kind about this node, and when it was in our hands.
    std::pair<Event, Instant> next(EventKind kind, const std::string& node) {
        const Instant deadline = now() + 30s;
        while (now() < deadline) {
            while (const auto event = observer_.poll())
                if (event->kind == kind && event->node() == node) return {*event, now()};
            observer_.wait(1s);
        }
        give_up("no event '" + std::string(to_string(kind)) + "' of " + node);
    }

    Child start_member(const std::string& node) {
        return Child([&] {
            auto me = Member::join({.cluster = "default", .node = node, .dir = dir_});
            if (!me || !me->start_beating()) return;
            for (;;) ::pause();
        });
    }

private:
    std::string dir_;
    Observer observer_;
};

void crashes(Scene& scene, int samples) {
    std::vector<double> ms;
    for (int i = 0; i < samples; ++i) {
        const std::string node = "crash-" + std::to_string(i);
        const Child member = scene.start_member(node);
        scene.next(EventKind::joined, node);
        const Instant killed = now();
        member.signal(SIGKILL);
        ms.push_back(in_ms(scene.next(EventKind::dead, node).second - killed));
    }
    report("SIGKILL to dead", ms);
}

void silences(Scene& scene, const Settings& settings, int samples) {
    std::vector<double> suspect, dead, evicted;
    for (int i = 0; i < samples; ++i) {
        const std::string node = "silent-" + std::to_string(i);
        const Child member = scene.start_member(node);
        scene.next(EventKind::joined, node);
        std::this_thread::sleep_for(settings.heartbeat * (i % 5) / 5);
        member.signal(SIGSTOP);
        const auto late = [&](EventKind kind, Duration timeout) {
            const auto [event, seen] = scene.next(kind, node);
            return in_ms(seen - (event.at - event.evidence.age + timeout));
        };
        suspect.push_back(late(EventKind::suspect, settings.suspect));
        dead.push_back(late(EventKind::dead, settings.dead));
        evicted.push_back(late(EventKind::evicted, settings.evict));
    }
    report("SIGSTOP: suspect, after its timeout", suspect);
    report("SIGSTOP: dead, after its timeout", dead);
    report("SIGSTOP: evicted, after its timeout", evicted);
}

Observer attach_when_ready(const std::string& dir) {
    const Instant deadline = now() + 10s;
    while (now() < deadline) {
        auto observer = Observer::attach({.cluster = "default", .dir = dir});
        if (observer && observer->info().running) return std::move(*observer);
        std::this_thread::sleep_for(5ms);
    }
    give_up("the engine did not start");
}

}  // namespace

int main(int argc, char** argv) {
    const int samples = argc > 1 ? std::atoi(argv[1]) : 100;
    if (samples < 20) give_up("at least 20 samples, please");
    std::string dir = "/dev/shm/rollcall-latency.XXXXXX";
    if (::mkdtemp(dir.data()) == nullptr) give_up("cannot make a folder in /dev/shm");
    {
        const Child engine([&] {
            ::execl(ROLLCALL_COMMAND, "rollcall", "run", "--dir", dir.c_str(), "--heartbeat", "100ms", "--suspect", "300ms", "--dead", "500ms", "--evict", "700ms",
                    "--log-level", "error", nullptr);
        });
        const Child busy([] {
            for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
        });
        Observer observer = attach_when_ready(dir);
        const Settings settings = observer.info().settings;
        Scene scene(dir, std::move(observer));
        std::printf("%d cores, one kept busy; scan %s\n", static_cast<int>(std::thread::hardware_concurrency()), to_text(settings.scan).c_str());
        crashes(scene, samples);
        silences(scene, settings, samples);
    }
    std::filesystem::remove_all(dir);
    return 0;
}
