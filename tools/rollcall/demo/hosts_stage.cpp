#include "tools/rollcall/demo/hosts_stage.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli::demo {

namespace {

constexpr Duration patience = std::chrono::seconds(15);
constexpr Duration glance = std::chrono::milliseconds(10);

// Ports of loopback that nobody had a moment ago, all different: held until all are found.
std::vector<std::string> free_addresses(std::size_t count) {
    std::vector<std::string> addresses;
    std::vector<int> probes;
    for (std::size_t i = 0; i < count; ++i) {
        const int probe = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        const bool found = ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
        probes.push_back(probe);
        if (found) addresses.push_back("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
    }
    for (const int probe : probes) ::close(probe);
    return addresses;
}

}  // namespace

Result<HostsStage> HostsStage::set_up(const std::string& parent, std::size_t count, const Signals& signals) {
    Result<TemporaryFolder> folder = TemporaryFolder::make(parent);
    if (!folder) return fail(folder.error());
    HostsStage stage(std::move(*folder), signals);
    const auto addresses = free_addresses(count);
    if (addresses.size() != count) return fail(ErrorKind::system, "no UDP port of 127.0.0.1 is free");
    for (std::size_t i = 0; i < count; ++i)
        if (auto started = stage.start_engine(i, addresses); !started) return fail(started.error());
    for (std::size_t i = 0; i < count; ++i) {
        auto observer = stage.once_ready(i);
        if (!observer) return fail(observer.error());
        stage.observers_.push_back(std::move(*observer));
    }
    return stage;
}

// Each knows one other: that is enough to meet all.
Result<void> HostsStage::start_engine(std::size_t i, const std::vector<std::string>& addresses) {
    ::mkdir(memory(i).c_str(), 0755);
    std::vector<std::string> args{"run",   "--dir",      memory(i), "--host", host(i),  "--node", "engine-" + std::to_string(i + 1), "--capacity",
                                  "64",    "--ring",     "1024",    "--udp",  addresses[i], "--seed", addresses[i == 0 ? addresses.size() - 1 : i - 1]};
    for (const SettingName& s : setting_names) args.insert(args.end(), {"--" + std::string(s.name), to_text(hosts_timing.*s.value)});
    auto engine = ChildProcess::start(args, "/dev/null", folder_.path() + "/" + host(i) + ".log", *signals_);
    if (!engine) return fail(engine.error());
    engines_.push_back(std::move(*engine));
    return {};
}

Result<Observer> HostsStage::look(std::size_t i) const {
    Observer::Options options;
    options.dir = memory(i);
    options.after = 0;
    return Observer::attach(options);
}

Result<Observer> HostsStage::once_ready(std::size_t i) const {
    const Instant end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        auto observer = look(i);
        if (observer && observer->info().running) return observer;
        if (engines_[i].has_ended()) return fail(ErrorKind::system, "the engine of " + host(i) + " did not start");
        if (signals_->wait(glance)) return fail(ErrorKind::timeout, "interrupted");
        if (std::chrono::steady_clock::now() >= end) return fail(ErrorKind::timeout, "the engine of " + host(i) + " was not ready in time");
    }
}

Result<void> HostsStage::start_workers() {
    for (std::size_t i = 0; i < count(); ++i)
        for (int w = 0; w < workers_a_host; ++w) {
            auto process = ChildProcess::start({"join", "--node", worker(i, w), "--dir", memory(i)}, "/dev/null", folder_.path() + "/" + worker(i, w) + ".log", *signals_);
            if (!process) return fail(process.error());
            workers_.emplace(worker(i, w), std::move(*process));
        }
    return {};
}

}  // namespace rollcall::cli::demo
