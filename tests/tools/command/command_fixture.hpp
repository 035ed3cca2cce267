// A test of the command: types command lines in a folder of its own below /dev/shm, and knows whether a refused one has changed anything.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "engine/client/observer.hpp"
#include "tests/support/process.hpp"

namespace rollcall::test {

using Words = std::vector<std::string>;

// What a command line was answered.
struct Outcome {
    int code = -1;
    std::string out, err;
};

// How a command is started, where it is not simply started.
struct How {
    bool as_another_user = false;  // uid and gid 65534, no groups
    std::string shell;             // a script that has the command line in "$@", for example: exec "$@" >/dev/full
    std::vector<std::pair<std::string, std::string>> environment;
};

// For a script in a mount namespace of its own (unshare --propagation unchanged): what it mounts is nobody else's. In a chroot the root is no mount.
inline const std::string of_its_own = "{ mount --make-rprivate / || mount --make-rprivate /dev/shm; } 2>/dev/null && ";

// A command line that must be refused: with this exit code, an empty stdout, and one line on stderr in which all these words stand.
struct Refused {
    Words words;
    int code;
    Words says;
};

std::string printed(const Words& words);
// Exactly one line, as errors are: "rollcall: …".
bool is_one_line(const std::string& err);
void expect_refused(const Outcome& outcome, int code, const Words& says);

// Timeouts that nobody reaches while a test runs, ten times the defaults.
inline const Words calm{"--heartbeat", "10s", "--suspect", "30s", "--dead", "50s", "--evict", "100s"};

class CommandTest : public ::testing::Test {
protected:
    CommandTest();
    ~CommandTest() override;

    // Of this test, for its files. Anybody may look into it.
    const std::string& folder() const noexcept { return folder_; }
    // Of its clusters: $ROLLCALL_DIR of every command. Nobody has made it yet.
    std::string dir() const { return folder_ + "/clusters"; }
    std::string write(const std::string& name, const std::string& content) const;  // below folder(); returns the path

    // `rollcall WORDS...`, until it ends.
    Outcome run(const Words& words, const How& how = {}) const;
    // The same, while the test goes on. It ends with the test at the latest.
    Process& start(const Words& words, const How& how = {});
    // What a started one has said on stderr until now.
    std::string said_by(const Process& process) const;
    // stdout as a document; the command must succeed.
    nlohmann::json read(const Words& words) const;

    // `rollcall run`; returns when it is ready.
    Process& start_engine(const Words& flags = calm, const How& how = {});
    // `rollcall join` without a command; returns when it is a member.
    Process& start_member(const std::string& node, const Words& flags = {}, const How& how = {});
    static void kill(Process& process);  // SIGKILL, and reaped

    // Fails where there is no such cluster.
    Observer observe(const std::string& cluster = "default") const;
    bool has_member(const std::string& node) const;

    // What nobody may change by mistake: engine, settings, members, events, and the files of the folder.
    std::string state() const;
    // Types each and looks at the state before and after.
    void refuse(const std::vector<Refused>& rows, const How& how = {}) const;

private:
    Process::Start start_of(const Words& words, const How& how) const;
    std::string command_for(const How& how) const;

    std::string folder_;
    mutable std::string public_folder_;  // where the command lies for whoever may not look into the build's folder
    mutable int started_ = 0;
    std::deque<std::pair<Process, std::string>> running_;  // each with the file that its stderr goes to
};

}  // namespace rollcall::test
