// Really different users, and a /dev/shm that nobody else sees: what a test needs that asks who may do what. Only root can become others.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/support/process.hpp"

namespace rollcall::test {

struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups{};
    std::vector<std::string> through{};  // what starts this user's commands: "unshare", "--time", ...
};
inline const User root{}, ann{60001, 60001, {}}, bob{60002, 60002, {}}, mia{60003, 60003, {65534}};  // mia is in group nogroup, which every host has

// False, and one line that says so, where this test can have no effect.
bool is_root_or_says_so();

// A tmpfs over /dev/shm, of this size, in a mount namespace of this process and of those that it starts. Throws without the right to.
class PrivateMemory {
public:
    explicit PrivateMemory(const std::string& size = "64m");
    ~PrivateMemory();
    static void resize(const std::string& size);
    PrivateMemory(const PrivateMemory&) = delete;
    PrivateMemory& operator=(const PrivateMemory&) = delete;
};

// Runs `what` in a child that is this user, and returns what it said. What it throws is said as well.
std::string as_user(const User& user, const std::function<std::string()>& what);

// Open in the child of this process: of what `unshare` has started.
int count_pidfds_of_child(const Process& unshare);

struct Said {
    int code = -1;
    std::string out, err;
};

// The command, typed by any user.
class Commands {
public:
    Commands();
    ~Commands();
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;

    // `rollcall WORDS...` until it ends. No folder is named: neither $ROLLCALL_DIR nor $XDG_RUNTIME_DIR is set, unless `environment` says so.
    Said run(const User& user, const std::vector<std::string>& words, const Environment& environment = {}) const;
    // While the test goes on, from when it has said this on stderr. Throws if it does not.
    Process& start(const User& user, const std::vector<std::string>& words, const std::string& until_it_says);
    Process& start_engine(const User& user, std::vector<std::string> flags = {});
    Process& start_member(const User& user, const std::string& node, std::vector<std::string> flags = {});
    std::string said_by(const Process& process) const;
    void end_all() { running_.clear(); }

private:
    Process::Start start_of(const User& user, const std::vector<std::string>& words, const Environment& environment) const;

    std::string folder_;  // where everybody may read and execute
    mutable int started_ = 0;
    std::list<std::pair<Process, std::string>> running_;  // each with the file of its stderr
};

}  // namespace rollcall::test
