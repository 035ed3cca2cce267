#include "tools/rollcall/serve/event_stream.hpp"

#include "tools/rollcall/json.hpp"

namespace rollcall::cli {

std::string EventStream::next() {
    constexpr std::size_t most = 64 << 10;  // bytes of a piece, nearly: what is more comes when this was taken
    std::string text;
    if (!std::exchange(has_begun_, true))
        text = "retry: 1000\nevent: hello\ndata: {\"stream\":\"" + json::stream_text(live_.reading().observer.info().stream) + "\",\"after\":" + std::to_string(live_.position().after.value_or(0)) + "}\n\n";
    while (text.size() < most) {
        const std::optional<Event> event = live_.next();
        if (!event) break;
        text += "id: " + std::to_string(event->sequence.value) + "\ndata: " + json::event_line(*event, live_.cluster()) + "\n\n";
    }
    return text;
}

}  // namespace rollcall::cli
