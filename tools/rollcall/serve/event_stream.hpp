// The events of a cluster for one reader, as server-sent events: `id` is the sequence, `data` what `watch --json` says.
#pragma once

#include "tools/rollcall/live_reading.hpp"
#include "tools/rollcall/serve/http_server.hpp"

namespace rollcall::cli {

class EventStream : public http::Stream {
public:
    explicit EventStream(LiveReading live) : live_(std::move(live)) {}
    std::string next() override;

private:
    LiveReading live_;
    bool has_begun_ = false;
};

}  // namespace rollcall::cli
