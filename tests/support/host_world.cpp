#include "tests/support/host_world.hpp"

#include <stdexcept>
#include <utility>

#include "engine/client/present.hpp"
#include "engine/hosts/listening.hpp"
#include "shm/index.hpp"

namespace rollcall::test {

using engine::Request;

WorldHost::WorldHost(HostWorld& world, std::string name, std::string called, EngineSetup setup, std::uint64_t seed)
    : world_(world), name_(std::move(name)), called_(std::move(called)), setup_(std::move(setup)), seed_(seed), transport_(world.make_transport(name_)), shard_(std::make_shared<Shard>("test", "node-" + name_)) {
    transport_->register_shard(shard_);
    shard_->bus().attach(membership_prefix("test") + "@.", [this](const Message& message, Instant at) {
        if (passes_ && !passes_(message)) return;
        if (frozen_) waiting_.emplace_back(message, at);
        else if (link_) link_->hear(message, at);
    });
    start();
}

void WorldHost::start() {
    if (core_) return;
    const engine::CoreOptions options{"test", "node-" + name_, called_, folder_->path(), setup_.settings, setup_.capacity, setup_.ring, {}};
    auto opened = engine::Core::open(options, world_.now(), wall_us());
    if (!opened) throw std::runtime_error(opened.error().message);
    core_ = std::move(*opened);
    inbox_ = std::make_unique<engine::Inbox>();
    shm::CheckpointValues values;
    shm::load_checkpoint(core_->roster().header(), values);
    const engine::HostIdentity self{"test", called_, Incarnation{values.host_incarnation}, core_->roster().header().epoch.load(std::memory_order_relaxed)};
    core_->listen(engine::listening_of(transport_));
    link_ = std::make_unique<engine::HostLink>(self, engine::ListKeeper::OwnNode{"node-" + name_, ""}, transport_, hooks(), core_->roster().capacity(), ++seed_, sent_);
    cursor_.go_on_after(shm::load_head(core_->roster().header()));
    next_look_ = world_.now();
    turn();
}

std::int64_t WorldHost::wall_us() const { return world_.wall_us() + std::chrono::duration_cast<std::chrono::microseconds>(clock_ahead_).count(); }

void WorldHost::crash() {
    link_.reset();
    core_.reset();
    inbox_.reset();
    waiting_.clear();
    frozen_ = false;
}

void WorldHost::lose_memory() {
    crash();
    folder_ = std::make_unique<TemporaryFolder>();
    silent_.clear();
}

engine::HostLink::Hooks WorldHost::hooks() {
    engine::HostLink::Hooks hooks;
    hooks.neighbourhood.settings = [this] { return core_->settings(); };
    hooks.neighbourhood.speaks = [this] { return looks(); };
    hooks.neighbourhood.put = [this](Request request) { return inbox_->put(std::move(request)); };
    hooks.neighbourhood.beat = [this](const engine::HostWords& words, bool agrees, Instant at, const engine::PathQuality&) { return beat(words, agrees, at); };
    hooks.neighbourhood.ways = engine::ways_of(transport_);
    hooks.read = [this](const std::function<void(const shm::Roster&, Incarnation)>& with) {
        shm::CheckpointValues values;
        if (shm::load_checkpoint(core_->roster().header(), values)) with(core_->roster(), Incarnation{values.host_incarnation});
    };
    return hooks;
}

bool WorldHost::beat(const engine::HostWords& words, bool agrees, Instant at) {
    shm::Roster& roster = core_->writable();
    if (roster.header().stream.load(std::memory_order_relaxed) != words.stream) return false;
    const Stamp stamp = to_stamp(at, roster.base_ns());
    if (shm::beat(roster.word(words.host), stamp, words.host_generation) == shm::WordBeat::foreign) return false;
    return !agrees || shm::beat(roster.word(words.word), stamp, words.word_generation) != shm::WordBeat::foreign;
}

bool WorldHost::looks() const {
    const auto last = static_cast<std::int64_t>(core_->roster().header().step_ns.load(std::memory_order_relaxed));
    return to_ns(world_.now()) - last <= core_->settings().suspect.count();
}

void WorldHost::ask(Request request) {
    bool answered = false;
    request.done = [&answered](const engine::Answer&) { answered = true; };
    inbox_->put(std::move(request));
    for (int steps = 0; !answered && steps < 10'000; ++steps) core_->step(world_.now(), wall_us(), *inbox_, false);
    if (!answered) throw std::runtime_error("a request was never answered");
}

void WorldHost::join(const std::string& node) {
    Request request = TimedCore::join_request(node, next_pid_++);
    request.may_replace = true;
    ask(std::move(request));
    silent_[node] = false;
}

void WorldHost::exit(const std::string& node) {
    Request request = TimedCore::about(node, Request::Kind::exited);
    request.status = ExitStatus{true, 9};
    ask(std::move(request));
    silent_.erase(node);
}

void WorldHost::leave(const std::string& node) {
    ask(TimedCore::about(node, Request::Kind::leave));
    silent_.erase(node);
}

void WorldHost::silence(const std::string& node, bool silent) { silent_.at(node) = silent; }

void WorldHost::turn() {
    if (!core_ || frozen_) return;
    for (auto& [message, at] : std::exchange(waiting_, {})) link_->hear(message, world_.now());
    for (const auto& [node, is_silent] : silent_) {
        Instant& last = beat_at_[node];
        if (is_silent || world_.now() - last < core_->settings().heartbeat / 2) continue;
        last = world_.now();
        shm::FoundRecord found;
        if (shm::find(core_->roster(), shm::Name::of(node), found) != shm::Lookup::found || found.record.hot.word_slot != found.slot) continue;
        shm::beat(core_->writable().word(found.slot), to_stamp(world_.now(), core_->roster().base_ns()), found.record.hot.generation);
    }
    const bool looks = world_.now() >= next_look_;
    if (looks) next_look_ = world_.now() + core_->settings().scan;
    core_->step(world_.now(), wall_us(), *inbox_, looks);
    link_->turn(world_.now());
}

std::vector<Event> WorldHost::take_events() {
    std::vector<Event> events;
    if (!core_) return events;
    shm::StoredEvent stored;
    for (;;) {
        switch (cursor_.next(core_->roster(), stored)) {
            case Cursor::Outcome::nothing: return events;
            case Cursor::Outcome::event: events.push_back(present_event(core_->roster(), stored)); break;
            case Cursor::Outcome::lapped: throw std::runtime_error("the ring of this test is too small for it");
        }
    }
}

std::vector<Peer> WorldHost::peers() const { return snapshot_peers(core_->roster(), nullptr, nullptr).value(); }

std::optional<Peer> WorldHost::find(std::string_view node) const {
    auto found = find_peer(core_->roster(), node);
    return found ? std::optional(std::move(*found)) : std::nullopt;
}

std::shared_ptr<Transport> HostWorld::make_transport(const std::string& host) {
    std::vector<std::shared_ptr<Transport>> parts;
    for (const auto& network : networks_) parts.push_back(network->add_host(host));
    return parts.size() == 1 ? parts.front() : CombinedTransport::make(std::move(parts)).value();
}

WorldHost& HostWorld::add_as(const std::string& name, const std::string& called, EngineSetup setup) {
    for (const auto& network : networks_) network->deliver_until(now_);
    return *(hosts_[name] = std::make_unique<WorldHost>(*this, name, called, std::move(setup), seed_ * 1000 + hosts_.size() * 100));
}

void HostWorld::run(Duration d) {
    for (const Instant end = now_ + d; now_ < end;) {
        now_ += step;
        for (const auto& network : networks_) network->deliver_until(now_);
        for (const auto& [name, host] : hosts_) host->turn();
    }
}

void HostWorld::cut(const std::string& a, const std::string& b) {
    for (const auto& network : networks_) {
        network->cut(a, b);
        network->cut(b, a);
    }
}

}  // namespace rollcall::test
