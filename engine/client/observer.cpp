#include "engine/client/observer.hpp"

#include <atomic>
#include <numeric>
#include <thread>

#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/client/observer_impl.hpp"
#include "engine/client/present.hpp"
#include "engine/client/session.hpp"
#include "engine/client/traffic.hpp"
#include "shm/checkpoint.hpp"
#include "shm/futex.hpp"
#include "shm/lock.hpp"

namespace rollcall {

namespace {

constexpr Duration longest_sleep = std::chrono::seconds(1);  // then a look at whether the memory is still the one that counts

Event make_gap(std::uint64_t stream, Sequence from, Sequence to) {
    Event gap;
    gap.kind = EventKind::gap;
    gap.stream = stream;
    gap.from = from;
    gap.to = gap.sequence = to;
    return gap;
}

}  // namespace

// Where to begin: behind what was seen of this stream, at the oldest that is left, or with what comes next.
void Observer::Impl::place_cursor() {
    const shm::Roster& roster = segment.roster();
    stream = roster.header().stream.load(std::memory_order_relaxed);
    const Sequence head = shm::load_head(roster.header());
    cursor.go_on_after(head);
    if (!options.after) return;
    const bool other_stream = options.stream && *options.stream != stream;
    const Sequence oldest = Cursor::before_oldest(roster), wanted{*options.after};
    if (wanted.value == 0 && !other_stream) return cursor.go_on_after(oldest);
    if (!other_stream && wanted >= oldest && wanted <= head) return cursor.go_on_after(wanted);
    // Too old, of another stream, or never issued: one gap, then on from its end.
    cursor.go_on_after(other_stream || wanted > head ? head : oldest);
    pending_gap = make_gap(stream, other_stream || wanted > head ? Sequence{1} : wanted + 1, cursor.last());
}

Result<void> Observer::Impl::attach() {
    auto located = locate(options.cluster, options.dir);
    if (!located) return fail(located.error());
    auto attached = shm::Segment::attach(*located, options.copy ? shm::Access::copy : shm::Access::observer, shm::HostIdentity::current());
    if (!attached && attached.error().kind == ErrorKind::no_cluster) return fail(ErrorKind::no_cluster, "no cluster '" + options.cluster + "': " + attached.error().message);
    if (!attached) return fail(attached.error());
    paths = *located;
    segment = std::move(*attached);
    return {};
}

Result<Observer> Observer::attach(Options options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    if (auto ok = impl->attach(); !ok) return fail(ok.error());
    impl->place_cursor();
    return Observer(std::move(impl));
}

Observer::Observer(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Observer::Observer(Observer&&) noexcept = default;
Observer& Observer::operator=(Observer&&) noexcept = default;
Observer::~Observer() = default;

Observer::Impl::~Impl() { end_helper(); }

void Observer::Impl::end_helper() {
    ending.store(true, std::memory_order_relaxed);  // relaxed: the join orders
    if (!helper.joinable()) return;
    if (process == ::getpid()) helper.join();
    else (void)new std::thread(std::move(helper));  // of a thread that a forked child does not have: not to be asked for anything
}

Result<Peer> Observer::find(std::string_view node) const { return find_peer(impl_->segment.roster(), node); }

Result<std::vector<Peer>> Observer::snapshot(Sequence* at) {
    Sequence exact;
    auto peers = snapshot_peers(impl_->segment.roster(), &exact, &impl_->view);
    if (!peers) return peers;
    impl_->cursor.go_on_after(exact);
    impl_->pending_gap.reset();
    if (at != nullptr) *at = exact;
    return peers;
}

std::optional<Event> Observer::poll() {
    if (impl_->pending_gap) return std::exchange(impl_->pending_gap, std::nullopt);
    const shm::Roster& roster = impl_->segment.roster();
    switch (impl_->cursor.next(roster, impl_->last)) {
        case Cursor::Outcome::nothing: return std::nullopt;
        case Cursor::Outcome::event: return present_event(roster, impl_->last);
        case Cursor::Outcome::lapped:
            if (impl_->segment.has_lost_pages()) return std::nullopt;  // zeros overtook nobody: it is stale
            return make_gap(impl_->stream, impl_->cursor.from(), impl_->cursor.to());
    }
    return std::nullopt;
}

bool Observer::wait(Duration timeout) {
    const auto& selector = impl_->segment.roster().header().selector;
    const Instant deadline = std::chrono::steady_clock::now() + std::min<Duration>(timeout, std::chrono::hours(24 * 365 * 90));
    for (;;) {
        const std::uint64_t seen = selector.load(std::memory_order_acquire);  // [publish]
        if (impl_->pending_gap || shm::head_in(seen) > impl_->cursor.last()) return true;
        const Duration left = deadline - std::chrono::steady_clock::now();
        if (left <= Duration::zero()) return false;
        shm::futex_wait(selector, static_cast<std::uint32_t>(seen), std::min(left, longest_sleep));
        if (is_stale()) return true;
    }
}

// Futexes do not work with epoll: a thread of ours sleeps on the ring and feeds an eventfd.
int Observer::fd() {
    Impl& i = *impl_;
    if (i.event) return i.event.get();
    i.event.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!i.event) return -1;
    if (i.pending_gap) (void)::eventfd_write(i.event.get(), 1);  // of it the ring knows nothing
    try {
        i.helper = std::thread([&i, roster = &i.segment.roster(), last = i.cursor.last()] {
            const auto& selector = roster->header().selector;
            Sequence told = last;
            while (!i.ending.load(std::memory_order_relaxed)) {
                const std::uint64_t seen = selector.load(std::memory_order_acquire);  // [publish]
                if (shm::head_in(seen) > told || roster->preamble().lifecycle.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(shm::Lifecycle::live)) {
                    told = shm::head_in(seen);
                    (void)::eventfd_write(i.event.get(), 1);  // full means readable already
                }
                shm::futex_wait(selector, static_cast<std::uint32_t>(seen), std::chrono::milliseconds(100));
            }
        });
    } catch (const std::system_error&) {
        i.event.reset();
        return -1;
    }
    return i.event.get();
}

bool Observer::is_stale() const { return !impl_->options.copy && !impl_->segment.is_current(); }

std::uint64_t Histogram::total() const noexcept { return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0}); }

Duration Histogram::below(double part) const noexcept {
    const double wanted = part * static_cast<double>(total());
    double seen = 0;
    for (std::size_t b = 0; b < buckets.size(); ++b) {
        seen += static_cast<double>(buckets[b]);
        if (buckets[b] != 0 && seen >= wanted) return Duration{b == 0 ? 1 : std::int64_t{1} << std::min<std::size_t>(b, 62)};
    }
    return {};
}

Result<std::vector<Host>> Observer::hosts() const { return snapshot_hosts(impl_->segment.roster()); }

ClusterInfo Observer::info() const {
    const shm::Roster& roster = impl_->segment.roster();
    const shm::RosterHeader& h = roster.header();
    constexpr auto relaxed = std::memory_order_relaxed;  // each stands for itself
    const auto name = [](const std::atomic<std::uint64_t>(&words)[shm::name_words]) {
        shm::Name n;
        for (std::size_t i = 0; i < shm::name_words; ++i) n.words[i] = words[i].load(relaxed);
        return std::string(n.view());
    };
    ClusterInfo info;
    info.cluster = name(h.cluster);
    info.node = name(h.engine_name);
    info.host = name(h.host_name);
    info.stream = h.stream.load(relaxed);
    info.instance = roster.preamble().instance.load(relaxed);
    info.epoch = h.epoch.load(relaxed);
    const std::uint64_t version = h.engine_version.load(relaxed);
    info.engine_version = std::to_string(version >> 32) + "." + std::to_string(version >> 16 & 0xFFFF) + "." + std::to_string(version & 0xFFFF);
    info.engine_pid = h.engine_pid.load(relaxed);
    info.capacity = roster.capacity();
    info.ring = roster.geometry().ring_entries;
    info.high_water = roster.high_water();
    info.last_step = instant_from_ns(static_cast<std::int64_t>(h.step_ns.load(relaxed) & (UINT64_MAX >> 2)));  // hostile: whatever it is, it can be subtracted
    const bool ready = h.engine_ready.load(std::memory_order_acquire) == 1;  // [ready] pairs with Core::set_ready
    info.running = ready && !impl_->options.copy && shm::is_locked(impl_->paths.lock());
    for (std::size_t i = 0; i < shm::histogram_buckets; ++i) {
        info.step_time.buckets[i] = h.scan_time[i].load(relaxed);
        info.lateness.buckets[i] = h.lateness[i].load(relaxed);
    }
    info.traffic = load_traffic(h);
    info.inbox = h.inbox.load(relaxed);
    shm::CheckpointValues values;
    if (shm::load_checkpoint(h, values)) {
        info.head = values.head;
        info.view = values.view;
        info.settings = values.settings;
        info.counters = present_counters(values);
        // Those of the checkpoint are of the last event.
        info.counters.heartbeats_sent = std::max(info.counters.heartbeats_sent, info.traffic.heartbeats_sent);
        info.counters.heartbeats_received = std::max(info.counters.heartbeats_received, info.traffic.heartbeats_received);
    }
    return info;
}

}  // namespace rollcall
