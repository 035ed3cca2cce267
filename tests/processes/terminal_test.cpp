// A wrapped program at a terminal: keys reach the whole foreground group, wrapper and program, and must count once.
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

// A pseudo-terminal: what is written here, its processes read; ^C is an interrupt to them.
class Terminal {
public:
    Terminal() : keys_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        if (!keys_ || ::grantpt(keys_.get()) != 0 || ::unlockpt(keys_.get()) != 0) throw std::runtime_error("no terminal");
    }
    std::string path() const {
        char name[128];
        if (::ptsname_r(keys_.get(), name, sizeof name) != 0) throw std::runtime_error("no terminal");
        return name;
    }
    void type(std::string_view text) const {
        const ssize_t taken = ::write(keys_.get(), text.data(), text.size());
        if (taken != static_cast<ssize_t>(text.size())) throw std::runtime_error("the terminal takes nothing");
    }

private:
    shm::Descriptor keys_;
};

class AtATerminal : public ::testing::Test {
protected:
    AtATerminal() {
        cluster.start_engine(calm);
        Process::Start start;
        start.argv = {TemporaryCluster::command(), "join", "--dir", cluster.dir(), "--node", "x", "--"};
        start.argv.insert(start.argv.end(), {TemporaryCluster::puppet_path(), cluster.dir()});
        start.terminal = terminal.path();
        wrapper.emplace(start);
    }

    std::string ask(const std::string& line) {
        terminal.type(line + "\n");
        return wrapper->read_line().value_or("(nothing)");
    }

    TemporaryCluster cluster;
    Terminal terminal;
    std::optional<Process> wrapper;
};

// The program catches the interrupt and goes on. It came once; a second one would be said before the next answer.
TEST_F(AtATerminal, AnInterruptReachesTheProgramOnce) {
    Watch watch(cluster);
    EXPECT_EQ(ask("catch 2"), "ok");
    terminal.type("\x03");
    EXPECT_EQ(wrapper->read_line(), "caught 02");
    std::this_thread::sleep_for(300ms);
    const std::string pid = std::to_string(cluster.find("x").pid);
    EXPECT_EQ(ask("pid"), pid);
    // The wrapper has seen it too: it was a request to end, and what follows is a leave.
    terminal.type("exit 3\n");
    EXPECT_EQ(wrapper->wait(), 3);
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), "joined:join left:goodbye");
}

TEST_F(AtATerminal, AnInterruptThatEndsTheProgramIsALeave) {
    Watch watch(cluster);
    ask("pid");
    terminal.type("\x03");
    EXPECT_EQ(wrapper->wait(), 130);
    watch.catch_up();
    EXPECT_EQ(watch.story("x"), "joined:join left:goodbye");
}

}  // namespace
}  // namespace rollcall::test
