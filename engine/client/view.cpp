#include <algorithm>

#include "engine/client/observer_impl.hpp"
#include "engine/client/present.hpp"

namespace rollcall {

const Peer* View::find(std::string_view node) const noexcept {
    const auto it = peers_.find(node);
    return it == peers_.end() ? nullptr : &it->second;
}

Result<void> View::resync(Observer& observer) {
    auto peers = observer.snapshot(&at_);
    if (!peers) return fail(peers.error());
    peers_.clear();
    for (Peer& peer : *peers) peers_.insert_or_assign(peer.node, std::move(peer));
    number_ = observer.impl_->view;
    return {};
}

Result<void> View::apply(const Event& event, Observer& observer) {
    if (event.kind == EventKind::gap) return resync(observer);
    if (event.kind == EventKind::none || event.sequence <= at_) return {};
    at_ = event.sequence;
    number_ = event.view;
    if (is_of_nobody(event.kind) || is_of_host(event.kind)) return {};
    const std::string node(event.node());
    if (event.state == State::none) {
        peers_.erase(node);
        return {};
    }
    const shm::Roster& roster = observer.impl_->segment.roster();
    const shm::StoredEvent& stored = observer.impl_->last;
    if (stored.sequence != event.sequence) return resync(observer);  // the event was kept while others were polled
    Peer& peer = peers_[node];
    // A blob counts only if this very event brought it; otherwise it was replaced since, and a later event will tell.
    shm::Blob blob;
    const bool brought = shm::load_blob(roster, event.blob, blob) && blob.sequence == event.sequence && shm::load_blob_sequence(roster, event.blob) == event.sequence;
    Peer fresh = present_peer(roster, stored.slot, stored.hot, stored.name, brought ? blob : shm::Blob{});
    if (!brought && event.kind != EventKind::joined) {
        fresh.endpoint = std::move(peer.endpoint);
        fresh.host = std::move(peer.host);
        fresh.tags = std::move(peer.tags);
        fresh.pid = peer.pid;
        fresh.uid = peer.uid;
        fresh.gid = peer.gid;
    }
    peer = std::move(fresh);
    return {};
}

namespace {

constexpr Duration look_for_another = std::chrono::milliseconds(100);

Duration time_left(const std::optional<Instant>& deadline) {
    return deadline ? Duration(*deadline - std::chrono::steady_clock::now()) : Duration(std::chrono::seconds(1));
}

}  // namespace

Result<bool> Observer::follow(const std::function<bool(const View&, const Event&)>& step, std::optional<Duration> timeout) {
    std::optional<Instant> deadline;
    if (timeout) deadline = std::chrono::steady_clock::now() + *timeout;
    View view;
    if (auto ok = view.resync(*this); !ok) return fail(ok.error());
    if (!step(view, Event{})) return true;
    for (;;) {
        while (auto event = poll()) {
            if (auto ok = view.apply(*event, *this); !ok) return fail(ok.error());
            if (event->kind == EventKind::gap) event->to = event->sequence = view.at();
            if (!step(view, *event)) return true;
        }
        if (is_stale()) {
            const Sequence seen = view.at();
            Options again = impl_->options;
            again.after.reset();
            if (auto other = attach(again); other && !other->is_stale()) {
                *this = std::move(*other);
                if (auto ok = view.resync(*this); !ok) return fail(ok.error());
                Event gap;
                gap.kind = EventKind::gap;
                gap.stream = impl_->stream;
                gap.from = seen + 1;
                gap.to = gap.sequence = view.at();
                if (!step(view, gap)) return true;
            } else if (time_left(deadline) > Duration::zero()) {
                std::this_thread::sleep_for(std::min(look_for_another, time_left(deadline)));
            } else {
                return false;
            }
            continue;
        }
        const Duration left = time_left(deadline);
        if (left <= Duration::zero()) return false;
        wait(std::min(left, Duration(std::chrono::seconds(1))));
    }
}

}  // namespace rollcall
