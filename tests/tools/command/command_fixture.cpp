#include "tests/tools/command/command_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include <csignal>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/settings.hpp"

namespace rollcall::test {

namespace fs = std::filesystem;

namespace {

std::string content_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::string make_folder(std::string name) {
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    fs::permissions(name, fs::perms(0755));
    return name;
}

}  // namespace

std::string printed(const Words& words) {
    std::string text = "rollcall";
    for (const std::string& word : words) text += word.size() < 80 ? " '" + word + "'" : " '" + word.substr(0, 80) + "...'";
    return text;
}

bool is_one_line(const std::string& err) {
    return err.starts_with("rollcall: ") && err.ends_with('\n') && std::count(err.begin(), err.end(), '\n') == 1;
}

void expect_refused(const Outcome& outcome, int code, const Words& says) {
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(is_one_line(outcome.err)) << outcome.err;
    for (const std::string& words : says) EXPECT_THAT(outcome.err, ::testing::HasSubstr(words));
}

CommandTest::CommandTest() : folder_(make_folder("/dev/shm/rollcall-test-XXXXXX")) { fs::create_directory(folder_ + "/log"); }

CommandTest::~CommandTest() {
    std::error_code ignored;
    if (HasFailure())
        for (const auto& [process, log] : running_) std::cerr << log << ":\n" << content_of(log);
    running_.clear();
    fs::remove_all(folder_, ignored);
    if (!public_folder_.empty()) fs::remove_all(public_folder_, ignored);
}

std::string CommandTest::write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary | std::ios::trunc) << content;
    return folder_ + "/" + name;
}

// Another user may not be allowed to look into the folder that this was built in.
std::string CommandTest::command_for(const How& how) const {
    if (!how.as_another_user) return ROLLCALL_COMMAND;
    if (public_folder_.empty()) {
        public_folder_ = make_folder((fs::temp_directory_path() / "rollcall-test-XXXXXX").string());
        fs::copy_file(ROLLCALL_COMMAND, public_folder_ + "/rollcall");
    }
    return public_folder_ + "/rollcall";
}

Process::Start CommandTest::start_of(const Words& words, const How& how) const {
    Process::Start start;
    if (how.as_another_user) {
        if (::geteuid() != 0) throw std::runtime_error("only root can start a command as another user");
        start.argv = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--pdeathsig", "KILL", "--"};
    }
    if (!how.shell.empty()) start.argv.insert(start.argv.end(), {"/bin/sh", "-c", how.shell, "sh"});
    start.argv.push_back(command_for(how));
    start.argv.insert(start.argv.end(), words.begin(), words.end());
    start.err = folder_ + "/log/" + std::to_string(++started_);
    start.environment = how.environment;
    const auto is_dir = [](const auto& variable) { return variable.first == "ROLLCALL_DIR"; };
    if (std::none_of(how.environment.begin(), how.environment.end(), is_dir)) start.environment.emplace_back("ROLLCALL_DIR", dir());
    return start;
}

Outcome CommandTest::run(const Words& words, const How& how) const {
    Process::Start start = start_of(words, how);
    start.out = start.err + ".out";
    Process process(start);
    Outcome outcome;
    outcome.code = process.wait();
    outcome.out = content_of(start.out);
    outcome.err = content_of(start.err);
    return outcome;
}

Process& CommandTest::start(const Words& words, const How& how) {
    const Process::Start start = start_of(words, how);
    running_.emplace_back(Process(start), start.err);
    return running_.back().first;
}

std::string CommandTest::said_by(const Process& process) const {
    const auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& one) { return &one.first == &process; });
    return found == running_.end() ? "" : content_of(found->second);
}

nlohmann::json CommandTest::read(const Words& words) const {
    const Outcome outcome = run(words);
    if (outcome.code != 0) throw std::runtime_error(printed(words) + " failed: " + outcome.err);
    return nlohmann::json::parse(outcome.out);
}

Process& CommandTest::start_engine(const Words& flags, const How& how) {
    Words words{"run", "--node", "engine"};
    words.insert(words.end(), flags.begin(), flags.end());
    const auto named = std::find(flags.begin(), flags.end(), "--cluster");
    ObserverOptions where;
    where.dir = dir();
    where.cluster = named == flags.end() ? "default" : named[1];
    Process& engine = start(words, how);
    const bool ready = eventually([&] {
        const auto observer = Observer::attach(where);
        return engine.has_ended() || (observer && observer->info().running && said_by(engine).find("is ready in") != std::string::npos);
    });
    if (!ready || engine.has_ended()) throw std::runtime_error("the engine does not start: " + said_by(engine));
    return engine;
}

Process& CommandTest::start_member(const std::string& node, const Words& flags, const How& how) {
    Words words{"join", "--node", node};
    words.insert(words.end(), flags.begin(), flags.end());
    Process& member = start(words, how);
    const bool joined = eventually([&] { return member.has_ended() || said_by(member).find("joined cluster") != std::string::npos; });
    if (!joined || member.has_ended()) throw std::runtime_error(node + " does not join: " + said_by(member));
    return member;
}

void CommandTest::kill(Process& process) {
    process.signal(SIGKILL);
    process.wait();
}

Observer CommandTest::observe(const std::string& cluster) const {
    ObserverOptions where;
    where.dir = dir();
    where.cluster = cluster;
    auto observer = Observer::attach(where);
    if (!observer) throw std::runtime_error(observer.error().message);
    return std::move(*observer);
}

bool CommandTest::has_member(const std::string& node) const { return observe().find(node).has_value(); }

std::string CommandTest::state() const {
    std::ostringstream text;
    std::vector<std::string> files;
    std::error_code absent;
    for (const auto& entry : fs::recursive_directory_iterator(dir(), absent)) {
        struct stat s{};
        if (::lstat(entry.path().c_str(), &s) == 0) files.push_back(entry.path().string() + " inode " + std::to_string(s.st_ino));
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) text << file << '\n';
    ObserverOptions where;
    where.dir = dir();
    auto observer = Observer::attach(where);
    if (!observer) return text.str();
    const ClusterInfo info = observer->info();
    text << "running " << info.running << " pid " << info.engine_pid << " epoch " << info.epoch << " stream " << info.stream << " event " << info.head.value << " view "
         << info.view << " capacity " << info.capacity << " ring " << info.ring << '\n';
    for (const Duration d : {info.settings.heartbeat, info.settings.suspect, info.settings.dead, info.settings.evict, info.settings.scan}) text << to_text(d) << ' ';
    text << '\n';
    auto peers = observer->snapshot();
    if (!peers) return text.str() + peers.error().message;
    for (const Peer& p : *peers) text << p.node << ' ' << to_string(p.state) << ' ' << p.incarnation.value << ' ' << p.endpoint << '\n';
    return text.str();
}

void CommandTest::refuse(const std::vector<Refused>& rows, const How& how) const {
    for (const Refused& row : rows) {
        SCOPED_TRACE(printed(row.words));
        const std::string before = state();
        expect_refused(run(row.words, how), row.code, row.says);
        EXPECT_EQ(state(), before);
    }
}

}  // namespace rollcall::test
