// Three engines on a cluster of three NATS servers, of which at any time one may be dead and another frozen.
#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/nats_server.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration interval = 200ms, suspect = 1500ms, dead = 3s, evict = 60s;

// At random, but never two of them in the same way: one that is left carries everything.
class Servers {
public:
    Servers() {
        for (std::size_t i = 0; i < 3; ++i) {
            std::vector<std::string> flags{"--cluster_name", "chaos"};
            if (i > 0) flags.insert(flags.end(), {"--routes", servers_[0]->route()});
            servers_[i] = std::make_unique<NatsServer>(flags);
        }
    }
    // Beginning with this one.
    std::string urls(std::size_t first) const { return servers_[first % 3]->url() + "," + servers_[(first + 1) % 3]->url() + "," + servers_[(first + 2) % 3]->url(); }
    void do_harm(std::mt19937& random) {
        const std::size_t which = random() % 3;
        if (random() % 2 == 0) {
            if (dead_ == none && frozen_ != which) servers_[dead_ = which]->kill();
            else if (dead_ != none) revive();
        } else if (frozen_ == none && dead_ != which) {
            servers_[frozen_ = which]->freeze();
        } else if (frozen_ != none) {
            thaw();
        }
    }
    void repair() {
        if (dead_ != none) revive();
        if (frozen_ != none) thaw();
    }

private:
    static constexpr std::size_t none = 3;
    void revive() { servers_[std::exchange(dead_, none)]->start(); }
    void thaw() { servers_[std::exchange(frozen_, none)]->thaw(); }

    std::array<std::unique_ptr<NatsServer>, 3> servers_;
    std::size_t dead_ = none, frozen_ = none;
};

std::string text(Duration d) { return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + "ms"; }

Duration length() {
    const char* seconds = std::getenv("ROLLCALL_CHAOS_SECONDS");
    return std::chrono::seconds(seconds == nullptr ? 30 : std::atoi(seconds));
}

TEST(NatsChaos, NobodyIsCalledDeadAndAllSeeAllAfterwards) {
    Servers servers;
    std::array<TemporaryCluster, 3> hosts;
    const std::array<std::string, 3> names{"a", "b", "c"};
    for (std::size_t i = 0; i < 3; ++i)
        hosts[i].start_engine({"--heartbeat", text(interval), "--suspect", text(suspect), "--dead", text(dead), "--evict", text(evict), "--scan", "5ms", "--node", names[i], "--host", "host-" + names[i], "--nats", servers.urls(i)});
    std::vector<std::unique_ptr<Watch>> watches;
    for (TemporaryCluster& host : hosts) watches.push_back(std::make_unique<Watch>(host));
    const auto see_each_other = [&](const std::string& node) {
        for (std::size_t by = 0; by < 3; ++by)
            for (std::size_t of = 0; of < 3; ++of)
                if (by != of && watches[by]->story(node + names[of]).empty()) watches[by]->until("joined", node + names[of]);
    };
    std::vector<Process> puppets;
    for (std::size_t i = 0; i < 3; ++i) {
        puppets.push_back(hosts[i].puppet());
        ASSERT_THAT(puppets[i].ask("join first-" + names[i] + ";beating first-" + names[i]), testing::StartsWith("ok"));
    }
    see_each_other("first-");

    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (const Instant end = clock_now() + length(); clock_now() < end;) {
        servers.do_harm(random);
        std::this_thread::sleep_for(std::chrono::milliseconds(500 + random() % 2500));
    }
    servers.repair();
    const Instant repaired = clock_now();
    for (std::size_t i = 0; i < 3; ++i) ASSERT_THAT(puppets[i].ask("join last-" + names[i] + ";beating last-" + names[i]), testing::StartsWith("ok"));
    see_each_other("last-");
    std::cout << "all see all " << to_ms(clock_now() - repaired) << " ms after the last repair, interval " << to_ms(interval) << " ms\n";
    for (const auto& watch : watches) {
        watch->catch_up();
        std::vector<std::string> deaths;
        std::size_t suspicions = 0, orphans = 0;
        for (const SeenEvent& e : watch->seen()) {
            if (e.event == "dead" || e.event == "host_dead" || e.event == "evicted" || e.event == "host_evicted") deaths.push_back(e.line);
            suspicions += e.event == "host_suspect";
            orphans += e.event == "orphaned";
        }
        EXPECT_THAT(deaths, IsEmpty());
        std::cout << suspicions << " suspicions, " << orphans << " orphans\n";
    }
}

}  // namespace
}  // namespace rollcall::test
