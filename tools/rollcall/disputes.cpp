#include "tools/rollcall/disputes.hpp"

#include <algorithm>
#include <map>

#include "tools/rollcall/clock_text.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli {

std::vector<Event> read_disputes(Observer& observer, Disputed what) {
    std::map<std::string, Event, std::less<>> open;
    const Sequence head = observer.info().head;
    while (const std::optional<Event> event = observer.poll()) {
        if (!is_of_nobody(event->kind) && is_of_host(event->kind) == (what == Disputed::hosts)) {
            if (plain_kind(event->kind) == EventKind::duplicate) open.insert_or_assign(std::string(event->node()), *event);
            else if (event->state == State::none || event->state == State::dead || plain_kind(event->kind) == EventKind::joined) open.erase(std::string(event->node()));
        }
        if (event->sequence >= head) break;
    }
    std::vector<Event> all;
    for (const auto& [name, event] : open) all.push_back(event);
    std::sort(all.begin(), all.end(), [](const Event& a, const Event& b) { return a.sequence < b.sequence; });
    return all;
}

std::string dispute_lines(const std::vector<Event>& disputes, const Palette& palette) {
    std::string text;
    for (const Event& e : disputes)
        text += palette.paint(colour_of(e.kind), printable(std::string(is_of_host(e.kind) ? "host '" : "'") + std::string(e.node()) + "'")) + ": " + event_detail(e) + " (told at " + local_time(e.wall_us) + ")\n";
    return text.empty() ? "" : "\n" + text;
}

}  // namespace rollcall::cli
