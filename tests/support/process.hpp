// Processes of a test: started, spoken to line by line, signalled, and never left behind.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shm/descriptor.hpp"
#include "shm/units.hpp"

namespace rollcall::test {

// For whatever must happen: a test that waits this long has failed. No test asserts that something was faster.
inline constexpr Duration patience = std::chrono::seconds(30);

Instant clock_now();
constexpr double to_ms(Duration d) noexcept { return std::chrono::duration<double, std::milli>(d).count(); }
// Asks until it is so; false when time is over.
bool eventually(const std::function<bool()>& is_so, Duration within = patience);

// What a process looks like from outside: the letter of /proc/PID/stat, or nothing if there is no such process.
std::optional<char> state_of_process(pid_t pid);

using Environment = std::vector<std::pair<std::string, std::string>>;

// Our child. The destructor kills and reaps it; the kernel kills it if the test itself dies.
class Process {
public:
    struct Start {
        std::vector<std::string> argv;
        std::string out;  // file for its stdout; empty: a pipe, for read_line()
        std::string err;  // file for its stderr
        Environment environment;  // on top of ours
        std::string terminal = {};  // its stdin, in a session of its own; empty: a pipe, for write_line()
    };
    // Throws if there is no such program.
    explicit Process(const Start& start);
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    ~Process();

    pid_t pid() const noexcept { return pid_; }
    void signal(int number) const;
    // Sends SIGSTOP or SIGCONT and returns when it has taken effect.
    void stop() const;
    void go_on() const;
    // Does not reap it: until wait() a process that ended is a zombie.
    bool has_ended() const;
    // Reaps it and tells its exit code, 128 + n after signal n. Throws when time is over.
    int wait(Duration within = patience);

    void write_line(std::string_view line);
    // Nothing: end of file, or time over.
    std::optional<std::string> read_line(Duration within = patience);
    // Writes a line and returns the next one it says. Throws if there is none.
    std::string ask(std::string_view line);

private:
    void end() noexcept;

    std::string name_;
    pid_t pid_ = 0;
    shm::Descriptor in_, out_;
    std::string read_;
};

// A process that is not our child: a program whose wrapper was killed, for example. Held by a descriptor, so that never a stranger is hit.
class Stranger {
public:
    explicit Stranger(pid_t pid);
    Stranger(Stranger&&) noexcept = default;
    Stranger& operator=(Stranger&&) = delete;
    ~Stranger();  // kills it

    pid_t pid() const noexcept { return pid_; }
    void signal(int number) const;
    void stop() const;
    void go_on() const;
    bool has_ended() const;

private:
    pid_t pid_;
    shm::Descriptor pidfd_;
};

}  // namespace rollcall::test
