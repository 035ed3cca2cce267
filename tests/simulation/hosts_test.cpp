// A few hosts to which everything happens: crashes, restarts, lost memories, frozen engines, partitions, a bad network, members that come, go, die and fall silent.
// Real engines, real messages, one thread, one seed. After every step what each engine told is held against what it shows; in calm times nobody is
// called dead who is not; and when everything is healed all agree.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/client/present.hpp"
#include "shm/verify.hpp"
#include "tests/support/host_world.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

constexpr Settings quick{.heartbeat = 100ms, .suspect = 300ms, .dead = 500ms, .evict = 1s, .scan = 10ms};
// After the last disturbance: what was in doubt is judged, and whoever came back is known.
constexpr Duration until_calm = 3s;

// What one engine has told so far, folded as an observer would.
class Fold {
public:
    // Empty: it may happen to whoever is in this state.
    std::string apply(const Event& e) {
        if (e.kind == EventKind::gap) return "a hole";
        if (last_ != 0 && e.sequence.value != last_ + 1) return "event " + std::to_string(e.sequence.value) + " after " + std::to_string(last_);
        last_ = e.sequence.value;
        const EventKind of_no_state[] = {EventKind::one_way, EventKind::orphaned, EventKind::duplicate, EventKind::host_duplicate};
        if (is_of_nobody(e.kind) || std::find(std::begin(of_no_state), std::end(of_no_state), e.kind) != std::end(of_no_state)) return {};
        const std::string who = (is_of_host(e.kind) ? "host " : "") + std::string(e.node());
        const State before = states_.contains(who) ? states_.at(who) : State::none;
        if (!is_lawful(plain_kind(e.kind), before)) return std::string(to_string(before)) + " before '" + line_of(e) + "'";
        if (e.state == State::none) states_.erase(who);
        else states_[who] = e.state;
        return {};
    }
    // Of members alone.
    std::map<std::string, State> members() const {
        std::map<std::string, State> all;
        for (const auto& [who, state] : states_)
            if (!who.starts_with("host ")) all.emplace(who, state);
        return all;
    }
    void begin_at(const std::vector<Peer>& peers, Sequence at) {
        states_.clear();
        for (const Peer& p : peers) states_[p.node] = p.state;
        last_ = at.value;
    }
    void add_host(const std::string& host, State state) { states_["host " + host] = state; }

private:
    static bool is_lawful(EventKind kind, State before) {
        switch (kind) {
            case EventKind::joined: return before == State::none || before == State::dead;
            case EventKind::suspect: return before == State::alive;
            case EventKind::recovered: return before == State::suspect || before == State::dead;
            case EventKind::dead: return before == State::alive || before == State::suspect;
            case EventKind::evicted: return before != State::none;
            case EventKind::left: return before != State::none;
            case EventKind::updated: return before != State::none;
            default: return false;
        }
    }
    std::map<std::string, State> states_;
    std::uint64_t last_ = 0;
};

class Story {
public:
    // Of every three, one plays on two networks.
    explicit Story(std::uint64_t seed) : random_(seed), world_(seed, seed % 3 == 0 ? std::vector<std::string>{"wire", "radio"} : std::vector<std::string>{"wire"}) {
        const std::uint32_t count = 3 + any(2);
        for (std::uint32_t i = 0; i < count; ++i) names_.push_back(std::string(1, static_cast<char>('a' + i)));
        for (const std::string& name : names_) {
            world_.add(name, {.settings = quick, .capacity = 256, .ring = 4096});
            begin_fold(name);
        }
        disturb("begin");
    }

    // Chaos and calm, twice, then peace.
    void play() {
        for (int act = 0; act < 2 && is_fine(); ++act) {
            run(2s, true);
            heal();
            run(until_calm + 1s, false);
        }
        expect_agreement();
    }
    std::string log() const { return log_.str(); }
    bool is_fine() const { return why_.empty(); }
    const std::string& why() const { return why_; }

private:
    std::uint32_t any(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
    const std::string& any_name() { return names_[any(static_cast<std::uint32_t>(names_.size()))]; }
    void note(const std::string& what) { log_ << std::chrono::duration_cast<std::chrono::milliseconds>(world_.now() - origin).count() << " ms: " << what << '\n'; }
    void disturb(const std::string& what) {
        note(what);
        disturbed_at_ = world_.now();
    }
    void fail(const std::string& why) {
        if (!why_.empty()) return;
        note(why_ = why);
        for (const std::string& name : names_) {
            if (!world_[name].is_up()) continue;
            for (const engine::HostView& v : world_[name].link().hosts())
                log_ << "    " << name << " knows " << v.host << " at '" << v.address << "', life " << v.incarnation.value << (v.is_verified ? "" : ", unverified") << (v.agrees ? "" : ", differs") << ", " << v.members
                     << " members, heard " << std::chrono::duration_cast<std::chrono::milliseconds>(world_.now() - v.last_heard).count() << " ms ago\n";
        }
    }

    void begin_fold(const std::string& name) {
        WorldHost& host = world_[name];
        host.take_events();
        Fold& fold = folds_[name] = Fold();
        fold.begin_at(host.peers(), shm::load_head(host.core().roster().header()));
        const std::vector<Host> others = snapshot_hosts(host.core().roster()).value();
        for (const Host& other : others) fold.add_host(other.name, other.state);
    }

    void run(Duration length, bool chaos) {
        for (const Instant end = world_.now() + length; world_.now() < end && is_fine();) {
            if (any(4) == 0) member_event();
            if (chaos && any(8) == 0) disturbance();
            world_.run(HostWorld::step);
            for (const std::string& name : names_) check(name);
        }
    }
    void member_event() {
        const std::string name = any_name();
        WorldHost& host = world_[name];
        if (!host.is_up() || host.is_frozen()) return;
        const std::string node = name + "-" + std::to_string(any(4));
        const bool is_there = host.members().contains(node);
        const std::uint32_t what = any(6);
        if (!is_there && what < 4) {
            note(node + " joins");
            host.join(node);
            beating_since_[node] = world_.now();
        } else if (is_there && what == 0) {
            note(node + " dies");
            host.exit(node);
        } else if (is_there && what == 1) {
            note(node + " leaves");
            host.leave(node);
        } else if (is_there && what == 2) {
            const bool silent = !host.members().at(node);
            note(node + (silent ? " falls silent" : " beats again"));
            host.silence(node, silent);
            if (!silent) beating_since_[node] = world_.now();
        }
    }
    void disturbance() {
        const std::string name = any_name(), other = any_name();
        WorldHost& host = world_[name];
        const std::size_t which = any(static_cast<std::uint32_t>(world_.networks()));
        InProcessNetwork& network = world_.network(which);
        switch (any(10)) {
            case 0: return crash(name);
            case 1: return start(name);
            case 2:
                disturb(name + " loses its memory, and its clock is set");
                host.lose_memory();
                host.set_clock(std::chrono::hours(24) * (static_cast<int>(any(3)) - 1));
                return start(name);
            case 3:
                disturb(name + (host.is_frozen() ? " goes on" : " freezes"));
                if (host.is_up()) host.freeze(!host.is_frozen());
                return;
            case 4:
                disturb("cut " + name + " to " + other + " on the " + network.name());
                return network.cut(name, other);
            case 5:
                disturb("cut " + name + " and " + other);
                return world_.cut(name, other);
            case 6:
                disturb("the " + network.name() + " is whole");
                return network.heal();
            case 7:
                disturb(name + " stops listening to the " + network.name());
                return network.stop_listening(name);
            case 8:
                disturb(name + " listens to the " + network.name());
                return network.listen_again(name);
            default:
                disturb("a bad " + network.name());
                return network.set_conditions({any(5) * 0.1, any(3) * 0.1, 0ms, std::chrono::milliseconds(any(80))});
        }
    }
    void crash(const std::string& name) {
        disturb(name + " crashes");
        world_[name].crash();
    }
    void start(const std::string& name) {
        WorldHost& host = world_[name];
        if (host.is_up()) return;
        disturb(name + " starts");
        host.start();
        begin_fold(name);
    }
    void heal() {
        disturb("healed");
        for (std::size_t i = 0; i < world_.networks(); ++i) {
            world_.network(i).heal();
            world_.network(i).set_conditions({});
            for (const std::string& name : names_) world_.network(i).listen_again(name);
        }
        for (const std::string& name : names_) {
            if (world_[name].is_up()) world_[name].freeze(false);
            else start(name);
        }
    }

    void check(const std::string& name) {
        WorldHost& host = world_[name];
        if (!host.is_up()) return;
        for (const Event& event : host.take_events()) {
            log_ << "    " << name << ": " << line_of(event) << '\n';
            if (const std::string wrong = folds_[name].apply(event); !wrong.empty()) return fail(name + " tells " + wrong);
            if (plain_kind(event.kind) == EventKind::dead) check_death(name, event);
        }
        std::map<std::string, State> shown;
        for (const Peer& p : host.peers()) shown.emplace(p.node, p.state);
        if (shown != folds_[name].members()) fail(name + " shows something else than it told");
    }
    // In calm times only the dead are called dead: of a host that is up, whoever beats lives. (An event may have been told some time before it is looked at.)
    void check_death(const std::string& name, const Event& event) {
        if (event.at - disturbed_at_ < until_calm || event.reason == Reason::replaced) return;
        const std::string node(event.node());
        if (is_of_host(event.kind)) return fail(name + " calls host " + node + " dead, and nothing happened");
        if (node.starts_with("node-")) return fail(name + " calls " + node + " dead, and nothing happened");
        const auto& members = world_[node.substr(0, 1)].members();
        const auto at = members.find(node);
        const bool beats = at != members.end() && !at->second && event.at - beating_since_[node] > quick.dead;
        const auto now_there = world_[node.substr(0, 1)].find(node);
        if (beats && now_there && now_there->incarnation == event.incarnation) fail(name + " calls " + node + " dead, which beats");
    }
    // Everybody shows of every other host who lives there.
    void expect_agreement() {
        world_.run(2s);
        for (const std::string& name : names_) check(name);
        for (const std::string& owner : names_) {
            for (const Peer& p : world_[owner].peers()) {
                if (!p.local) continue;
                for (const std::string& viewer : names_) {
                    if (viewer == owner) continue;
                    const auto seen = world_[viewer].find(p.node);
                    if (p.state == State::dead && !seen) continue;
                    if (!seen || seen->state != p.state || seen->incarnation != p.incarnation)
                        fail(viewer + " shows " + p.node + " as " + (seen ? std::string(to_string(seen->state)) : "nobody") + ", " + owner + " as " + std::string(to_string(p.state)));
                }
            }
            for (const Peer& p : world_[owner].peers())
                if (!p.local && p.node.substr(0, 5) != "node-" && p.state == State::alive && !world_[p.host].find(p.node)) fail(owner + " shows " + p.node + ", whom its host does not know");
            const auto broken = shm::verify(world_[owner].core().roster(), Stamp{stamp_limit}).broken;
            if (!broken.empty()) fail(owner + "'s memory: " + broken.front());
        }
    }

    std::mt19937_64 random_;
    HostWorld world_;
    std::vector<std::string> names_;
    std::map<std::string, Fold> folds_;
    std::map<std::string, Instant> beating_since_;
    Instant disturbed_at_{};
    std::ostringstream log_;
    std::string why_;
};

std::uint64_t number(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t seeds = 100;
#else
constexpr std::uint64_t seeds = 1'000;
#endif

// ROLLCALL_SEED and ROLLCALL_SEEDS: where to begin, and how many. A failing seed tells its whole story.
TEST(HostsSimulation, WhateverHappensTheyTellTheTruthAndAgreeInTheEnd) {
    const std::uint64_t first = number("ROLLCALL_SEED", 1), count = number("ROLLCALL_SEEDS", seeds);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        Story story(seed);
        story.play();
        ASSERT_TRUE(story.is_fine()) << "seed " << seed << ": " << story.why() << "\n" << story.log();
    }
}

TEST(HostsSimulation, TheSameSeedIsTheSameStory) {
    for (std::uint64_t seed : {7u, 8u}) {
        Story one(seed), other(seed);
        one.play();
        other.play();
        EXPECT_EQ(one.log(), other.log());
    }
}

}  // namespace
}  // namespace rollcall::test
