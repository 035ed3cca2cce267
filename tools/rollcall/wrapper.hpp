// Makes any program a member: beats for it as long as it can show a sign of life, passes on what it is asked and what it says, and tells
// the cluster how it ended. One thread, one loop.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/client/member.hpp"
#include "tools/rollcall/ending.hpp"
#include "tools/rollcall/notify_outer.hpp"
#include "tools/rollcall/notify_socket.hpp"
#include "tools/rollcall/program.hpp"
#include "tools/rollcall/signal_feed.hpp"
#include "tools/rollcall/stillness.hpp"

namespace rollcall::cli {

// Takes the id, runs the command, and returns the exit code: the command's, or why it did not run.
int wrap(Member::Options options, Duration patience, const std::vector<std::string>& command);

class Wrapper {
public:
    struct Parts {
        std::string command;  // for messages
        Program program;      // waits at its gate
        Member member;        // speaks for it
        SignalFeed signals;
        std::optional<NotifySocket> notify;
        NotifyOuter outer;
    };
    explicit Wrapper(Parts parts);

    // Opens the gate; returns the exit code once the program has ended.
    int run();

private:
    void sleep() const;
    void take_signals();
    void forward(const Signal& signal);
    bool terminal_told_both(const Signal& signal) const;
    void take_notifications(int most);
    void take(const Notification& notification, Instant now);
    void tick();
    bool can_show_life();
    void beat(Instant now);
    void say_goodbye();
    int not_running(int error);
    int ended(ExitStatus status);

    Parts parts_;
    Stillness stillness_;
    Requests requests_;
    Instant next_tick_{};
    bool speaks_ = true;           // for the program; no longer once it said goodbye or its id is another's
    bool reports_itself_ = false;  // it has sent WATCHDOG=1: only that beats from now on
    bool engine_knows_it_ = false;
};

}  // namespace rollcall::cli
