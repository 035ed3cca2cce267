#include "engine/engine.hpp"

#include <atomic>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>

#include <grp.h>
#include <unistd.h>

#include "engine/client/present.hpp"
#include "engine/engine_impl.hpp"
#include "shm/index.hpp"
#include "shm/word.hpp"

namespace rollcall {

using engine::Request;

namespace {

std::string host_name() {
    char name[shm::max_node_id + 1] = {};
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
    return name;
}

// Unique as long as hosts' names are: several engines on one host differ in what tells them apart there. Too long a one ends in a hash.
std::string default_host(const Engine::Options& options) {
    std::string host = host_name();
    if (options.dir.empty() && options.node != host) host += ":" + options.node;
    else if (!options.dir.empty() && !shm::is_well_known(options.dir)) host += ":" + options.dir;
    if (host.size() <= shm::max_node_id) return host;
    const std::string hash = std::to_string(std::hash<std::string>{}(host) % 1'000'000'000);
    return host.substr(0, shm::max_node_id - hash.size() - 1) + "-" + hash;
}

std::int64_t system_wall_clock() { return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

Result<std::optional<std::uint32_t>> group_id(const std::string& name) {
    if (name.empty()) return std::optional<std::uint32_t>{};
    if (const group* found = ::getgrnam(name.c_str()); found != nullptr) return std::optional<std::uint32_t>{found->gr_gid};
    return fail(ErrorKind::invalid, "no group '" + name + "' on this host");
}

}  // namespace

Engine::Impl::Impl(Options o) : options(std::move(o)), dispatcher(options.log) {
    if (options.node.empty()) options.node = host_name();
    if (options.host.empty()) options.host = default_host(options);
    if (!options.clock) options.clock = [] { return std::chrono::steady_clock::now(); };
    if (!options.wall_clock) options.wall_clock = system_wall_clock;
    inbox.on_put([this] { bell.ring(); });
}

engine::CoreOptions Engine::Impl::core_options(std::optional<std::uint32_t> gid) const {
    return {options.cluster, options.node, options.host, options.dir, options.settings, options.capacity, options.ring, gid};
}

void Engine::Impl::tell_refusals(Request& request) {
    request.done = [this, node = request.node](const engine::Answer& answer) {
        const Instant now = options.clock();
        if (!answer.error || !options.log || now < next_refusal) return;
        next_refusal = now + std::chrono::seconds(1);
        options.log("cannot register '" + node + "': " + answer.error->message);
    };
}

Result<void> Engine::Impl::put(Request request) {
    if (inbox.put(std::move(request))) return {};
    return fail(ErrorKind::busy, "the inbox is full: " + std::to_string(engine::Inbox::bound) + " requests are waiting");
}

Engine::Engine(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Engine::~Engine() {
    if (impl_->process != ::getpid()) {  // a forked child: threads and locks of its copy are its parent's
        (void)impl_.release();
        return;
    }
    stop();
    impl_->dispatcher.stop();
}

const std::string& Engine::cluster_id() const noexcept { return impl_->options.cluster; }
const std::string& Engine::local_node_id() const noexcept { return impl_->options.node; }

Result<void> Engine::Impl::open_locked() {
    if (core) return {};
    auto named = group_id(options.group);
    if (!named) return fail(named.error());
    group = *named;
    Settings now_in_force;
    {
        const std::lock_guard lock(settings);
        now_in_force = options.settings;
    }
    auto wanted = core_options(group);
    wanted.settings = now_in_force;
    auto opened = engine::Core::open(wanted, options.clock(), options.wall_clock());
    if (!opened) return fail(opened.error());
    const std::lock_guard no_step(stepping);  // sync() on another thread looks whether there is a core
    const std::unique_lock lock(memory);
    core = std::move(*opened);
    received.store(core->counter(engine::Counter::heartbeats_received), std::memory_order_relaxed);
    sent.store(core->counter(engine::Counter::heartbeats_sent), std::memory_order_relaxed);
    dispatcher.attach(core->shared_roster(), shm::load_head(core->roster().header()));
    return {};
}

Result<void> Engine::open() {
    if (impl_->dispatcher.is_inside_callback()) return fail(ErrorKind::invalid, "an engine cannot be opened from one of its own callbacks");
    const std::lock_guard lock(impl_->lifecycle);
    const bool is_new = !impl_->core;
    auto opened = impl_->open_locked();
    if (opened) opened = impl_->tie(*this);
    if (opened && is_new) impl_->tell_of_opening();
    return opened;
}

// What became of what lay there.
void Engine::Impl::tell_of_opening() const {
    if (!options.log || !core->paths()) return;
    if (!core->why_replaced().empty()) options.log("replaced what lay in " + core->paths()->folder + ": " + core->why_replaced());
    if (core->has_adopted()) options.log("goes on with the members that an earlier engine left in " + core->paths()->folder);
}

Result<void> Engine::start() {
    Impl& i = *impl_;
    if (is_running()) return {};
    if (i.dispatcher.is_inside_callback()) return fail(ErrorKind::invalid, "an engine cannot be started from one of its own callbacks");
    const std::lock_guard lock(i.lifecycle);
    if (is_running()) return {};
    // What a runner left behind that ended by itself, or was stopped from a callback, is given up first.
    if (i.is_threaded()) {
        i.stop_threads();
        i.let_go();
    }
    if (auto opened = i.open_locked(); !opened) return opened;
    if (auto tied = i.tie(*this); !tied) return tied;
    i.threaded.store(true, std::memory_order_release);  // [threaded] pairs with is_threaded
    { const std::lock_guard last_step(i.stepping); }  // one that has begun is waited for
    i.ending.store(Ending::none, std::memory_order_relaxed);  // relaxed: no runner is there
    auto runner = std::make_unique<engine::Runner>(*i.core, i.inbox, i.bell, i.running, i.ending,
                                                   engine::Runner::Hooks{i.options.clock, i.options.wall_clock, i.options.log, [&i] { i.take_counts(); }, [&i] { i.wake_link(); }, [&i] { return i.renew(); }});
    auto started = runner->start(i.group);
    if (!started) {
        runner.reset();
        i.let_go();
        return started;
    }
    i.runner = std::move(runner);
    i.dispatcher.start();
    if (i.link && !i.link->start_emitting() && i.options.log) i.options.log("cannot start the thread that sends heartbeats: this node is not heard of");
    i.tell_of_opening();
    return {};
}

void Engine::Impl::stop_threads() {
    stopping.store(true, std::memory_order_relaxed);  // relaxed: only asks a callback not to wait for us
    if (runner) runner->stop();
    if (link) link->stop_emitting();
    {
        const std::lock_guard no_step(stepping);
        if (link && core && core->is_closing()) link->say_goodbye(options.clock());
    }
    dispatcher.stop();
    stopping.store(false, std::memory_order_relaxed);
}

// On the detector's thread. Readers wait meanwhile; callbacks may still stand on what was.
Result<void> Engine::Impl::renew() {
    const std::unique_lock lock(memory);
    if (auto renewed = core->renew(options.clock(), options.wall_clock()); !renewed) return renewed;
    dispatcher.move_to(core->shared_roster(), shm::load_head(core->roster().header()));
    return {};
}

// Gives up lock and memory. No thread of ours is left.
void Engine::Impl::let_go() {
    untie();
    const std::unique_lock lock(memory);
    runner.reset();
    core.reset();
    threaded.store(false, std::memory_order_release);  // [threaded]
}

// A callback that stops the engine still stands on the memory: it is let go at the next stop, start or destruction. Another thread may be
// waiting for this very callback while it stops the engine: then there is nothing left to do here.
void Engine::Impl::stop_from_callback() {
    std::unique_lock lock(lifecycle, std::defer_lock);
    while (!lock.try_lock()) {
        if (stopping.load(std::memory_order_relaxed)) return;
        std::this_thread::yield();
    }
    stop_threads();
    lets_go_after_dispatch = !is_threaded();
}

void Engine::stop() noexcept {
    Impl& i = *impl_;
    if (i.dispatcher.is_inside_callback()) return i.stop_from_callback();
    const std::lock_guard lock(i.lifecycle);
    i.stop_threads();
    const std::lock_guard last_step(i.stepping);
    i.let_go();
}

bool Engine::is_running() const noexcept { return impl_->running.load(std::memory_order_acquire); }  // [running] pairs with the detector's end

Ending Engine::ending() const { return is_running() ? Ending::none : impl_->ending.load(std::memory_order_relaxed); }  // relaxed: `running` publishes it

std::optional<Instant> Engine::last_look() const {
    const std::shared_lock lock(impl_->memory);
    if (!impl_->core) return std::nullopt;
    return instant_from_ns(static_cast<std::int64_t>(impl_->core->roster().header().step_ns.load(std::memory_order_acquire)));  // [step]
}

void Engine::step(Instant now) {
    Impl& i = *impl_;
    const std::lock_guard lock(i.stepping);
    if (i.is_threaded() || !i.core) return;
    i.take_counts();
    i.core->step(now, i.options.wall_clock(), i.inbox, true);
    if (i.link) i.link->emit_if_due(now);
}

void Engine::dispatch() {
    if (impl_->is_threaded() || !impl_->core) return;
    impl_->dispatcher.deliver();
    if (std::exchange(impl_->lets_go_after_dispatch, false)) stop();
}

// Up to a mark of our own, not until nothing is left: other threads may go on putting for ever.
void Engine::Impl::answer_all_until_now() {
    bool answered = false;
    Request mark;
    mark.done = [&answered](const engine::Answer&) { answered = true; };
    take_counts();
    bool is_put = false;
    while (!answered) {
        is_put = is_put || inbox.put(std::move(mark));  // over its bound, the inbox leaves it unharmed
        core->step(options.clock(), options.wall_clock(), inbox, false);
    }
}

void Engine::sync() {
    Impl& i = *impl_;
    {
        const std::lock_guard lock(i.stepping);
        if (!i.is_threaded()) {
            if (i.core) i.answer_all_until_now();
            return;
        }
    }
    auto answered = std::make_shared<std::promise<void>>();
    auto done = answered->get_future();
    Request mark;
    mark.done = [answered](const engine::Answer&) { answered->set_value(); };
    if (!is_running() || !i.inbox.put(std::move(mark))) return;
    while (is_running() && done.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {}
}

Result<void> Engine::set_config(const Settings& settings) {
    if (auto ok = validate(settings); !ok) return ok;
    Request request;
    request.kind = Request::Kind::configure;
    request.settings = settings;
    request.done = [impl = impl_.get()](const engine::Answer&) {
        const std::lock_guard lock(impl->settings);
        --impl->pending;
    };
    const std::lock_guard lock(impl_->settings);
    if (auto put = impl_->put(std::move(request)); !put) return put;
    ++impl_->pending;
    impl_->options.settings = settings;
    return {};
}

// What was last asked for here until a step has seen it; then what the memory says, which an operator may have changed.
Settings Engine::config() const {
    const std::shared_lock memory(impl_->memory);
    const std::lock_guard lock(impl_->settings);
    shm::CheckpointValues values;
    const bool from_memory = impl_->pending == 0 && impl_->core && shm::load_checkpoint(impl_->core->roster().header(), values);
    return from_memory ? values.settings : impl_->options.settings;
}

namespace {

Result<Request> about(std::string_view node, const std::string& own, Request::Kind kind) {
    if (auto ok = shm::validate_node_id(node); !ok) return fail(ok.error());
    if (node == own) return fail(ErrorKind::invalid, "node id '" + own + "' is the engine's own");
    Request request;
    request.kind = kind;
    request.node = std::string(node);
    return request;
}

}  // namespace

Result<void> Engine::register_peer(std::string_view node, std::string_view endpoint, const Tags& tags) {
    auto request = about(node, impl_->options.node, Request::Kind::join);
    if (!request) return fail(request.error());
    if (auto ok = validate_endpoint(endpoint); !ok) return ok;
    auto encoded = encode_tags(tags);
    if (!encoded) return fail(encoded.error());
    request->reason = Reason::registered;
    request->endpoint = std::string(endpoint);
    request->tags = std::move(*encoded);
    impl_->tell_refusals(*request);
    return impl_->put(std::move(*request));
}

Result<void> Engine::on_heartbeat(std::string_view node, std::string_view cluster, std::string_view endpoint, Instant at) {
    if (cluster != impl_->options.cluster || node == impl_->options.node) return {};
    auto request = about(node, impl_->options.node, Request::Kind::heartbeat);
    if (!request) return fail(request.error());
    if (auto ok = validate_endpoint(endpoint); !ok) return ok;
    impl_->received.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
    {
        const std::shared_lock lock(impl_->memory);
        shm::FoundRecord found;
        if (impl_->core && shm::find(impl_->core->roster(), shm::Name::of(node), found) == shm::Lookup::found) {
            shm::Roster& roster = impl_->core->writable();
            if (found.record.hot.word_slot != found.slot) return {};  // its host speaks for it
            if ((shm::load_blob_flags(roster, found.record.hot.blob) & shm::blob_has_process) != 0) return {};  // it beats for itself
            shm::beat(roster.word(found.slot), to_stamp(at, roster.base_ns()), found.record.hot.generation);
            shm::Blob blob;
            const bool same_endpoint = endpoint.empty() || (shm::load_blob(roster, found.record.hot.blob, blob) && blob.endpoint() == endpoint);
            if (same_endpoint) return {};
        }
    }
    request->reason = Reason::heartbeat;
    request->endpoint = std::string(endpoint);
    request->at = at;
    impl_->tell_refusals(*request);
    return impl_->put(std::move(*request));
}

Result<void> Engine::leave(std::string_view node) {
    auto request = about(node, impl_->options.node, Request::Kind::leave);
    return request ? impl_->put(std::move(*request)) : fail(request.error());
}

Result<void> Engine::evict(std::string_view node) {
    auto request = about(node, impl_->options.node, Request::Kind::evict);
    return request ? impl_->put(std::move(*request)) : fail(request.error());
}

std::optional<Peer> Engine::find(std::string_view node) const {
    const std::shared_lock lock(impl_->memory);
    if (!impl_->core) return std::nullopt;
    auto peer = find_peer(impl_->core->roster(), node);
    return peer ? std::optional<Peer>(std::move(*peer)) : std::nullopt;
}

std::vector<Peer> Engine::snapshot() const {
    const std::shared_lock lock(impl_->memory);
    if (!impl_->core) return {};
    // The writer is this process and pauses between its commits; only damaged memory never reads.
    for (int attempt = 0; attempt < 1000; ++attempt)
        if (auto peers = snapshot_peers(impl_->core->roster(), nullptr, nullptr)) return std::move(*peers);
    if (impl_->options.log) impl_->options.log("the memory does not read: no snapshot could be taken");
    return {};
}

Counters Engine::counters() const {
    const std::shared_lock lock(impl_->memory);
    shm::CheckpointValues values;
    Counters counters;
    if (impl_->core && shm::load_checkpoint(impl_->core->roster().header(), values)) counters = present_counters(values);
    counters.heartbeats_received = impl_->received.load(std::memory_order_relaxed);  // relaxed: a statistic, newer than the memory's
    counters.heartbeats_sent = impl_->sent.load(std::memory_order_relaxed);
    return counters;
}

Engine::CallbackId Engine::add_callback(Callback callback) { return impl_->dispatcher.add(std::move(callback)); }
bool Engine::remove_callback(CallbackId id) { return impl_->dispatcher.remove(id); }

}  // namespace rollcall
