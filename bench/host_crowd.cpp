// Many real engines in one process, each a host with members of its own, in the network namespaces that it is given in turn. Speaks to bench/hosts by lines: what
// happened as JSON; where the network is to be changed, it says so and waits for a line.
//
// usage: host_crowd udp|nats HOSTS MEMBERS INTERVAL_SECONDS QUIET_SECONDS NAMESPACE=ADDRESS|URL...   (an empty namespace is where we are)
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/engine.hpp"
#include "engine/transports/udp.hpp"
#ifdef ROLLCALL_HAS_NATS
#include <nats/nats.h>

#include "engine/transports/nats.hpp"
#endif

namespace {

using namespace rollcall;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Place {
    std::string space, where;  // network namespace; address, or URL of a server
};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

[[noreturn]] void give_up(const std::string& why) {
    std::cerr << "host_crowd: " << why << '\n';
    std::exit(1);
}

void enter(const std::string& space) {
    if (space.empty()) return;
    const int file = ::open(("/run/netns/" + space).c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 || ::setns(file, CLONE_NEWNET) != 0) give_up("cannot enter the network namespace " + space);
    ::close(file);
}

class Crowd {
public:
    Crowd(std::string carrier, std::size_t hosts, int members, Duration interval, std::vector<Place> places)
        : carrier_(std::move(carrier)), members_(members), interval_(interval), places_(std::move(places)) {
        for (std::size_t i = 0; i < hosts; ++i) add(i);
    }
    ~Crowd() {
        ending_ = true;
        if (beating_.joinable()) beating_.join();
    }

    // All at once, as after a power cut.
    void start() {
        began_ = Clock::now();
        beating_ = std::thread([this] { beat(); });
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            enter(places_[i % places_.size()].space);
            open_transport(i);
            if (auto started = hosts_[i]->engine->start(); !started) give_up(started.error().message);
            for (int m = 0; m < members_; ++m) (void)hosts_[i]->engine->register_peer(member(i, m));
            beats_of_ = i + 1;
        }
        started_ = Clock::now();
    }
    double started_within() const { return std::chrono::duration<double>(started_ - began_).count(); }
    Clock::time_point started() const { return started_; }

    // Everybody shows everybody who is up, alive.
    bool is_whole() const {
        for (const auto& host : hosts_) {
            if (!host->engine) continue;
            std::size_t alive = 0;
            for (const Host& other : host->engine->hosts()) alive += other.state == State::alive ? other.alive : 0;
            if (alive != (up() - 1) * static_cast<std::size_t>(members_ + 1)) return false;
        }
        return true;
    }
    // No host of another place is shown alive.
    bool is_parted() const {
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (!hosts_[i]->engine) continue;
            for (const Host& other : hosts_[i]->engine->hosts())
                if (number_of(other.name) % places_.size() != i % places_.size()) return false;
        }
        return true;
    }
    void kill(std::size_t i) {
        const std::lock_guard lock(hosts_[i]->mutex);
        hosts_[i]->engine.reset();
        hosts_[i]->transport.reset();
    }
    std::size_t up() const {
        return static_cast<std::size_t>(std::count_if(hosts_.begin(), hosts_.end(), [](const auto& host) { return host->engine != nullptr; }));
    }
    // How many call this host dead.
    std::size_t who_call_dead(std::size_t i) const {
        std::size_t count = 0;
        for (const auto& host : hosts_) {
            if (!host->engine) continue;
            for (const Host& other : host->engine->hosts()) count += other.name == name(i) && other.state == State::dead;
        }
        return count;
    }
    std::uint64_t judgements() const { return judgements_.load(); }
    std::uint64_t sent() const {
        std::uint64_t sum = 0;
        for (const auto& host : hosts_)
            if (host->transport) sum += host->transport->statistics().published;
        return sum;
    }

private:
    struct Member {
        std::mutex mutex;
        std::shared_ptr<Transport> transport;
        std::unique_ptr<Engine> engine;
    };
    static std::string name(std::size_t i) { return "h" + std::to_string(i); }
    static std::size_t number_of(const std::string& host) { return static_cast<std::size_t>(std::atoi(host.c_str() + 1)); }
    static std::string member(std::size_t i, int m) { return name(i) + "-" + std::to_string(m); }

    void add(std::size_t i) {
        auto host = std::make_unique<Member>();
        EngineOptions options;
        options.cluster = "crowd";
        options.node = "node-" + name(i);
        options.host = name(i);
        options.capacity = 4096;
        options.ring = 4096;
        options.settings = {.heartbeat = interval_, .suspect = 3 * interval_, .dead = 5 * interval_, .evict = 10 * interval_, .scan = 50ms};  // so many engines on so few cores
        host->engine = std::make_unique<Engine>(options);
        host->engine->add_callback([this](const Event& e) {
            const bool is_judgement = e.kind == EventKind::host_suspect || e.kind == EventKind::host_dead || e.kind == EventKind::suspect || e.kind == EventKind::dead;
            if (is_judgement) judgements_.fetch_add(1);
        });
        hosts_.push_back(std::move(host));
    }
    void open_transport(std::size_t i) {
        const Place& place = places_[i % places_.size()];
        std::shared_ptr<Transport> transport;
        if (carrier_ == "udp") {
            UdpOptions options;
            options.bind = place.where + ":" + std::to_string(20'000 + i);
            options.seeds = {places_[0].where + ":20000"};
            options.insecure = true;
            auto opened = UdpTransport::open(options);
            if (!opened) give_up(opened.error().message);
            transport = *opened;
        } else {
#ifdef ROLLCALL_HAS_NATS
            auto opened = NatsTransport::open({.urls = {place.where}});
            if (!opened) give_up(opened.error().message);
            transport = *opened;
#else
            give_up("built without NATS");
#endif
        }
        hosts_[i]->transport = transport;
        if (auto set = hosts_[i]->engine->set_transport(transport); !set) give_up(set.error().message);
    }
    // Of all members that have no process. Members of real hosts would not have to wait for two hundred engines.
    void beat() {
        (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -19);
        while (!ending_) {
            for (std::size_t i = 0; i < beats_of_; ++i) {
                const std::lock_guard lock(hosts_[i]->mutex);
                for (int m = 0; hosts_[i]->engine && m < members_; ++m) (void)hosts_[i]->engine->on_heartbeat(member(i, m), "crowd", "", Clock::now());
            }
            std::this_thread::sleep_for(400ms);
        }
    }

    const std::string carrier_;
    const int members_;
    const Duration interval_;
    const std::vector<Place> places_;
    std::vector<std::unique_ptr<Member>> hosts_;
    std::atomic<std::uint64_t> judgements_{0};
    std::atomic<bool> ending_{false};
    std::atomic<std::size_t> beats_of_{0};
    std::thread beating_;
    Clock::time_point began_{}, started_{};
};

template <class Condition>
double until(Condition holds, double within, const char* what) {
    const auto begin = Clock::now();
    while (!holds()) {
        if (seconds_since(begin) > within) give_up(std::string(what) + ": not within " + std::to_string(within) + " s");
        std::this_thread::sleep_for(50ms);
    }
    return seconds_since(begin);
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double resident_mb() {
    std::ifstream status("/proc/self/statm");
    long whole = 0, resident = 0;
    status >> whole >> resident;
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

void say(const std::string& line) { std::cout << line << std::endl; }
void tell(const std::string& key, double value) { say("{\"" + key + "\": " + std::to_string(value) + "}"); }
// The network is changed by whoever started us.
void ask_for(const std::string& what) {
    say(what);
    std::string answer;
    std::getline(std::cin, answer);
}

void play(Crowd& crowd, std::size_t hosts, double quiet) {
    crowd.start();
    tell("started_within_s", crowd.started_within());
    until([&] { return crowd.is_whole(); }, 120, "a cold start");
    tell("whole_s_after_the_last_start", seconds_since(crowd.started()));
    std::this_thread::sleep_for(5s);
    const std::uint64_t judged = crowd.judgements(), sent = crowd.sent();
    const double cpu = cpu_seconds();
    ask_for("quiet begins");
    std::this_thread::sleep_for(std::chrono::duration<double>(quiet));
    ask_for("quiet ends");
    tell("judgements_while_quiet", static_cast<double>(crowd.judgements() - judged));
    tell("cpu_of_a_core_a_host", (cpu_seconds() - cpu) / quiet / static_cast<double>(hosts));
    tell("messages_sent_a_host_and_second", static_cast<double>(crowd.sent() - sent) / quiet / static_cast<double>(hosts));
    tell("mb_a_host", resident_mb() / static_cast<double>(hosts));

    const auto killed = Clock::now();
    crowd.kill(hosts - 1);
    until([&] { return crowd.who_call_dead(hosts - 1) == hosts - 1; }, 60, "a death");
    tell("killed_is_dead_everywhere_s", seconds_since(killed));
    ask_for("cut");
    until([&] { return crowd.is_parted(); }, 120, "a partition");
    ask_for("heal");
    tell("whole_s_after_healing", until([&] { return crowd.is_whole(); }, 120, "healing"));
    ask_for("healed");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 7) give_up("usage: host_crowd udp|nats HOSTS MEMBERS INTERVAL_SECONDS QUIET_SECONDS NAMESPACE=ADDRESS|URL...");
    std::vector<Place> places;
    for (int i = 6; i < argc; ++i) {
        const std::string text = argv[i];
        const std::size_t equals = text.find('=');
        places.push_back({text.substr(0, equals), text.substr(equals + 1)});
    }
    const auto hosts = static_cast<std::size_t>(std::atoi(argv[2]));
#ifdef ROLLCALL_HAS_NATS
    nats_SetMessageDeliveryPoolSize(static_cast<int>(hosts));  // as if each had a process of its own
#endif
    Crowd crowd(argv[1], hosts, std::atoi(argv[3]), std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::atof(argv[4]))), places);
    play(crowd, hosts, std::atof(argv[5]));
    std::cout.flush();
    std::_Exit(0);  // two hundred engines need not be stopped one by one
}
