#include "engine/runner.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "engine/quiet_thread.hpp"
#include "shm/futex.hpp"

namespace rollcall::engine {

namespace {

constexpr std::uint64_t timer_key = 1, wakeup_key = 2;

void consume(int fd) noexcept {
    std::uint64_t count = 0;
    (void)!::read(fd, &count, sizeof count);  // nothing to read is no error
}

}  // namespace

Runner::Runner(Core& core, Inbox& inbox, Doorbell& bell, std::atomic<bool>& running, std::atomic<Ending>& why, Hooks hooks)
    : core_(core), inbox_(inbox), bell_(bell), running_(running), why_(why), hooks_(std::move(hooks)) {}

Result<void> Runner::start(std::optional<std::uint32_t> group) {
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!epoll_ || !timer_ || !bell_.open()) return fail(ErrorKind::full, std::string("cannot start the detector: ") + std::strerror(errno));
    epoll_event timer{EPOLLIN, {.u64 = timer_key}}, wakeup{EPOLLIN, {.u64 = wakeup_key}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &timer);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.fd(), &wakeup);
    group_ = group;
    if (auto serving = serve(); !serving) return serving;
    return start_threads();
}

// Everything that stands on one memory: processes, socket, first step.
Result<void> Runner::serve() {
    {
        const std::lock_guard lock(roster_mutex_);
        roster_ = core_.shared_roster();
    }
    server_.reset();  // before the next one binds the socket's path
    server_ = std::make_unique<control::Server>(core_, inbox_, epoll_.get(), control::Server::Hooks{[this] { end(Ending::by_operator); }, hooks_.log});
    server_->adopt_processes();
    if (core_.paths())
        if (auto listening = server_->listen(*core_.paths(), group_); !listening) return listening;
    turn(true);
    core_.set_ready(true);
    arm();
    return {};
}

Result<void> Runner::start_threads() {
    running_.store(true, std::memory_order_release);  // [running]
    try {
        waker_ = start_quiet_thread("rollcall-wake", [this] { wake_sleepers(); });
        detector_ = start_quiet_thread("rollcall-detect", [this] { detect(); });
        return {};
    } catch (const std::system_error& error) {
        has_ended();
        stop();
        return fail(ErrorKind::full, std::string("cannot start the detector's threads: ") + error.what());
    }
}

// The waker sees it, and so does whoever asks.
void Runner::has_ended() noexcept {
    if (!is_displaced()) core_.set_ready(false);  // else it speaks of our successor
    running_.store(false, std::memory_order_release);    // [running]
    published_.fetch_add(1, std::memory_order_release);  // [waker]
    published_.notify_one();
}

void Runner::stop() {
    ending_.store(true, std::memory_order_relaxed);  // relaxed: the joins below order everything
    bell_.ring();
    if (detector_.joinable()) detector_.join();
    if (waker_.joinable()) waker_.join();
    server_.reset();
}

// By itself: on the detector's thread.
void Runner::end(Ending why) noexcept {
    why_.store(why, std::memory_order_relaxed);  // relaxed: `running_` publishes it
    ending_.store(true, std::memory_order_relaxed);
}

void Runner::arm() {
    const Duration scan = core_.settings().scan;
    if (scan == armed_for_) return;
    armed_for_ = scan;
    const timespec period{scan.count() / 1'000'000'000, scan.count() % 1'000'000'000};
    const itimerspec every{period, period};
    ::timerfd_settime(timer_.get(), 0, &every, nullptr);
}

void Runner::detect() {
    while (!ending_.load(std::memory_order_relaxed)) {
        bool scan = false;
        if (!wait(scan)) break;
        if (!check_memory(hooks_.clock())) break;  // before the turn: whoever was stopped may have been succeeded meanwhile
        turn(scan);
        arm();
    }
    has_ended();
}

// Until something happens; hands sockets and processes to the server.
bool Runner::wait(bool& scan) {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), core_.has_more() ? 0 : -1);
    if (count < 0 && errno != EINTR) {
        if (hooks_.log) hooks_.log(std::string("the detector cannot wait: ") + std::strerror(errno));
        end(Ending::failed);
        return false;
    }
    const Instant now = hooks_.clock();
    for (int i = 0; i < count; ++i) {
        const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
        if (key == timer_key) {
            consume(timer_.get());
            scan = true;
        } else if (key == wakeup_key) {
            bell_.silence();
        } else if (control::Server::is_key(key)) {
            server_->handle(key, events[static_cast<std::size_t>(i)].events, now);
        }
    }
    return true;
}

void Runner::turn(bool scan) {
    const Instant now = hooks_.clock();
    if (hooks_.before_step) hooks_.before_step();
    server_->tick(now);
    core_.step(now, hooks_.wall_clock(), inbox_, scan);
    server_->send_replies();
    if (scan) core_.record_step_time(hooks_.clock() - now);
    if (core_.has_published() && hooks_.published) hooks_.published();
    // One sleeper learns it without a detour; as many as there may be are another thread's work.
    if (!core_.has_published() || !shm::futex_wake_one(core_.roster().header().selector)) return;
    published_.fetch_add(1, std::memory_order_release);  // [waker] pairs with the waker's load
    published_.notify_one();
}

// RemoveIPC, `rm` and other engines exist: without its lock or its roster this engine would be a second one. Memory that was cut short is
// nobody's any more. False: this engine ends.
bool Runner::check_memory(Instant now) {
    const bool has_lost_pages = core_.segment().has_lost_pages();
    if (!has_lost_pages && now < next_check_) return true;
    next_check_ = now + std::chrono::seconds(1);
    // The lock first: without it a successor may be at work in the same folder.
    if (core_.is_in_place()) return (!has_lost_pages && core_.segment().is_whole()) || renew();
    if (!core_.segment().is_in_place()) core_.segment().end();  // a successor with our roster would have it in place
    if (hooks_.log) hooks_.log("the lock or the roster was removed or replaced: this engine ends");
    end(Ending::displaced);
    return false;
}

bool Runner::renew() {
    if (hooks_.log) hooks_.log("the cluster's memory was cut short: it is made anew, and members join again");
    auto renewed = hooks_.renew();
    if (renewed) renewed = serve();
    if (renewed) return true;
    if (hooks_.log) hooks_.log("cannot make the memory anew: " + renewed.error().message);
    end(Ending::failed);
    return false;
}

void Runner::wake_sleepers() {
    std::uint32_t seen = 0;
    while (running_.load(std::memory_order_acquire)) {  // [running]
        published_.wait(seen, std::memory_order_acquire);  // [waker]
        seen = published_.load(std::memory_order_acquire);  // [waker]
        std::shared_ptr<const shm::Roster> roster;
        {
            const std::lock_guard lock(roster_mutex_);
            roster = roster_;
        }
        shm::futex_wake_all(roster->header().selector);
    }
}

}  // namespace rollcall::engine
