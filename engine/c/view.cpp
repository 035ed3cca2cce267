// Views for C: an observer and what it has told so far, over the death and return of engines and memories.
#include <chrono>
#include <thread>

#include "engine/c/edge.hpp"
#include "engine/c/observing.hpp"
#include "engine/c/peers.hpp"

using namespace rollcall;

struct rollcall_view {
    ObserverOptions options;
    Observer observer;
    View view{};
    std::optional<Event> untold{};  // polled, and not yet in the view

    // The next event, once it is in the view; nothing if there is none now.
    Result<std::optional<Event>> next();
    // The memory that the path names now, if it is another one.
    bool attach_again();
    void wait(Duration timeout);
};

Result<std::optional<Event>> rollcall_view::next() {
    if (!untold) untold = observer.poll();
    if (!untold && attach_again()) untold = observer.poll();
    if (!untold) return std::nullopt;
    if (auto applied = view.apply(*untold, observer); !applied) return fail(applied.error());
    if (untold->kind == EventKind::gap) untold->to = untold->sequence = view.at();
    return std::exchange(untold, std::nullopt);
}

// What is between the last event seen and the new memory's first is a gap of the new observer.
bool rollcall_view::attach_again() {
    if (!observer.is_stale()) return false;
    untold = observer.poll();  // nothing more will be written there; what it still holds comes first
    if (untold) return false;
    ObserverOptions again = options;
    again.after = view.at().value;
    again.stream = observer.info().stream;
    auto other = Observer::attach(again);
    if (!other || other->is_stale()) return false;
    observer = std::move(*other);
    return true;
}

void rollcall_view::wait(Duration timeout) {
    constexpr Duration look_for_another = std::chrono::milliseconds(100);
    if (observer.is_stale()) std::this_thread::sleep_for(std::min(timeout, look_for_another));
    else observer.wait(std::min<Duration>(timeout, std::chrono::seconds(1)));
}

ROLLCALL_EXPORT rollcall_view* rollcall_view_open(const rollcall_observer_options* given, rollcall_error* error) try {
    rollcall_observer_options options;
    if (!c::take_options(given, options, error)) return nullptr;
    options.resume = 0;
    auto observer = Observer::attach(c::options_of(options));
    if (!observer) return c::failed(error, observer.error()), nullptr;
    auto view = std::make_unique<rollcall_view>(rollcall_view{c::options_of(options), std::move(*observer)});
    if (auto synced = view->view.resync(view->observer); !synced) return c::failed(error, synced.error()), nullptr;
    return view.release();
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return nullptr;
}

ROLLCALL_EXPORT void rollcall_view_free(rollcall_view* view) { delete view; }

ROLLCALL_EXPORT int rollcall_view_next(rollcall_view* view, int64_t timeout_ns, rollcall_event* event, size_t size, rollcall_error* error) try {
    const Instant begin = std::chrono::steady_clock::now();
    for (;;) {
        auto next = view->next();
        if (!next) return c::failed(error, next.error()), -1;
        if (*next) return c::give(c::event_of(**next), event, size), 1;
        const Duration left = Duration{timeout_ns} - (std::chrono::steady_clock::now() - begin);
        if (left <= Duration::zero()) return 0;
        view->wait(left);
    }
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return -1;
}

ROLLCALL_EXPORT int rollcall_view_fd(rollcall_view* view) { return view->observer.fd(); }

ROLLCALL_EXPORT rollcall_peers* rollcall_view_peers(const rollcall_view* view, rollcall_error* error) try {
    std::vector<Peer> peers;
    peers.reserve(view->view.peers().size());
    for (const auto& [node, peer] : view->view.peers()) peers.push_back(peer);
    return rollcall_peers::make(std::move(peers), view->view.at());
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return nullptr;
}

ROLLCALL_EXPORT rollcall_peers* rollcall_view_find(const rollcall_view* view, const char* node, rollcall_error* error) try {
    const Peer* peer = view->view.find(node == nullptr ? "" : node);
    if (peer != nullptr) return rollcall_peers::make({*peer}, view->view.at());
    c::failed(error, {ErrorKind::unknown_node, "no node '" + c::text(node) + "' in this cluster"});
    return nullptr;
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return nullptr;
}

ROLLCALL_EXPORT uint64_t rollcall_view_number(const rollcall_view* view) { return view->view.number(); }
