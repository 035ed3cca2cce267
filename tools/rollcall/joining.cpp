#include "tools/rollcall/joining.hpp"

#include <algorithm>

#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

constexpr Duration first_pause = std::chrono::milliseconds(10);
constexpr Duration longest_pause = std::chrono::milliseconds(160);

Instant clock_now() { return std::chrono::steady_clock::now(); }

// An engine that accepted the request and does not answer is not among them: it may still admit us, and a second request would then
// find the id held, by ourselves.
bool may_change(ErrorKind kind) { return kind == ErrorKind::no_cluster || kind == ErrorKind::no_engine || kind == ErrorKind::held; }

// The signal that ended the pause, if it asks us to end. Others mean nothing yet: there is no program that they could be meant for.
std::optional<Signal> pause(const SignalFeed& signals, Instant until) {
    while (clock_now() < until) {
        const std::optional<Signal> signal = signals.wait(until - clock_now());
        if (signal && signal->asks_to_end()) return signal;
        if (signal && signal->number == SIGCHLD) break;  // see whether it is still worth waiting
    }
    return std::nullopt;
}

}  // namespace

tl::expected<Member, int> join_patiently(const Member::Options& options, Duration patience, const SignalFeed& signals,
                                         const std::function<bool()>& is_pointless) {
    Member::Options once = options;
    once.wait = {};  // the library's own patience would not hear a signal
    const Instant start = clock_now();
    const Instant deadline = patience < Instant::max() - start ? start + patience : Instant::max();
    for (Duration length = first_pause;; length = std::min(length * 2, longest_pause)) {
        Result<Member> member = Member::join(once);
        if (member) return std::move(*member);
        const Instant now = clock_now();
        if (!may_change(member.error().kind) || now >= deadline || (is_pointless && is_pointless())) return tl::unexpected<int>(report(member.error()));
        if (const auto signal = pause(signals, now + std::min(length, deadline - now))) return tl::unexpected<int>(128 + signal->number);
    }
}

}  // namespace rollcall::cli
