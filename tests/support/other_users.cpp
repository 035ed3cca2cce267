#include "tests/support/other_users.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temporary_cluster.hpp"

namespace rollcall::test {

namespace fs = std::filesystem;

namespace {

std::string content_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

void become(const User& user) {
    if (::setgroups(user.groups.size(), user.groups.data()) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)
        throw std::runtime_error("cannot become uid " + std::to_string(user.uid));
}

std::string joined(const std::vector<gid_t>& groups) {
    std::string text;
    for (const gid_t group : groups) text += (text.empty() ? "" : ",") + std::to_string(group);
    return text;
}

}  // namespace

namespace {

// What is mounted from here on is seen by this process and its children alone. In a chroot the root is no mount; then those two are enough.
bool enter_mount_namespace() {
    if (::unshare(CLONE_NEWNS) != 0) return false;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return true;
    return ::mount(nullptr, "/dev/shm", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 && ::mount(nullptr, "/proc", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool may_mount() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(enter_mount_namespace() && ::mount("none", "/dev/shm", "tmpfs", 0, "size=64k") == 0 ? 0 : 1);
    int status = 1;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

bool is_root_or_says_so() {
    if (::geteuid() == 0 && may_mount()) return true;
    std::cout << "not run as root, or without the right to mount: this test cannot become other users or mount, and checks nothing\n";
    return false;
}

PrivateMemory::PrivateMemory(const std::string& size) {
    const std::string options = "mode=1777,size=" + size;
    if (!enter_mount_namespace() || ::mount("none", "/dev/shm", "tmpfs", 0, options.c_str()) != 0) throw std::runtime_error("cannot mount a memory of its own");
}

void PrivateMemory::resize(const std::string& size) {
    if (::mount("none", "/dev/shm", "tmpfs", MS_REMOUNT, ("size=" + size).c_str()) != 0) throw std::runtime_error("cannot resize the memory");
}

PrivateMemory::~PrivateMemory() { ::umount2("/dev/shm", MNT_DETACH); }

std::string as_user(const User& user, const std::function<std::string()>& what) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        std::string said;
        try {
            become(user);
            said = what();
        } catch (const std::exception& e) {
            said = e.what();
        }
        ::_exit(::write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) said += " (died)";
    return said;
}

int count_pidfds_of_child(const Process& unshare) {
    const std::string own = "/proc/" + std::to_string(unshare.pid());
    std::string child;
    std::ifstream(own + "/task/" + std::to_string(unshare.pid()) + "/children") >> child;
    int count = 0;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + child + "/fd", gone))
        count += std::filesystem::read_symlink(entry.path(), gone).string().find("pidfd") != std::string::npos;
    return count;
}

Commands::Commands() : folder_((fs::temp_directory_path() / "rollcall-test-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("cannot make " + folder_);
    fs::permissions(folder_, fs::perms(0755));
    fs::copy_file(TemporaryCluster::command(), folder_ + "/rollcall");  // others may not look into the folder where it was built
}

Commands::~Commands() {
    running_.clear();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

Process::Start Commands::start_of(const User& user, const std::vector<std::string>& words, const Environment& environment) const {
    Process::Start start;
    const std::string uid = std::to_string(user.uid), gid = std::to_string(user.gid);
    start.argv = user.through;
    start.argv.insert(start.argv.end(),
                      {"setpriv", "--reuid", uid, "--regid", gid, user.groups.empty() ? "--clear-groups" : "--groups=" + joined(user.groups),
                       "--pdeathsig", "KILL", "--", folder_ + "/rollcall"});
    start.argv.insert(start.argv.end(), words.begin(), words.end());
    start.err = folder_ + "/" + std::to_string(++started_);
    start.environment = {{"ROLLCALL_DIR", ""}, {"XDG_RUNTIME_DIR", ""}};
    for (const auto& [name, value] : environment) {
        std::erase_if(start.environment, [&](const auto& variable) { return variable.first == name; });
        start.environment.emplace_back(name, value);
    }
    return start;
}

Said Commands::run(const User& user, const std::vector<std::string>& words, const Environment& environment) const {
    Process::Start start = start_of(user, words, environment);
    start.out = start.err + ".out";
    Process process(start);
    const int code = process.wait();
    return {code, content_of(start.out), content_of(start.err)};
}

Process& Commands::start(const User& user, const std::vector<std::string>& words, const std::string& until_it_says) {
    const Process::Start start = start_of(user, words, {});
    running_.emplace_back(Process(start), start.err);
    Process& process = running_.back().first;
    const auto has_said = [&] { return content_of(start.err).find(until_it_says) != std::string::npos; };
    eventually([&] { return process.has_ended() || has_said(); });
    if (!has_said()) throw std::runtime_error("'" + words.front() + "' did not say '" + until_it_says + "' but: " + content_of(start.err));
    return process;
}

Process& Commands::start_engine(const User& user, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"run", "--node", "engine", "--heartbeat", "10s", "--suspect", "30s", "--dead", "50s", "--evict", "100s"});
    return start(user, flags, "is ready in");
}

Process& Commands::start_member(const User& user, const std::string& node, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"join", "--node", node});
    return start(user, flags, "joined cluster");
}

std::string Commands::said_by(const Process& process) const {
    const auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& one) { return &one.first == &process; });
    return found == running_.end() ? "" : content_of(found->second);
}

}  // namespace rollcall::test
