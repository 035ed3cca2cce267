#include "tools/rollcall/demo/show.hpp"

#include <algorithm>
#include <utility>

#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli::demo {

namespace {

constexpr Duration patience = std::chrono::seconds(15);  // for an event that must come, on a machine that has other things to do
constexpr Duration glance = std::chrono::milliseconds(50);

}  // namespace

void Show::heading(std::string_view text) { print_line_now("\n" + palette_.paint(Colour::strong, text)); }

void Show::remark(std::string_view text) { print_line_now("    " + palette_.paint(Colour::faint, text)); }

void Show::roll_call() {
    const Result<std::vector<Peer>> peers = stage_.roster().snapshot();
    std::string line;
    if (!peers) return remark(printable("no roll call: " + peers.error().message));
    for (const Peer& peer : *peers)
        line += (line.empty() ? "" : "   ") + printable(peer.node) + " " + palette_.paint(colour_of(peer.state), to_string(peer.state));
    print_line_now("    " + palette_.paint(Colour::faint, "now: ") + line);
}

bool Show::give_up(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
}

bool Show::interrupted() { return interrupted_ = signals_.wait({}).has_value(); }

void Show::print_event(const Event& event) {
    std::string line = "    " + lines_.line(event);
    // Said of what a moment ago was done to a process: how long the news took.
    if (clock_ && event.at >= *clock_) line += palette_.paint(Colour::faint, "  [" + rounded(event.at - *clock_) + " after]");
    print_line_now(line);
}

bool Show::take_events() {
    while (const std::optional<Event> event = stage_.events().poll()) {
        print_event(*event);
        if (!script_.accept(*event)) return give_up("an event came that had not to come now");
    }
    return true;
}

bool Show::until(const std::vector<Expected>& expected) {
    for (const Expected& next : expected) script_.expect(next);
    const Instant end = std::chrono::steady_clock::now() + patience;
    while (take_events()) {
        if (script_.is_complete()) {
            clock_.reset();
            return true;
        }
        if (interrupted()) return give_up("interrupted");
        if (std::chrono::steady_clock::now() >= end) return give_up("an event did not come within " + to_text(patience));
        stage_.events().wait(glance);
    }
    return false;
}

bool Show::quiet(Duration length) {
    const Instant end = std::chrono::steady_clock::now() + length;
    while (take_events()) {
        const Duration left = end - std::chrono::steady_clock::now();
        if (left <= Duration{}) return true;
        if (interrupted()) return give_up("interrupted");
        stage_.events().wait(std::min(left, glance));
    }
    return false;
}

}  // namespace rollcall::cli::demo
