#include "tools/rollcall/demo/stage.hpp"

#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>
#include <utility>

#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli::demo {

namespace {

constexpr Duration patience = std::chrono::seconds(15);  // for processes to start and end on a machine that has other things to do
constexpr Duration glance = std::chrono::milliseconds(10);

std::string memory(const TemporaryFolder& folder) { return folder.path() + "/memory"; }
std::string log_file(const TemporaryFolder& folder, const std::string& name) { return folder.path() + "/" + name + ".log"; }
std::string watch_file(const TemporaryFolder& folder) { return folder.path() + "/watch.jsonl"; }

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line) && !file.eof();) lines.push_back(line);  // an unfinished last line does not count
    return lines;
}

std::string last_line(const std::string& path) {
    const std::vector<std::string> lines = lines_of(path);
    return lines.empty() ? "" : lines.back();
}

Result<ChildProcess> start(const TemporaryFolder& folder, const std::string& name, const std::vector<std::string>& args, const Signals& signals) {
    return ChildProcess::start(args, "/dev/null", log_file(folder, name), signals);
}

Result<ChildProcess> start_engine(const TemporaryFolder& folder, const Signals& signals) {
    std::vector<std::string> args{"run", "--dir", memory(folder), "--node", "engine", "--capacity", "64", "--ring", "1024"};
    for (const SettingName& s : setting_names) args.insert(args.end(), {"--" + std::string(s.name), to_text(timing.*s.value)});
    return start(folder, "engine", args, signals);
}

Result<ChildProcess> start_watch(const TemporaryFolder& folder, const Signals& signals) {
    return ChildProcess::start({"watch", "--json", "--from", "0", "--dir", memory(folder)}, watch_file(folder), log_file(folder, "watch"), signals);
}

Result<Observer> attach(const TemporaryFolder& folder) {
    Observer::Options options;
    options.dir = memory(folder);
    options.after = 0;
    return Observer::attach(options);
}

// An observer of a running engine, as soon as there is one.
Result<Observer> attach_once_ready(const TemporaryFolder& folder, const ChildProcess& engine, const Signals& signals) {
    const Instant end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        Result<Observer> observer = attach(folder);
        if (observer && observer->info().running) return observer;
        if (engine.has_ended()) return fail(ErrorKind::system, "the engine did not start: " + last_line(log_file(folder, "engine")));
        if (signals.wait(glance)) return fail(ErrorKind::timeout, "interrupted");
        if (std::chrono::steady_clock::now() >= end) return fail(ErrorKind::timeout, "the engine was not ready in time: " + last_line(log_file(folder, "engine")));
    }
}

}  // namespace

Stage::Stage(TemporaryFolder folder, ChildProcess engine, ChildProcess watch, Observer events, Observer roster, const Signals& signals)
    : folder_(std::move(folder)), engine_(std::move(engine)), watch_(std::move(watch)), events_(std::move(events)), roster_(std::move(roster)), signals_(&signals) {}

Result<Stage> Stage::set_up(const std::string& parent, const Signals& signals) {
    Result<TemporaryFolder> folder = TemporaryFolder::make(parent);
    if (!folder) return fail(folder.error());
    mkdir(memory(*folder).c_str(), 0755);  // what stands in the way of it, the engine names
    Result<ChildProcess> engine = start_engine(*folder, signals);
    if (!engine) return fail(engine.error());
    Result<Observer> events = attach_once_ready(*folder, *engine, signals);
    if (!events) return fail(events.error());
    Result<Observer> roster = attach(*folder);
    if (!roster) return fail(roster.error());
    Result<ChildProcess> watch = start_watch(*folder, signals);
    if (!watch) return fail(watch.error());
    return Stage(std::move(*folder), std::move(*engine), std::move(*watch), std::move(*events), std::move(*roster), signals);
}

Result<void> Stage::start_worker(const std::string& node) {
    Result<ChildProcess> worker = start(folder_, node, {"join", "--node", node, "--dir", memory(folder_)}, *signals_);
    if (!worker) return fail(worker.error());
    workers_.emplace(node, std::move(*worker));
    return {};
}

Result<std::vector<std::string>> Stage::end_watch(std::size_t count) {
    const Instant end = std::chrono::steady_clock::now() + patience;
    while (lines_of(watch_file(folder_)).size() < count && !watch_.has_ended() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(glance);
    watch_.signal(SIGINT);
    const std::optional<int> code = watch_.wait(patience);
    if (!code) return fail(ErrorKind::timeout, "the second observer did not end on SIGINT");
    if (*code != 0) return fail(ErrorKind::system, "the second observer ended with " + std::to_string(*code) + ": " + last_line(log_file(folder_, "watch")));
    return lines_of(watch_file(folder_));
}

std::vector<std::string> Stage::last_words() const {
    std::vector<std::string> names{"engine", "watch"};
    for (const auto& [node, process] : workers_) names.push_back(node);
    std::vector<std::string> words;
    for (const std::string& name : names)
        if (const std::string line = last_line(log_file(folder_, name)); !line.empty()) words.push_back(name + " said: " + line);
    return words;
}

}  // namespace rollcall::cli::demo
