// Regions through reporters, simulated: a region of real engines over a bad network, and observers elsewhere who hear of it only by reports, over another one.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/simulation/region.hpp"
#include "tests/support/host_world.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;

constexpr double loss = 0.3, duplication = 0.05;
constexpr Duration longest_delay = 200ms, interval = 1s;
constexpr Settings settings{};  // the defaults: 1 s, 3 s, 5 s, 10 s
constexpr std::size_t reporters = 3, region_size = 9, observers = 2;

// The network between regions: what goes that way is a call that happens later, or never.
class FarNetwork {
public:
    explicit FarNetwork(std::uint64_t seed) : random_(seed) {}
    void send(Instant now, const std::function<void(Instant)>& arrive) {
        const int copies = by_chance(loss) ? 0 : by_chance(duplication) ? 2 : 1;
        for (int i = 0; i < copies; ++i) flying_.push({now + Duration(std::uniform_int_distribution<std::int64_t>(0, longest_delay.count() * 1)(random_)), ++sent_, arrive});
    }
    // What is on its way waits, as in a broker that is frozen.
    void freeze(bool frozen) { frozen_ = frozen; }
    void deliver(Instant now) {
        while (!frozen_ && !flying_.empty() && flying_.top().at <= now) {
            const auto arrive = flying_.top().arrive;
            flying_.pop();
            arrive(now);
        }
    }
    std::uint64_t sent() const noexcept { return sent_; }

private:
    struct Flight {
        Instant at;
        std::uint64_t number;
        std::function<void(Instant)> arrive;
        bool operator>(const Flight& other) const { return std::pair(at, number) > std::pair(other.at, other.number); }
    };
    bool by_chance(double chance) { return std::uniform_real_distribution<>(0, 1)(random_) < chance; }

    std::mt19937_64 random_;
    std::priority_queue<Flight, std::vector<Flight>, std::greater<>> flying_;
    std::uint64_t sent_ = 0;
    bool frozen_ = false;
};

class Regions : public testing::Test {
protected:
    void SetUp() override {
        world.network().set_conditions({loss, duplication, 0ms, longest_delay});
        for (std::size_t i = 0; i < region_size; ++i) {
            names.push_back(std::string(1, static_cast<char>('a' + i)));
            world.add(names.back(), {.settings = settings});
            well_since[names.back()] = world.now();
        }
        for (std::size_t i = 0; i < observers; ++i) far.emplace_back(settings, interval);
        run(20s);
    }

    bool is_well(const std::string& name) { return world[name].is_up() && !world[name].is_frozen(); }
    std::vector<std::string> living_beside(const std::string& name) {
        std::vector<std::string> living;
        for (const auto& host : world[name].link().hosts())
            if (host.is_verified && world.now() - host.last_heard < settings.suspect) living.push_back(host.host);
        return living;
    }
    // What a host that reports says of its region now: of itself, and of whom it heard itself.
    RegionReport report_of(const std::string& name) {
        RegionReport report{name, ++sequences[name], 0, interval * 3 / 2, {}};
        std::set<std::string> listed{name};
        for (const auto& host : world[name].link().hosts()) {
            const Duration age = world.now() - host.last_heard;
            if (!host.is_verified || age > settings.evict) continue;
            listed.insert(host.host);
            if (age > report.oldest) report.older.emplace_back(host.host, age);
        }
        for (const std::string& host : listed) report.list = report.list * 31 + std::hash<std::string>{}(host);
        lists.insert_or_assign(report.list, listed);
        return report;
    }
    void hear(std::size_t observer, const RegionReport& report, Instant at) {
        // The list would be asked for; the way there and back may fail.
        if (!far[observer].knows(report.list)) far_network.send(at, [this, observer, list = report.list](Instant) { far[observer].learn(list, lists.at(list)); });
        far[observer].hear(report, at);
    }
    void ask(std::size_t observer, const std::string& reporter) {
        const Instant asked_at = world.now();
        far_network.send(asked_at, [=, this](Instant there) {
            if (!is_well(reporter) || !is_reporter(reporter, living_beside(reporter), reporters)) return;
            far_network.send(there, [=, this, report = report_of(reporter)](Instant at) {
                if (!far[observer].knows(report.list)) far[observer].learn(report.list, lists.at(report.list));
                far[observer].answered(report, asked_at, at);
            });
        });
    }
    void turn() {
        for (const std::string& name : names) {
            if (!is_well(name) || world.now() < next_report[name]) continue;
            next_report[name] = world.now() + interval * 9 / 10;
            if (!is_reporter(name, living_beside(name), reporters)) continue;
            const RegionReport report = report_of(name);
            for (std::size_t o = 0; o < observers; ++o) far_network.send(world.now(), [=, this](Instant at) { hear(o, report, at); });
        }
        for (std::size_t o = 0; o < observers; ++o)
            for (const std::string& name : names)
                if (far[o].is_to_be_asked(name, world.now()) && world.now() >= next_question[{o, name}]) {
                    next_question[{o, name}] = world.now() + 100ms;
                    ask(o, name);
                }
        far_network.deliver(world.now());
        for (std::size_t o = 0; o < observers; ++o) {
            far[o].look(world.now());
            for (const std::string& name : names) judge(o, name);
        }
    }
    // Nobody who lives is called dead; whoever died is, in time.
    void judge(std::size_t observer, const std::string& name) {
        const bool is_dead = far[observer].state_of(name) == FarState::dead;
        if (is_well(name) && world.now() - well_since[name] > settled && is_dead) {
            ADD_FAILURE() << "false death of " << name << " at " << observer << ", " << std::chrono::duration<double>(world.now() - origin).count() << " s";
        }
    }
    void run(Duration length) {
        for (const Instant end = world.now() + length; world.now() < end && !HasFailure();) {
            world.run(HostWorld::step);
            turn();
        }
    }
    bool run_until(Duration longest, const std::function<bool()>& holds) {
        for (const Instant end = world.now() + longest; world.now() < end && !holds() && !HasFailure();) run(HostWorld::step);
        return holds();
    }
    bool all_call(const std::string& name, FarState state) {
        return std::all_of(far.begin(), far.end(), [&](const FarRegion& f) { return f.state_of(name) == state; });
    }
    void crash(const std::string& name) {
        world[name].crash();
        well_since[name] = Instant::max();
    }
    void start(const std::string& name) {
        world[name].start();
        well_since[name] = world.now();
    }

    static constexpr Duration settled = 20s;
    // A host's last sign may be as old as its reports take, and its beats.
    static constexpr Duration bound = settings.dead + interval + 2 * longest_delay + HostWorld::step;

    HostWorld world{7};
    FarNetwork far_network{11};
    std::vector<std::string> names;
    std::vector<FarRegion> far;
    std::map<std::string, std::uint64_t> sequences;
    std::map<std::uint64_t, std::set<std::string>> lists;
    std::map<std::string, Instant> next_report, well_since;
    std::map<std::pair<std::size_t, std::string>, Instant> next_question;
};

TEST_F(Regions, NobodyIsCalledDeadWhileReportersComeAndGo) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 12 && !HasFailure(); ++round) {
        const std::string name = names[random() % reporters];  // at least one of them goes on
        crash(name);
        run(settings.dead + 10s);
        start(name);
        run(settled);
    }
    for (const std::string& name : names) EXPECT_TRUE(all_call(name, FarState::alive)) << name;
}

TEST_F(Regions, EveryDeathIsKnownElsewhereInTime) {
    for (const std::string name : {"i", "e", "a"}) {
        const Instant died = world.now();
        crash(name);
        EXPECT_TRUE(run_until(bound, [&] { return all_call(name, FarState::dead); })) << name;
        EXPECT_GE(world.now() - died, settings.dead - longest_delay) << "and not before it could be";
        run(30s);
    }
}

TEST_F(Regions, AReporterThatSleptSaysNothingThatItDidNotHear) {
    world["a"].freeze(true);
    well_since["a"] = Instant::max();
    crash("i");
    run(30s);
    EXPECT_TRUE(all_call("i", FarState::dead));
    world["a"].freeze(false);
    run(20s);
    EXPECT_TRUE(all_call("i", FarState::dead)) << "it heard that one last before it slept, and its report says when that was";
}

TEST_F(Regions, WhatABrokerHeldBackRevivesNobody) {
    far_network.freeze(true);
    run(2s);
    const Instant died = world.now();
    crash("i");
    run(9s);
    far_network.freeze(false);
    run(20s);
    EXPECT_TRUE(all_call("i", FarState::dead));
    EXPECT_LE(far[0].lived_at("i"), died + longest_delay);
    for (const std::string& name : names) {
        if (name != "i") {
            EXPECT_TRUE(all_call(name, FarState::alive)) << name;
        }
    }
}

// The region is cut off for less than the evict timeout: its hosts are orphaned, not judged.
TEST_F(Regions, ARegionOfWhichNobodyReportsIsNotJudged) {
    far_network.freeze(true);
    ASSERT_TRUE(run_until(10s, [&] { return far[0].is_orphaned(); }));
    run(settings.evict - 1s);
    for (const std::string& name : names) EXPECT_FALSE(all_call(name, FarState::dead)) << name;
    far_network.freeze(false);
    run(10s);
    for (const std::string& name : names) EXPECT_TRUE(all_call(name, FarState::alive)) << name;
}

TEST_F(Regions, CostAReporterOneMessageAnIntervalAndReader) {
    run(10s);
    const std::uint64_t before = far_network.sent();
    run(100s);
    const double messages = static_cast<double>(far_network.sent() - before) / 100 / observers;
    EXPECT_LT(messages, 2.5 * static_cast<double>(reporters + region_size)) << "questions to those that do not report included";
}

}  // namespace
}  // namespace rollcall::test
