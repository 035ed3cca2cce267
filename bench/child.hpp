// A process that dies with the one that measures.
#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rollcall::bench {

[[noreturn]] inline void give_up(const std::string& why) {
    std::fprintf(stderr, "bench: %s\n", why.c_str());
    std::exit(1);
}

// This process, and the children it makes from now on, run on that core.
inline void stay_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

class Child {
public:
    template <class Body>
    explicit Child(Body body) : pid_(::fork()) {
        if (pid_ < 0) give_up("cannot fork");
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        ::_exit(0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    void signal(int number) const { ::kill(pid_, number); }
    pid_t pid() const noexcept { return pid_; }

private:
    pid_t pid_;
};

// A folder on tmpfs that ends with its owner.
class Folder {
public:
    Folder() {
        if (::mkdtemp(path_.data()) == nullptr) give_up("cannot make a folder in /dev/shm");
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_ = "/dev/shm/rollcall-bench.XXXXXX";
};

}  // namespace rollcall::bench
