#include "tools/rollcall/wrapper.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include "tools/rollcall/joining.hpp"
#include "tools/rollcall/keep_alive.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/timespec.hpp"

namespace rollcall::cli {

namespace {

constexpr int notifications_a_turn = 64;      // so that a talkative program keeps neither signals nor beats waiting
constexpr int notifications_at_the_end = 4096;  // more than a socket holds
constexpr int looks_a_beat = 8;               // while it shows no life: a debugger stops it often and briefly, and who goes on wants to be seen

constexpr int exit_not_executable = 126, exit_not_found = 127;

Instant clock_now() { return std::chrono::steady_clock::now(); }

// A watchdog of ours and one of the supervisor's: the program reports to both, so the impatient one counts.
Duration watchdog_for_program(const Member& member) { return std::min(member.suspect_timeout(), outer_watchdog().value_or(Duration::max())); }

}  // namespace

int wrap(Member::Options options, Duration patience, const std::vector<std::string>& command) {
    // All by which people and supervisors ask something of a program. Not those of faults, timers and job control: a terminal stops and
    // continues both of us, and a wrapper that is stopped alone keeps silent.
    Result<SignalFeed> signals = SignalFeed::open({SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD});
    if (!signals) return report(signals.error());
    Result<NotifySocket> notify = NotifySocket::open();
    if (!notify) log(LogLevel::warning, notify.error().message + "; WATCHDOG=1 and STOPPING=1 will not be heard");
    Result<Program> program = Program::hold(command, notify ? notify->address() : "", *signals);
    if (!program) return report(program.error());
    std::signal(SIGPIPE, SIG_IGN);  // only now, for the program would inherit it; a log that nobody reads ends no wrapper

    options.process = program->pidfd();
    auto member = join_patiently(options, patience, *signals, [&] { return program->is_over(); });
    if (!member) return member.error();
    Wrapper wrapper({command.front(), std::move(*program), std::move(*member), std::move(*signals),
                     notify ? std::optional(std::move(*notify)) : std::nullopt, NotifyOuter::from_environment()});
    return wrapper.run();
}

Wrapper::Wrapper(Parts parts) : parts_(std::move(parts)), stillness_(parts_.program.pid()) {}

int Wrapper::run() {
    parts_.program.open_gate(watchdog_for_program(parts_.member));
    for (;;) {
        sleep();
        take_signals();
        take_notifications(notifications_a_turn);
        if (const auto error = parts_.program.why_not_running()) return not_running(*error);
        if (const auto status = parts_.program.ending()) return ended(*status);
        if (clock_now() >= next_tick_) tick();
    }
}

// Until something has come or the next tick is due. The end of the program comes as SIGCHLD, never as its pidfd alone: that is readable
// before the status can be had, as long as a debugger keeps it.
void Wrapper::sleep() const {
    std::array<pollfd, 3> sources{{{parts_.signals.fd(), POLLIN, 0}, {parts_.program.gate(), POLLIN, 0}, {parts_.notify ? parts_.notify->fd() : -1, POLLIN, 0}}};
    const timespec time = to_timespec(next_tick_ - clock_now());
    ::ppoll(sources.data(), sources.size(), &time, nullptr);
}

void Wrapper::take_signals() {
    while (const std::optional<Signal> signal = parts_.signals.next()) {
        if (signal->number != SIGCHLD) {
            forward(*signal);
            continue;
        }
        reap_others(parts_.program.pid());
        if (parts_.program.has_continued()) next_tick_ = {};
    }
}

void Wrapper::forward(const Signal& signal) {
    if (signal.number == SIGHUP) requests_.hung_up = true;
    if ((signal.number == SIGTERM || signal.number == SIGINT) && signal.asks_to_end()) requests_.to_end = true;
    if (!terminal_told_both(signal)) parts_.program.send(signal.number);
}

// Keys at a terminal reach its whole foreground group, which the program shares unless it has left. Of a lost line the kernel tells the
// leader of the session alone.
bool Wrapper::terminal_told_both(const Signal& signal) const {
    if (!signal.from_terminal || ::getpgid(parts_.program.pid()) != ::getpgrp()) return false;
    return signal.number != SIGHUP || ::getsid(0) != ::getpid();
}

void Wrapper::take_notifications(int most) {
    const Instant now = clock_now();  // before they are read: what comes later is taken later
    for (int i = 0; parts_.notify && i < most; ++i) {
        const std::optional<Notification> notification = parts_.notify->next();
        if (!notification) return;
        if (notification->is_whole && may_speak_for(parts_.program.pid(), *notification)) take(*notification, now);
    }
}

void Wrapper::take(const Notification& notification, Instant now) {
    parts_.outer.pass_on(notification);
    if (notification.says("WATCHDOG=1")) {
        reports_itself_ = true;
        beat(now);
        if (speaks_ && !engine_knows_it_) engine_knows_it_ = parts_.member.announce_watchdog().has_value();
    }
    if (notification.says("STOPPING=1")) say_goodbye();
}

void Wrapper::tick() {
    const Instant now = clock_now();  // before looking: a beat never claims to be later than the look that allows it
    Duration until_next = beat_interval(parts_.member);
    if (requests_.stopping) {
        say_goodbye();
    } else if (!reports_itself_) {
        if (can_show_life())
            beat(now);
        else
            until_next /= looks_a_beat;
    }
    next_tick_ = now + until_next;
}

bool Wrapper::can_show_life() {
    const Stillness::Look look = stillness_.look();
    const bool stopped = look == Stillness::Look::stopped || (look == Stillness::Look::unknown && parts_.program.was_stopped());
    return !stopped && !stillness_.is_frozen();
}

void Wrapper::beat(Instant now) {
    if (!speaks_ || parts_.program.is_over()) return;
    const Pulse pulse = keep_alive(parts_.member, now);
    if (!pulse.is_steady) engine_knows_it_ = false;  // a new life, or another engine
    // That the engine takes nobody who has just ended needs no words of ours.
    if (!pulse.over || parts_.program.is_over()) return;
    speaks_ = false;
    log(LogLevel::error, pulse.over->message + "; '" + parts_.command + "' goes on, but is no member any more");
}

// Until an engine has heard it.
void Wrapper::say_goodbye() {
    requests_.stopping = true;
    if (speaks_ && parts_.member.leave()) speaks_ = false;
}

int Wrapper::not_running(int error) {
    (void)parts_.member.leave();  // before the child is dismissed, whose end would be a death
    const std::string& command = parts_.command;
    const bool is_path = command.find('/') != std::string::npos;
    const bool exists = is_path && ::access(command.c_str(), F_OK) == 0;
    const char* hint = error != ENOENT ? "" : exists ? "; is the interpreter missing that its first line names?" : is_path ? "" : "; is it in a folder of $PATH?";
    log(LogLevel::error, "cannot run '" + command + "': " + std::strerror(error) + hint);
    return (error == ENOENT && !exists) || error == ENOTDIR ? exit_not_found : exit_not_executable;
}

int Wrapper::ended(ExitStatus status) {
    // Whatever came before the end counts: a Ctrl-C that reached both of us, a STOPPING=1 right before the exit.
    take_signals();
    take_notifications(notifications_at_the_end);
    if (speaks_) {
        const Result<void> told = parts_.member.report_exit(status, is_goodbye(status, requests_));
        if (!told) log(LogLevel::debug, "nobody heard how '" + parts_.command + "' ended: " + told.error().message);
    }
    parts_.program.reap();  // not before: a zombie's status can still be read, and its pid is still its own
    return exit_code_of(status);
}

}  // namespace rollcall::cli
