#include "tools/rollcall/event_command.hpp"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/descriptor.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/json.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

// "ROLLCALL_EVENT_LAST_BEAT=…"; what is not known is not there, also if whoever started us has it.
std::vector<std::string> environment_of(const Event& event, std::string_view cluster) {
    std::vector<std::string> all;
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (std::strncmp(*variable, "ROLLCALL_EVENT", 14) != 0) all.emplace_back(*variable);
    all.push_back("ROLLCALL_EVENT=" + std::string(to_string(event.kind)));
    for (const auto& [name, value] : json::event_fields(event, cluster)) {
        std::string variable = "ROLLCALL_EVENT_";
        for (const char c : name) variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (value.find('\0') == std::string::npos) all.push_back(variable + "=" + value);
    }
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

// Of what is ours it inherits stdin, stdout, stderr and nothing that was done to signals.
struct Attributes {
    posix_spawnattr_t value;
    Attributes() {
        posix_spawnattr_init(&value);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&value, &none);
        posix_spawnattr_setsigdefault(&value, &all);
        posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~Attributes() { posix_spawnattr_destroy(&value); }
};

Result<pid_t> spawn(const std::string& command, std::vector<std::string> environment, int input) {
    std::vector<std::string> words{"sh", "-c", command};
    const Attributes attributes;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    pid_t pid = 0;
    const int error = posix_spawn(&pid, "/bin/sh", &actions, &attributes.value, pointers_to(words).data(), pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return fail(ErrorKind::system, "cannot run '" + command + "': " + std::strerror(error));
    return pid;
}

}  // namespace

bool EventCommand::run(const Event& event, std::string_view cluster) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return log(LogLevel::error, std::string("cannot run the command: ") + std::strerror(errno)), true;
    shm::Descriptor reading(ends[0]), writing(ends[1]);
    const std::string line = json::event_line(event, cluster) + "\n";
    (void)!::write(writing.get(), line.data(), line.size());  // fits a pipe's buffer: waits for nobody
    writing.reset();
    const auto pid = spawn(command_, environment_of(event, cluster), reading.get());
    if (!pid) return log(LogLevel::error, pid.error().message), true;
    return wait_for(*pid);
}

// Told to end, we tell the command, once; told again, it is killed.
bool EventCommand::wait_for(pid_t pid) const {
    bool goes_on = true;
    for (int status = 0;;) {
        const pid_t ended = ::waitpid(pid, &status, WNOHANG);
        if (ended == pid || (ended < 0 && errno != EINTR)) {
            const bool is_well = ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
            Evidence how;
            if (ended == pid) how.status = WIFSIGNALED(status) ? ExitStatus{true, WTERMSIG(status)} : ExitStatus{false, WEXITSTATUS(status)};
            if (!is_well && goes_on) log(LogLevel::warning, "the command '" + command_ + "' " + ending(how));
            return goes_on;
        }
        const auto signal = signals_.wait(std::chrono::seconds(1));
        if (!signal || *signal == SIGCHLD) continue;
        ::kill(pid, goes_on ? *signal : SIGKILL);
        goes_on = false;
    }
}

}  // namespace rollcall::cli
