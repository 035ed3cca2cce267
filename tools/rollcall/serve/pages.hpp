// What is served where: the page, its data, events, metrics, health.
#pragma once

#include "tools/rollcall/live_reading.hpp"
#include "tools/rollcall/serve/access.hpp"
#include "tools/rollcall/serve/event_feed.hpp"
#include "tools/rollcall/serve/http_server.hpp"

namespace rollcall::cli {

// One thread. Looks at the memory for each request, and asks nobody.
class Pages {
public:
    Pages(const Common& common, Access access, LiveReading live, const EventFeed& feed) : common_(common), access_(std::move(access)), live_(std::move(live)), feed_(feed) {}

    http::Answer answer(const http::Request& request);

private:
    http::Answer members();
    http::Answer hosts();
    http::Answer ages();
    http::Answer why(const http::Request& request);
    http::Answer events(const http::Request& request) const;
    http::Answer metrics();
    http::Answer health();
    std::optional<http::Response> refuse_without_memory();

    Common common_;
    Access access_;
    LiveReading live_;
    const EventFeed& feed_;
};

}  // namespace rollcall::cli
