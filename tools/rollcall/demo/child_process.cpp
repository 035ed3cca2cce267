#include "tools/rollcall/demo/child_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace rollcall::cli::demo {

namespace {

void redirect(int descriptor, const char* path, int flags) {
    const int file = open(path, flags | O_CLOEXEC, 0600);
    if (file < 0 || dup2(file, descriptor) < 0) _exit(126);
}

// Between fork and exec: system calls only.
[[noreturn]] void become(char* const* argv, const char* out, const char* err, pid_t parent, const Signals& blocked) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);  // it died before it could be bound to us
    std::signal(SIGPIPE, SIG_DFL);
    restore_the_limit_of_file_sizes();
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_APPEND);
    redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_APPEND);
    blocked.restore();
    execv("/proc/self/exe", argv);
    _exit(127);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& args, const std::string& out, const std::string& err, const Signals& blocked) {
    std::vector<std::string> words{"rollcall"};
    words.insert(words.end(), args.begin(), args.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return fail(ErrorKind::system, std::string("cannot start a process: ") + std::strerror(errno));
    if (pid == 0) become(argv.data(), out.c_str(), err.c_str(), parent, blocked);
    return ChildProcess(pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

ChildProcess::~ChildProcess() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

void ChildProcess::signal(int number) const {
    if (pid_ > 0) kill(pid_, number);  // not reaped, so the pid is still its own
}

bool ChildProcess::has_ended() const {
    siginfo_t info{};
    return pid_ <= 0 || (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_);
}

std::optional<int> ChildProcess::wait(Duration timeout) {
    const Instant end = std::chrono::steady_clock::now() + timeout;
    while (!has_ended()) {
        if (std::chrono::steady_clock::now() >= end) return std::nullopt;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    int status = 0;
    if (pid_ <= 0 || waitpid(pid_, &status, 0) != pid_) return std::nullopt;
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace rollcall::cli::demo
