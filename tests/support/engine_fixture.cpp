#include "tests/support/engine_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

#include "engine/client/present.hpp"
#include "shm/index.hpp"

namespace rollcall::test {

using engine::Request;

std::string line_of(const Event& event) {
    std::string line(to_string(event.kind));
    if (is_of_nobody(event.kind)) return line;
    return line + ' ' + std::string(event.node()) + ' ' + std::string(to_string(event.reason));
}

std::vector<std::string> lines_of(const std::vector<Event>& events) {
    std::vector<std::string> lines;
    for (const Event& event : events) lines.push_back(line_of(event));
    return lines;
}

TemporaryFolder::TemporaryFolder() {
    std::string name = "/dev/shm/rollcall-engine-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder in /dev/shm");
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

TimedCore::TimedCore(EngineSetup setup) : now_(setup.start) {
    const engine::CoreOptions options{"test", "engine", "here", setup.dir, setup.settings, setup.capacity, setup.ring, {}};
    auto opened = engine::Core::open(options, now_, wall_us_);
    if (!opened) throw std::runtime_error(opened.error().message);
    core_ = std::move(*opened);
    cursor_.go_on_after(shm::load_head(core_->roster().header()));
    step();
}

void TimedCore::step_after(Duration d) {
    advance(d);
    step();
}

void TimedCore::run(Duration d, std::initializer_list<std::string_view> beating) {
    const Duration scan = core_->settings().scan;
    for (Duration left = d; left > Duration::zero(); left -= std::min(scan, left)) {
        advance(std::min(scan, left));
        for (const std::string_view node : beating) beat(node);
        step();
    }
}

engine::Answer TimedCore::ask(Request request) {
    std::optional<engine::Answer> answer;
    request.done = [&answer](const engine::Answer& a) { answer = a; };
    put(std::move(request));
    for (int steps = 0; !answer && steps < 10'000; ++steps) core_->step(now_, wall_us_, inbox_, false);
    if (!answer) throw std::runtime_error("a request was never answered");
    return *answer;
}

Request TimedCore::about(std::string_view node, Request::Kind kind) {
    Request request;
    request.kind = kind;
    request.node = std::string(node);
    return request;
}

Request TimedCore::join_request(std::string_view node, std::uint32_t pid, std::string_view endpoint, const Tags& tags) {
    Request request = about(node, Request::Kind::join);
    request.reason = Reason::join;
    request.endpoint = std::string(endpoint);
    request.tags = encode_tags(tags).value();
    request.process = {pid, pid * std::uint64_t{10}, 1000, 1000};
    request.flags = shm::blob_has_process;
    request.token = pid;
    request.producer = pid;
    return request;
}

engine::Answer TimedCore::join(std::string_view node, std::string_view endpoint, const Tags& tags) { return ask(join_request(node, next_pid_++, endpoint, tags)); }

engine::Answer TimedCore::replace(std::string_view node) {
    Request request = join_request(node, next_pid_++);
    request.may_replace = true;
    return ask(std::move(request));
}

engine::Answer TimedCore::register_peer(std::string_view node) {
    Request request = about(node, Request::Kind::join);
    request.reason = Reason::registered;
    return ask(std::move(request));
}

engine::Answer TimedCore::exit(std::string_view node, std::optional<ExitStatus> status) {
    Request request = about(node, Request::Kind::exited);
    request.status = status;
    return ask(std::move(request));
}

engine::Answer TimedCore::leave(std::string_view node) { return ask(about(node, Request::Kind::leave)); }
engine::Answer TimedCore::evict(std::string_view node) { return ask(about(node, Request::Kind::evict)); }

engine::Answer TimedCore::configure(const Settings& settings) {
    Request request = about({}, Request::Kind::configure);
    request.settings = settings;
    return ask(std::move(request));
}

shm::WordBeat TimedCore::beat(std::string_view node, Instant at) {
    shm::FoundRecord found;
    if (shm::find(core_->roster(), shm::Name::of(node), found) != shm::Lookup::found) return shm::WordBeat::foreign;
    return shm::beat(core_->writable().word(found.slot), to_stamp(at, core_->roster().base_ns()), found.record.hot.generation);
}

std::vector<Event> TimedCore::take_events() {
    std::vector<Event> events;
    shm::StoredEvent stored;
    for (;;) {
        switch (cursor_.next(core_->roster(), stored)) {
            case Cursor::Outcome::nothing: return events;
            case Cursor::Outcome::event: events.push_back(present_event(core_->roster(), stored)); break;
            case Cursor::Outcome::lapped: ADD_FAILURE() << "the ring of this test is too small for it"; break;
        }
    }
}

std::optional<Peer> TimedCore::find(std::string_view node) const {
    auto peer = find_peer(core_->roster(), node);
    return peer ? std::optional(std::move(*peer)) : std::nullopt;
}

Peer TimedCore::peer(std::string_view node) const { return find(node).value(); }

std::vector<Peer> TimedCore::peers() const { return snapshot_peers(core_->roster(), nullptr, nullptr).value(); }

shm::CheckpointValues TimedCore::checkpoint() const {
    shm::CheckpointValues values;
    if (!shm::load_checkpoint(core_->roster().header(), values)) throw std::runtime_error("the checkpoint does not read");
    return values;
}

EngineOptions options_of(const EngineSetup& setup) {
    EngineOptions options;
    options.cluster = "test";
    options.node = "engine";
    options.dir = setup.dir;
    options.settings = setup.settings;
    options.capacity = setup.capacity;
    options.ring = setup.ring;
    return options;
}

namespace {

EngineOptions with_clocks(EngineOptions options, std::function<Instant()> clock, std::function<std::int64_t()> wall, std::function<void(const std::string&)> log) {
    options.clock = std::move(clock);
    options.wall_clock = std::move(wall);
    options.log = std::move(log);
    return options;
}

}  // namespace

TimedEngine::TimedEngine(EngineSetup setup)
    : now_ns_(to_ns(setup.start)), engine_(with_clocks(
                                       options_of(setup), [this] { return now(); }, [this] { return wall_us_.load(std::memory_order_relaxed); },
                                       [this](const std::string& line) {
                                           const std::lock_guard lock(mutex_);
                                           log_.push_back(line);
                                       })) {
    engine_.add_callback([this](const Event& event) {
        const std::lock_guard lock(mutex_);
        events_.push_back(event);
    });
}

void TimedEngine::open() {
    if (auto opened = engine_.open(); !opened) throw std::runtime_error(opened.error().message);
    step();
}

void TimedEngine::step_after(Duration d) {
    advance(d);
    step();
}

void TimedEngine::run(Duration d, std::initializer_list<std::string_view> beating) {
    const Duration scan = engine_.config().scan;
    for (Duration left = d; left > Duration::zero(); left -= std::min(scan, left)) {
        advance(std::min(scan, left));
        for (const std::string_view node : beating) hear(node);
        step();
    }
}

void TimedEngine::hear(std::string_view node) { EXPECT_TRUE(engine_.on_heartbeat(node, "test", {}, now())); }

std::vector<Event> TimedEngine::take_events() {
    engine_.dispatch();
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
}

std::vector<std::string> TimedEngine::take_log() {
    const std::lock_guard lock(mutex_);
    return std::exchange(log_, {});
}

}  // namespace rollcall::test
