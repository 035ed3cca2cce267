// Four engines hear each other and 996 others over a bad network for an hour: no false death, and every true one in time. The engines, their rules, messages and
// lists are real; of the others only what they say is. One thread, moved time, one seed for everything.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/cursor.hpp"
#include "engine/client/present.hpp"
#include "engine/core.hpp"
#include "engine/hosts/list_keeper.hpp"
#include "engine/hosts/neighbourhood.hpp"
#include "shm/index.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::HostSpeaker;
using engine::Request;

constexpr std::uint32_t engines = 4, others = 996, members_of_each = 2;
constexpr double loss = 0.3, duplication = 0.05;
constexpr Duration longest_delay = 200ms, tick = 10ms;
constexpr Settings settings{};  // the defaults

std::string name_of(std::uint32_t host) { return "h" + std::to_string(host); }
std::string address_of(std::uint32_t host) { return "sim:" + std::to_string(host); }

// A host of which only the words are real. What it says of its members is what is true of them.
struct Other {
    HostSpeaker speaker;
    std::map<std::uint32_t, Incarnation> living;  // by place
    std::uint64_t version = 1;
    bool is_up = true;

    Other(std::uint32_t number, Incarnation life, std::uint64_t seed) : speaker({"test", name_of(number), life, 1}, seed) {}
};

class World;

// A real engine without threads.
class Observing {
public:
    Observing(World& world, std::uint32_t number, std::uint64_t seed);
    void hear(const Message& message, Instant at) { neighbourhood_->hear(message, at); }
    void turn(Instant now, std::int64_t wall, std::vector<Message>& out);
    std::vector<Event> take_events();
    const shm::Roster& roster() const { return core_->roster(); }

private:
    std::unique_ptr<engine::Core> core_;
    engine::Inbox inbox_;
    engine::ListKeeper keeper_;
    std::unique_ptr<engine::Neighbourhood> neighbourhood_;
    Cursor cursor_;
};

// Who lives, in which life. What an engine says of somebody is held against it.
class Truth {
public:
    void lives(const std::string& who, Incarnation life) { living_.insert_or_assign(who, life); }
    void dies(const std::string& who) { living_.erase(who); }
    // In this life: news of an earlier one's end may be late.
    bool is_alive(const std::string& who, Incarnation life) const {
        const auto at = living_.find(who);
        return at != living_.end() && at->second == life;
    }

private:
    std::map<std::string, Incarnation> living_;
};

class World {
public:
    explicit World(std::uint64_t seed) : random_(seed) {
        for (std::uint32_t i = engines; i < engines + others; ++i) start(i);
        for (std::uint32_t i = 0; i < engines; ++i) {
            truth_.lives("host " + name_of(i), Incarnation{static_cast<std::uint64_t>(wall())});
            truth_.lives("node-" + name_of(i), Incarnation{1});
            engines_.push_back(std::make_unique<Observing>(*this, i, seed * 100 + i));
        }
    }

    void run(Duration length) {
        for (const Instant end = now_ + length; now_ < end && !testing::Test::HasFailure();) {
            now_ += tick;
            happen();
            deliver();
            speak();
            for (std::uint32_t i = 0; i < engines; ++i) {
                out_.clear();
                engines_[i]->turn(now_, wall(), out_);
                for (Message& message : out_) send(i, std::move(message));
                judge(i);
            }
        }
    }
    Instant now() const { return now_; }
    std::int64_t wall() const { return wall_origin_us + std::chrono::duration_cast<std::chrono::microseconds>(now_ - origin).count(); }
    std::uint64_t deaths() const { return deaths_; }
    // Everybody knows everybody who lives.
    void expect_whole() const {
        std::size_t living = 0;
        for (const auto& [number, other] : others_)
            if (other->is_up) living += other->living.size();
        for (const auto& engine : engines_) {
            const auto peers = snapshot_peers(engine->roster(), nullptr, nullptr).value();
            const auto alive = static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), [](const Peer& p) { return p.state == State::alive; }));
            EXPECT_EQ(alive, living + engines - 1);
        }
    }

private:
    struct Flight {
        Instant at;
        std::uint64_t number;
        std::uint32_t to;
        std::shared_ptr<const Message> message;
        bool operator>(const Flight& other) const { return std::pair(at, number) > std::pair(other.at, other.number); }
    };

    bool by_chance(double chance) { return std::uniform_real_distribution<>(0, 1)(random_) < chance; }
    std::uint32_t any(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

    // Others do not listen to what is said to everybody.
    void send(std::uint32_t from, Message message) {
        const std::string to = std::exchange(message.via, address_of(from));
        const auto shared = std::make_shared<const Message>(std::move(message));
        if (!to.empty()) return send_one(static_cast<std::uint32_t>(std::strtoul(to.c_str() + 4, nullptr, 10)), shared);
        for (std::uint32_t i = 0; i < engines; ++i)
            if (i != from) send_one(i, shared);
    }
    void send_one(std::uint32_t to, const std::shared_ptr<const Message>& message) {
        if (by_chance(loss)) return;
        for (int copies = by_chance(duplication) ? 2 : 1; copies > 0; --copies)
            flying_.push({now_ + Duration(std::uniform_int_distribution<std::int64_t>(0, longest_delay.count())(random_)), sent_++, to, message});
    }
    void deliver() {
        while (!flying_.empty() && flying_.top().at <= now_) {
            const Flight flight = flying_.top();
            flying_.pop();
            if (flight.to < engines) engines_[flight.to]->hear(*flight.message, flight.at);
            else answer(flight.to, *flight.message);
        }
    }
    void answer(std::uint32_t host, const Message& message) {
        Other& other = *others_.at(host);
        if (!other.is_up) return;
        const auto said = engine::decode_host_message(message.payload).value();
        if (const auto* ask = std::get_if<engine::HostAsk>(&said)) send(host, other.speaker.answer(*ask, Incarnation{}, message, settings.heartbeat));
        if (const auto* request = std::get_if<engine::ListRequest>(&said)) {
            other.speaker.request(*request, message);
            due_.push({now_, host});
        }
    }
    void speak() {
        while (!due_.empty() && due_.top().first <= now_) {
            const std::uint32_t host = due_.top().second;
            due_.pop();
            Other& other = *others_.at(host);
            if (!other.is_up) continue;
            out_.clear();
            other.speaker.tick(now_, settings.heartbeat, out_);
            for (Message& message : out_) send(host, std::move(message));
            due_.push({std::max(other.speaker.next(), now_ + tick), host});
        }
    }

    void start(std::uint32_t host) {
        const Incarnation life{static_cast<std::uint64_t>(wall())};
        auto& other = others_[host] = std::make_unique<Other>(host, life, random_());
        truth_.lives("host " + name_of(host), life);
        for (std::uint32_t m = 0; m < members_of_each; ++m) set(host, m, life, State::alive, Reason::join);
        due_.push({now_ + Duration(std::uniform_int_distribution<std::int64_t>(0, Duration(1s).count())(random_)), host});
        other->is_up = true;
    }
    void set(std::uint32_t host, std::uint32_t member, Incarnation life, State state, Reason reason) {
        Other& other = *others_.at(host);
        engine::ListEntry entry;
        entry.place = member + 1;
        entry.version = ++other.version;
        entry.state = state;
        entry.reason = reason;
        entry.incarnation = life;
        entry.node = name_of(host) + "-" + std::to_string(member);
        other.speaker.list().set(entry);
        due_.push({now_, host});
        if (state == State::alive) {
            other.living[member] = life;
            truth_.lives(entry.node, life);
        } else {
            other.living.erase(member);
            truth_.dies(entry.node);
        }
    }
    // Members die and come back as new lives; hosts crash, and come back as new lives after they were forgotten, or before.
    void happen() {
        if (now_ - origin < 20s) return;
        if (by_chance(0.002)) {
            const std::uint32_t host = engines + any(others), member = any(members_of_each);
            Other& other = *others_.at(host);
            const bool lives = other.living.contains(member);
            const Incarnation life{static_cast<std::uint64_t>(wall())};
            if (other.is_up) set(host, member, lives ? other.living[member] : life, lives ? State::dead : State::alive, lives ? Reason::process_exit : Reason::join);
            if (other.is_up && lives) ++deaths_;
        }
        if (by_chance(0.0002)) crash(engines + any(others));
        for (auto at = returns_.begin(); at != returns_.end();) {
            if (at->first > now_) break;
            start(at->second);
            at = returns_.erase(at);
        }
    }
    void crash(std::uint32_t host) {
        Other& other = *others_.at(host);
        if (!other.is_up) return;
        other.is_up = false;
        truth_.dies("host " + name_of(host));
        for (const auto& [member, life] : other.living) truth_.dies(name_of(host) + "-" + std::to_string(member));
        must_die_.emplace(now_ + settings.dead + settings.heartbeat + settings.scan + longest_delay + tick, host);
        returns_.emplace(now_ + std::chrono::seconds(8 + any(40)), host);
        ++deaths_;
    }

    void judge(std::uint32_t observer) {
        for (const Event& event : engines_[observer]->take_events()) {
            const EventKind kind = plain_kind(event.kind);
            if (kind != EventKind::dead) continue;
            const std::string who = (is_of_host(event.kind) ? "host " : "") + std::string(event.node());
            ASSERT_FALSE(truth_.is_alive(who, event.incarnation)) << "at " << name_of(observer) << ' ' << line_of(event) << " after " << std::chrono::duration<double>(now_ - origin).count() << " s";
        }
        while (observer + 1 == engines && !must_die_.empty() && must_die_.begin()->first <= now_) {
            const std::uint32_t host = must_die_.begin()->second;
            must_die_.erase(must_die_.begin());
            if (!others_.at(host)->is_up) expect_dead(host);
        }
    }
    void expect_dead(std::uint32_t host) {
        for (const auto& engine : engines_) {
            shm::FoundRecord found;
            if (shm::find(engine->roster(), shm::Name::of_host(name_of(host)), found) != shm::Lookup::found) continue;
            ASSERT_EQ(found.record.hot.state, State::dead) << name_of(host) << " crashed, and it is " << std::chrono::duration<double>(now_ - origin).count() << " s";
        }
    }

    std::mt19937_64 random_;
    Instant now_ = origin;
    std::vector<std::unique_ptr<Observing>> engines_;
    std::map<std::uint32_t, std::unique_ptr<Other>> others_;
    std::priority_queue<Flight, std::vector<Flight>, std::greater<>> flying_;
    std::priority_queue<std::pair<Instant, std::uint32_t>, std::vector<std::pair<Instant, std::uint32_t>>, std::greater<>> due_;
    std::multimap<Instant, std::uint32_t> must_die_, returns_;
    std::vector<Message> out_;
    Truth truth_;
    std::uint64_t sent_ = 0, deaths_ = 0;
};

Observing::Observing(World& world, std::uint32_t number, std::uint64_t seed) : keeper_({"node-" + name_of(number), ""}) {
    const engine::CoreOptions options{"test", "node-" + name_of(number), name_of(number), "", settings, 8192, 65'536, {}};
    core_ = std::move(engine::Core::open(options, world.now(), world.wall()).value());
    engine::Neighbourhood::Hooks hooks;
    hooks.settings = [] { return settings; };
    hooks.speaks = [] { return true; };
    hooks.put = [this](Request request) { return inbox_.put(std::move(request)); };
    hooks.beat = [this](const engine::HostWords& words, bool agrees, Instant at, const engine::PathQuality&) {
        shm::Roster& roster = core_->writable();
        const Stamp stamp = to_stamp(at, roster.base_ns());
        if (shm::beat(roster.word(words.host), stamp, words.host_generation) == shm::WordBeat::foreign) return false;
        return !agrees || shm::beat(roster.word(words.word), stamp, words.word_generation) != shm::WordBeat::foreign;
    };
    const engine::HostIdentity self{"test", name_of(number), Incarnation{static_cast<std::uint64_t>(world.wall())}, 1};
    neighbourhood_ = std::make_unique<engine::Neighbourhood>(self, hooks, core_->roster().capacity(), seed);
    cursor_.go_on_after(shm::load_head(core_->roster().header()));
}

void Observing::turn(Instant now, std::int64_t wall, std::vector<Message>& out) {
    core_->step(now, wall, inbox_, true);
    neighbourhood_->change_list([&](engine::OwnList& list) {
        keeper_.follow(core_->roster(), Incarnation{1}, list);
        return std::optional<Incarnation>();
    });
    neighbourhood_->tick(now, out);
}

std::vector<Event> Observing::take_events() {
    std::vector<Event> events;
    shm::StoredEvent stored;
    while (cursor_.next(core_->roster(), stored) == Cursor::Outcome::event) events.push_back(present_event(core_->roster(), stored));
    return events;
}

// ROLLCALL_SIMULATED_MINUTES: how long; another than an hour is for looking around.
Duration simulated() {
    const char* minutes = std::getenv("ROLLCALL_SIMULATED_MINUTES");
    return std::chrono::minutes(minutes == nullptr ? 60 : std::atoi(minutes));
}

// ROLLCALL_SIMULATED_SEEDS: how many; 20 before a release.
std::uint64_t seeds() {
    const char* count = std::getenv("ROLLCALL_SIMULATED_SEEDS");
    return count == nullptr ? 2 : static_cast<std::uint64_t>(std::atoi(count));
}

class ManyHosts : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ManyHosts, NoFalseDeathsAndNoLateOnes) {
    World world(GetParam());
    world.run(20s);
    world.expect_whole();
    world.run(simulated() - 20s);
    EXPECT_GT(world.deaths(), std::chrono::duration_cast<std::chrono::minutes>(simulated()).count()) << "there was something to get wrong";
}

INSTANTIATE_TEST_SUITE_P(Seeds, ManyHosts, testing::Range<std::uint64_t>(1, 1 + seeds()), [](const auto& seed) { return "Seed" + std::to_string(seed.param); });

}  // namespace
}  // namespace rollcall::test
