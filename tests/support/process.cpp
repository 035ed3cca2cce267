#include "tests/support/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rollcall::test {

namespace {

struct Pipe {
    shm::Descriptor reader, writer;
};

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("no pipe: ") + std::strerror(errno));
    return {shm::Descriptor(ends[0]), shm::Descriptor(ends[1])};
}

shm::Descriptor open_file(const std::string& path, int flags) {
    shm::Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    if (!file) throw std::runtime_error("cannot open " + path + ": " + std::strerror(errno));
    return file;
}

// Between fork and exec: system calls only.
[[noreturn]] void become(char* const* argv, char* const* environment, int in, int out, int err, bool in_terminal, pid_t parent) {
    in_terminal ? ::setsid() : ::setpgid(0, 0);
    if (in_terminal && ::ioctl(in, TIOCSCTTY, 0) != 0) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);  // the test died before we could be bound to it
    std::signal(SIGPIPE, SIG_DFL);
    if (::dup2(in, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(err, STDERR_FILENO) < 0) ::_exit(126);
    ::execvpe(argv[0], argv, environment);
    ::_exit(127);
}

std::vector<std::string> environment_with(const Environment& more) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto is_replaced = [&](const auto& pair) { return text.starts_with(pair.first + "="); };
        if (std::find_if(more.begin(), more.end(), is_replaced) == more.end()) all.emplace_back(text);
    }
    for (const auto& [name, value] : more) all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (std::string& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

bool await_state(pid_t pid, bool stopped) {
    return eventually([=] {
        const auto state = state_of_process(pid);
        return !state || (*state == 'T') == stopped;
    });
}

}  // namespace

Instant clock_now() { return std::chrono::steady_clock::now(); }

bool eventually(const std::function<bool()>& is_so, Duration within) {
    const Instant deadline = clock_now() + within;
    while (!is_so()) {
        if (clock_now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

std::optional<char> state_of_process(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= line.size()) return std::nullopt;
    return line[name_end + 2];
}

Process::Process(const Start& start) : name_(start.argv.front()) {
    Pipe in = start.terminal.empty() ? make_pipe() : Pipe{open_file(start.terminal, O_RDWR | O_NOCTTY), {}};
    Pipe out = start.out.empty() ? make_pipe() : Pipe{{}, open_file(start.out, O_WRONLY | O_CREAT | O_APPEND)};
    const shm::Descriptor err = open_file(start.err.empty() ? "/dev/null" : start.err, O_WRONLY | O_CREAT | O_APPEND);
    std::vector<std::string> words = start.argv, variables = environment_with(start.environment);
    const std::vector<char*> argv = pointers(words), environment = pointers(variables);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error(std::string("no process: ") + std::strerror(errno));
    if (pid_ == 0) become(argv.data(), environment.data(), in.reader.get(), out.writer.get(), err.get(), !start.terminal.empty(), parent);
    in_ = std::move(in.writer);
    out_ = std::move(out.reader);
}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, 0)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      read_(std::move(other.read_)) {}

Process& Process::operator=(Process&& other) noexcept {
    if (this == &other) return *this;
    end();
    name_ = std::move(other.name_);
    pid_ = std::exchange(other.pid_, 0);
    in_ = std::move(other.in_);
    out_ = std::move(other.out_);
    read_ = std::move(other.read_);
    return *this;
}

Process::~Process() { end(); }

void Process::end() noexcept {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
    pid_ = 0;
}

void Process::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);  // not reaped, so the pid is still its own
}

void Process::stop() const {
    signal(SIGSTOP);
    if (!await_state(pid_, true)) throw std::runtime_error(name_ + " does not stop");
}

void Process::go_on() const {
    signal(SIGCONT);
    if (!await_state(pid_, false)) throw std::runtime_error(name_ + " does not go on");
}

bool Process::has_ended() const {
    siginfo_t info{};
    return pid_ <= 0 || (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_);
}

int Process::wait(Duration within) {
    if (!eventually([this] { return has_ended(); }, within)) throw std::runtime_error(name_ + " does not end");
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) throw std::runtime_error(name_ + " was waited for twice");
    pid_ = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void Process::write_line(std::string_view line) {
    const std::string text = std::string(line) + "\n";
    std::signal(SIGPIPE, SIG_IGN);
    const ssize_t taken = ::write(in_.get(), text.data(), text.size());
    if (taken != static_cast<ssize_t>(text.size())) throw std::runtime_error(name_ + " does not listen to '" + std::string(line) + "'");
}

std::optional<std::string> Process::read_line(Duration within) {
    const Instant deadline = clock_now() + within;
    for (;;) {
        if (const std::size_t end = read_.find('\n'); end != std::string::npos) {
            std::string line = read_.substr(0, end);
            read_.erase(0, end + 1);
            return line;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_now());
        pollfd p{out_.get(), POLLIN, 0};
        if (left.count() < 0 || ::poll(&p, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
        char buffer[4096];
        const ssize_t size = ::read(out_.get(), buffer, sizeof buffer);
        if (size <= 0) return std::nullopt;
        read_.append(buffer, static_cast<std::size_t>(size));
    }
}

std::string Process::ask(std::string_view line) {
    write_line(line);
    if (auto answer = read_line()) return *answer;
    throw std::runtime_error(name_ + " does not answer '" + std::string(line) + "'");
}

Stranger::Stranger(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
    if (!pidfd_) throw std::runtime_error("no process " + std::to_string(pid));
}

Stranger::~Stranger() {
    if (pidfd_) signal(SIGKILL);
}

void Stranger::signal(int number) const { (void)::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0); }

void Stranger::stop() const {
    signal(SIGSTOP);
    if (!await_state(pid_, true)) throw std::runtime_error("a program does not stop");
}

void Stranger::go_on() const {
    signal(SIGCONT);
    if (!await_state(pid_, false)) throw std::runtime_error("a program does not go on");
}

bool Stranger::has_ended() const {
    pollfd p{pidfd_.get(), POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
}

}  // namespace rollcall::test
