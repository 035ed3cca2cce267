#include "engine/client/member.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

#include "engine/client/beating.hpp"
#include "engine/client/connection.hpp"
#include "engine/client/guard_board.hpp"
#include "engine/client/present.hpp"
#include "shm/host.hpp"
#include "shm/name.hpp"
#include "shm/segment.hpp"

namespace rollcall {

namespace {

constexpr Duration patience = std::chrono::seconds(5);       // for one answer of an engine that accepted the connection
constexpr Duration brief_patience = std::chrono::milliseconds(250);  // where the caller has beats and signals to see to
constexpr Duration pause_between_tries = std::chrono::milliseconds(20);
constexpr Duration longest_sleep = std::chrono::seconds(1);  // of the beating thread: a shorter heartbeat is heard of before it is missed

Error forked() { return {ErrorKind::invalid, "this member belongs to the parent process: join anew"}; }

Instant clock_now() noexcept { return std::chrono::steady_clock::now(); }

// The members of a process share one mapping: a thousand of them need no more descriptors and page tables than one.
Result<std::shared_ptr<shm::Segment>> attach_shared(const shm::Paths& paths) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<shm::Segment>> known;
    const std::unique_lock lock(mutex, std::try_to_lock);  // a fork may have copied a held one: then without
    if (lock)
        if (auto there = known[paths.folder].lock(); there && there->is_current()) return there;
    auto attached = shm::Segment::attach(paths, shm::Access::producer, shm::HostIdentity::current());
    if (!attached) return fail(attached.error());
    auto fresh = std::make_shared<shm::Segment>(std::move(*attached));
    if (lock) known[paths.folder] = fresh;
    return fresh;
}

}  // namespace

struct Member::Impl {
    Options options;
    std::string encoded_tags;
    std::uint64_t token = shm::random_bits();
    shm::Paths paths;
    std::shared_ptr<shm::Segment> segment;
    std::shared_ptr<Connection> connection;
    std::uint64_t known_on = 0;  // the connection on which the engine last heard of this life
    std::shared_ptr<GuardBoard> guards = std::make_shared<GuardBoard>();  // before the page, whose beats ask it
    BeatingPage page;
    std::atomic<std::uint64_t> incarnation{0};
    std::atomic<std::uint32_t> slot{no_slot.value};
    Error last_error;
    bool joined = false, left = false;

    std::mutex mutex;  // requests and join, between the beating thread and the caller
    std::condition_variable wake;
    std::thread beater;
    bool ending = false;
    std::atomic<bool> beater_has_ended{false};

    Result<void> attach();
    Result<Connection::Answer> ask(const control::Message& message, Duration timeout, int pidfd = -1);
    Result<void> join_once();
    Result<void> join_until(Instant deadline);
    void introduce(std::uint32_t card, bool again) noexcept;
    Result<control::Reply> ask_about_me(control::Message message, Duration timeout = patience);
    bool is_mine() const noexcept { return !joined || page.is_mine(); }
    void keep_known();
    Result<void> say_goodbye(control::Message message);
    Settings settings() const noexcept;
    bool rejoin();
    void beat_until_told();
    void end_beating();
    Result<void> update(control::Message message);
};

// Maps the cluster's memory, if it is not mapped or no longer the one that the path names.
Result<void> Member::Impl::attach() {
    if (segment && segment->is_current()) return {};
    auto located = locate(options.cluster, options.dir);
    if (!located) return fail(located.error());
    auto attached = attach_shared(*located);
    if (!attached) return fail(attached.error());
    if ((*attached)->is_superseded()) return fail(no_engine(options.cluster, options.dir, "its memory is being replaced"));
    page.leave();
    if (connection) connection->close();  // to whoever had the old memory
    // Who speaks for a child is known by its connection, and shares it with nobody.
    if (!connection || paths.folder != located->folder)
        connection = options.process >= 0 ? std::make_shared<Connection>(*located) : Connection::of_this_process(*located);
    segment = std::move(*attached);
    paths = *located;
    return {};
}

// With how to start an engine where there is none.
Result<Connection::Answer> Member::Impl::ask(const control::Message& message, Duration timeout, int pidfd) {
    auto answer = connection->ask(message, timeout, pidfd);
    if (!answer && answer.error().kind == ErrorKind::no_engine) return fail(no_engine(options.cluster, options.dir, answer.error().message));
    return answer;
}

Result<void> Member::Impl::join_once() {
    if (auto ok = attach(); !ok) return ok;
    control::Message message;
    message.kind = control::Kind::join;
    message.node = options.node;
    message.endpoint = options.endpoint;
    message.tags = encoded_tags;
    message.token = token;
    message.replace = options.replace && !joined;  // once: a rejoin takes nothing from anybody
    message.wrapped = options.process >= 0;
    // Ours to send: it excludes that our pid is reused, and reaches across pid namespaces. Without it the engine asks the kernel.
    const shm::Descriptor own(options.process >= 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    const int pidfd = options.process >= 0 ? options.process : own.get();
    const auto answer = ask(message, patience, pidfd);
    if (!answer) return fail(answer.error());
    known_on = answer->connection;
    const control::Reply* reply = &answer->reply;
    if (reply->slot >= segment->roster().capacity()) return fail(ErrorKind::damaged, "the engine answered with a slot that does not exist");
    const bool is_known = joined && reply->incarnation == incarnation.load(std::memory_order_relaxed) && reply->slot == slot.load(std::memory_order_relaxed);
    if (is_known && page.roster() == &segment->roster()) return {};  // the life that beats already
    const bool again = joined;
    incarnation.store(reply->incarnation, std::memory_order_relaxed);
    slot.store(reply->slot, std::memory_order_relaxed);
    page.enter(segment, Slot{reply->slot}, Generation{reply->generation}, Incarnation{reply->incarnation}, token, shm::Name::of(options.node), reply->card);
    introduce(reply->card, again);
    joined = true;
    return {};
}

// On the card that the engine gave us: who writes heartbeats there. A wrapper's card is its child's.
void Member::Impl::introduce(std::uint32_t number, bool again) noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;  // statistics, each for itself
    shm::Roster& roster = segment->writable();
    if (number >= roster.capacity() || number >= roster.header().cards_used.load(std::memory_order_acquire)) return;  // [extent]
    shm::Card& card = roster.card(number);
    const auto pid = static_cast<std::uint32_t>(::getpid());
    if (again) {
        card.rejoins.fetch_add(1, relaxed);
    } else if (card.pid.load(relaxed) != pid) {
        card.stall_ns.store(0, relaxed);
        card.refused.store(0, relaxed);
        card.rejoins.store(0, relaxed);
    }
    card.pid.store(pid, relaxed);
    card.start.store(shm::start_ticks_of(pid).value_or(0), relaxed);
}

// Goes on while it may still become true: no engine yet, or the id is still held.
Result<void> Member::Impl::join_until(Instant deadline) {
    for (;;) {
        auto done = join_once();
        if (done) return done;
        const ErrorKind kind = done.error().kind;
        const bool may_change = kind == ErrorKind::no_cluster || kind == ErrorKind::no_engine || kind == ErrorKind::held || kind == ErrorKind::timeout;
        if (!may_change || clock_now() >= deadline) return done;
        std::this_thread::sleep_for(pause_between_tries);
    }
}

Result<Member> Member::join(Options options) {
    auto impl = std::make_unique<Impl>();
    if (auto ok = shm::validate_cluster_name(options.cluster); !ok) return fail(ok.error());
    if (auto ok = shm::validate_node_id(options.node); !ok) return fail(ok.error());
    if (auto ok = validate_endpoint(options.endpoint); !ok) return fail(ok.error());
    auto tags = encode_tags(options.tags);
    if (!tags) return fail(tags.error());
    impl->encoded_tags = std::move(*tags);
    if (!impl->page.is_valid()) return fail(ErrorKind::full, "no memory for a member's page");
    impl->options = std::move(options);
    if (auto ok = impl->join_until(clock_now() + impl->options.wait); !ok) return fail(ok.error());
    return Member(std::move(impl));
}

Member::Member(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)), beating_(impl_->page.content()) {}
Member::Member(Member&& other) noexcept : impl_(std::move(other.impl_)), beating_(std::exchange(other.beating_, nullptr)) {}

Member& Member::operator=(Member&& other) noexcept {
    if (this != &other) {
        Member old(std::move(*this));
        impl_ = std::move(other.impl_);
        beating_ = std::exchange(other.beating_, nullptr);
    }
    return *this;
}

Member::~Member() {
    if (!impl_) return;
    if (impl_->is_mine()) {
        (void)leave();
        return;
    }
    // A forked child: it has copies of locks and of a thread's handle that nobody will ever release. Only descriptors are given back.
    if (impl_->connection) impl_->connection->abandon();
    (void)impl_.release();
}

Beat Member::beat() noexcept { return rollcall::beat(*beating_, clock_now()); }
Beat Member::beat(Instant now) noexcept { return rollcall::beat(*beating_, now); }

Settings Member::Impl::settings() const noexcept {
    const shm::Roster* roster = page.roster();
    shm::CheckpointValues values;
    return roster != nullptr && shm::load_checkpoint(roster->header(), values) ? values.settings : Settings{};
}

Duration Member::interval() const noexcept { return impl_->settings().heartbeat; }
Duration Member::suspect_timeout() const noexcept { return impl_->settings().suspect; }
const std::string& Member::node() const noexcept { return impl_->options.node; }
Incarnation Member::incarnation() const noexcept { return Incarnation{impl_->incarnation.load(std::memory_order_relaxed)}; }
Slot Member::slot() const noexcept { return Slot{impl_->slot.load(std::memory_order_relaxed)}; }
const Error& Member::error() const noexcept { return impl_->last_error; }

Guard Member::guard(Duration budget, std::string_view name) {
    Guard guard = impl_->guards->take(budget, name, clock_now());
    impl_->page.ask_first(*impl_->guards);
    return guard;
}

bool Member::Impl::rejoin() {
    if (page.is_stalled(clock_now())) return true;  // to join is a sign of life, too
    if (left) {
        last_error = {ErrorKind::invalid, "node '" + options.node + "' has left: join anew"};
        return false;
    }
    if (joined && page.beat(clock_now()).kind == Beat::replaced) {
        last_error = {ErrorKind::replaced, "another life of node '" + options.node + "' has taken over"};
        return false;
    }
    auto done = join_once();
    if (done) return true;
    last_error = done.error();
    const ErrorKind kind = last_error.kind;
    return kind == ErrorKind::no_engine || kind == ErrorKind::no_cluster || kind == ErrorKind::timeout || kind == ErrorKind::busy || kind == ErrorKind::full || kind == ErrorKind::damaged;
}

bool Member::rejoin() {
    if (!impl_->is_mine()) {
        impl_->last_error = forked();
        return false;
    }
    const std::lock_guard lock(impl_->mutex);
    return impl_->rejoin();
}

// The same token: the engine finds the life it knows, and watches its process.
void Member::Impl::keep_known() {
    if (!joined || left || connection->is_still(known_on) || page.is_stalled(clock_now())) return;
    (void)join_once();  // without an engine: the next time
}

void Member::keep_known() {
    if (!impl_->is_mine()) return;
    const std::lock_guard lock(impl_->mutex);
    impl_->keep_known();
}

void Member::Impl::beat_until_told() {
    std::unique_lock lock(mutex);
    while (!ending) {
        const Beat beat = page.beat(clock_now());
        if (beat.counted()) keep_known();
        else if (!rejoin()) break;
        wake.wait_for(lock, std::min(settings().heartbeat, longest_sleep), [this] { return ending; });
    }
    beater_has_ended.store(true, std::memory_order_relaxed);  // relaxed: whoever sees it joins the thread
}

Result<void> Member::start_beating() {
    if (!impl_->is_mine()) return fail(forked());
    if (impl_->beater_has_ended.exchange(false, std::memory_order_relaxed)) impl_->end_beating();  // relaxed: the join orders
    const std::lock_guard lock(impl_->mutex);
    if (impl_->beater.joinable()) return {};
    impl_->ending = false;
    try {
        impl_->beater = std::thread([impl = impl_.get()] { impl->beat_until_told(); });
    } catch (const std::system_error& e) {
        return fail(ErrorKind::full, std::string("cannot start the beating thread: ") + e.what());
    }
    return {};
}

void Member::Impl::end_beating() {
    {
        const std::lock_guard lock(mutex);
        ending = true;
    }
    wake.notify_all();
    if (beater.joinable()) beater.join();
}

// A request about this life; connects again if an earlier engine took the connection with it.
Result<control::Reply> Member::Impl::ask_about_me(control::Message message, Duration timeout) {
    message.node = options.node;
    message.incarnation = incarnation.load(std::memory_order_relaxed);
    auto answer = ask(message, timeout);
    if (!answer) return fail(answer.error());
    return answer->reply;
}

// Until it was heard, it can be said again.
Result<void> Member::Impl::say_goodbye(control::Message message) {
    if (!joined) return {};
    left = true;
    page.leave();
    auto reply = ask_about_me(std::move(message));
    const bool gone_already = !reply && (reply.error().kind == ErrorKind::unknown_node || reply.error().kind == ErrorKind::replaced);
    if (!reply && !gone_already) return fail(reply.error());
    joined = false;
    if (options.process >= 0) connection->close();
    return {};
}

Result<void> Member::leave() {
    if (!impl_->is_mine()) return fail(forked());
    impl_->end_beating();
    const std::lock_guard lock(impl_->mutex);
    control::Message message;
    message.kind = control::Kind::leave;
    return impl_->say_goodbye(std::move(message));
}

Result<void> Member::Impl::update(control::Message message) {
    const std::lock_guard lock(mutex);
    message.kind = control::Kind::update;
    message.endpoint = options.endpoint;
    message.tags = encoded_tags;
    auto reply = ask_about_me(std::move(message));
    return reply ? Result<void>{} : fail(reply.error());
}

Result<void> Member::set_tags(Tags tags) {
    if (!impl_->is_mine()) return fail(forked());
    auto encoded = encode_tags(tags);
    if (!encoded) return fail(encoded.error());
    impl_->options.tags = std::move(tags);
    impl_->encoded_tags = std::move(*encoded);
    control::Message message;
    message.has_tags = true;
    return impl_->update(std::move(message));
}

Result<void> Member::set_endpoint(std::string endpoint) {
    if (!impl_->is_mine()) return fail(forked());
    if (auto ok = validate_endpoint(endpoint); !ok) return ok;
    impl_->options.endpoint = std::move(endpoint);
    control::Message message;
    message.has_endpoint = true;
    return impl_->update(std::move(message));
}

Result<void> Member::report_exit(ExitStatus status, bool goodbye) {
    if (!impl_->is_mine()) return fail(forked());
    impl_->end_beating();
    const std::lock_guard lock(impl_->mutex);
    control::Message message;
    message.kind = control::Kind::exited;
    message.status = status;
    message.goodbye = goodbye;
    return impl_->say_goodbye(std::move(message));
}

Result<void> Member::announce_watchdog() {
    if (!impl_->is_mine()) return fail(forked());
    const std::lock_guard lock(impl_->mutex);
    control::Message message;
    message.kind = control::Kind::watchdog;
    auto reply = impl_->ask_about_me(std::move(message), brief_patience);
    return reply ? Result<void>{} : fail(reply.error());
}

}  // namespace rollcall
