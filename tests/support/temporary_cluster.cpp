#include "tests/support/temporary_cluster.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace rollcall::test {

namespace {

std::string content_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TemporaryCluster::TemporaryCluster() : dir_("/dev/shm/rollcall-test.XXXXXX") {
    if (::mkdtemp(dir_.data()) == nullptr) throw std::runtime_error("no folder in /dev/shm");
    std::filesystem::create_directory(dir_ + "/log");
}

TemporaryCluster::~TemporaryCluster() {
    engine_.clear();
    std::error_code ignored;
    if (::testing::Test::HasFailure())
        for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/log", ignored))
            if (const std::string text = content_of(entry.path()); !text.empty()) std::cerr << entry.path().filename().string() + ":\n" + text;
    std::filesystem::remove_all(dir_, ignored);
}

std::string TemporaryCluster::error_file(const std::string& name) const { return dir_ + "/log/" + std::to_string(++started_) + "." + name; }

Process TemporaryCluster::launch(std::vector<std::string> argv, const Environment& environment, const std::string& err) const {
    const std::string name = std::filesystem::path(argv.front()).filename().string() + (argv[1].starts_with('/') ? "" : "." + argv[1]);
    return Process({.argv = std::move(argv), .out = {}, .err = err.empty() ? error_file(name) : err, .environment = environment});
}

ObserverOptions TemporaryCluster::where(std::optional<std::uint64_t> after) const {
    ObserverOptions options;
    options.dir = dir_;
    options.after = after;
    return options;
}

Process& TemporaryCluster::start_engine(const std::vector<std::string>& flags, const Environment& environment) {
    std::vector<std::string> words{"run"};
    if (std::find(flags.begin(), flags.end(), "--node") == flags.end()) words.insert(words.end(), {"--node", "engine"});
    words.insert(words.end(), flags.begin(), flags.end());
    engine_.clear();
    engine_.push_back(start(std::move(words), environment));
    const bool ready = eventually([this] {
        if (engine().has_ended()) return true;
        const auto now = info();
        return now && now->running && now->engine_pid == static_cast<std::uint32_t>(engine().pid());
    });
    if (!ready || engine().has_ended()) throw std::runtime_error("the engine does not start");
    return engine();
}

void TemporaryCluster::kill_engine() {
    engine().signal(SIGKILL);
    engine().wait();
}

std::string TemporaryCluster::said_by_engine() const {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/log"))
        if (entry.path().extension() == ".run") all += content_of(entry.path());
    return all;
}

std::string TemporaryCluster::command() { return ROLLCALL_COMMAND; }
std::string TemporaryCluster::puppet_path() { return ROLLCALL_PUPPET; }

Process TemporaryCluster::start(std::vector<std::string> words, const Environment& environment) const {
    words.insert(words.begin() + 1, {"--dir", dir_});
    words.insert(words.begin(), command());
    return launch(std::move(words), environment);
}

TemporaryCluster::Output TemporaryCluster::run(const std::vector<std::string>& words) const {
    std::vector<std::string> argv{command(), words.front(), "--dir", dir_};
    argv.insert(argv.end(), words.begin() + 1, words.end());
    const std::string err = error_file(words.front() + ".at_once");
    Process process = launch(std::move(argv), {}, err);
    Output output{};
    while (const auto line = process.read_line()) output.out += *line + "\n";
    output.code = process.wait();
    output.err = content_of(err);
    return output;
}

Process TemporaryCluster::puppet() const { return launch({puppet_path(), dir_}); }

Process TemporaryCluster::wrapped_puppet(const std::vector<std::string>& join_flags, const Environment& environment) const {
    std::vector<std::string> words{"join"};
    words.insert(words.end(), join_flags.begin(), join_flags.end());
    words.insert(words.end(), {"--", puppet_path(), dir_});
    return start(std::move(words), environment);
}

Process TemporaryCluster::crowd(const std::string& prefix, int members, unsigned seed) const {
    return launch({ROLLCALL_CROWD, dir_, prefix, std::to_string(members), std::to_string(seed)});
}

Process TemporaryCluster::flipper(int flips, Duration during, unsigned seed, const std::string& spared_prefix) const {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(during).count();
    return launch({ROLLCALL_FLIPPER, dir_, std::to_string(flips), std::to_string(ms), std::to_string(seed), spared_prefix});
}

Process TemporaryCluster::fold(const std::string& file) const {
    std::vector<std::string> argv{ROLLCALL_FOLD, dir_};
    if (!file.empty()) argv.push_back(file);
    return launch(std::move(argv));
}

Observer TemporaryCluster::observe(std::optional<std::uint64_t> after) const {
    auto observer = Observer::attach(where(after));
    if (!observer) throw std::runtime_error(observer.error().message);
    return std::move(*observer);
}

std::string TemporaryCluster::stream() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(observe().info().stream));
    return text;
}

std::optional<ClusterInfo> TemporaryCluster::info() const {
    const auto observer = Observer::attach(where({}));
    return observer ? std::optional<ClusterInfo>(observer->info()) : std::nullopt;
}

Peer TemporaryCluster::find(const std::string& node) const {
    auto peer = observe().find(node);
    if (!peer) throw std::runtime_error(peer.error().message);
    return *peer;
}

Instant TemporaryCluster::last_beat(const std::string& node) const {
    const Peer peer = find(node);
    if (!peer.last_heartbeat) throw std::runtime_error(node + " has no heartbeat word");
    return *peer.last_heartbeat;
}

}  // namespace rollcall::test
