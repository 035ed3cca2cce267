// What a supervisor hears of an engine, and when its watchdog does. Time is moved by hand.
#include "tools/rollcall/service_notify.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "shm/descriptor.hpp"

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Instant at(Duration d) { return Instant{} + d; }

// A detector looks every 10 ms for a minute, hangs for another, and looks again; the main thread asks every 50 ms throughout.
TEST(Petting, TellsOnlyOfADetectorThatGoesOnLooking) {
    Petting petting(10s);
    std::vector<Instant> told;
    const auto last_look = [](Instant now) { return now < at(60s) || now >= at(120s) ? now - (now - at(0s)) % 10ms : at(60s) - 10ms; };
    for (Instant now = at(1s); now < at(180s); now += 50ms)
        if (petting.is_due(now, last_look(now))) told.push_back(now);
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.front(), at(1s)) << "at once, as the watchdog waits from the moment of READY=1";
    Duration longest{}, shortest = 1h;
    for (std::size_t i = 1; i < told.size(); ++i) {
        shortest = std::min(shortest, told[i] - told[i - 1]);
        if (told[i] < at(60s) || told[i - 1] >= at(120s)) longest = std::max(longest, told[i] - told[i - 1]);
        EXPECT_FALSE(told[i] >= at(60s) + 2500ms && told[i] < at(120s)) << "told of one that hangs";
    }
    EXPECT_EQ(shortest, 2500ms) << "a quarter";
    EXPECT_EQ(longest, 2500ms);
    EXPECT_TRUE(std::find(told.begin(), told.end(), at(120s)) != told.end()) << "and at once when it looks again";
}

// One look is told of once, however often and late it is asked.
TEST(Petting, TakesOneLookForOneSignOfLife) {
    Petting petting(4s);
    EXPECT_TRUE(petting.is_due(at(10s), at(9s)));
    for (Duration later : {1s, 2s, 100s}) EXPECT_FALSE(petting.is_due(at(10s + later), at(9s)));
    EXPECT_TRUE(petting.is_due(at(111s), at(110s)));
    EXPECT_FALSE(petting.is_due(at(111s + 999ms), at(111s))) << "too soon";
    EXPECT_TRUE(petting.is_due(at(112s), at(111s)));
}

TEST(Petting, IsSilentWithoutAWatchdogOrAMemory) {
    Petting nobody(std::nullopt), closed(1s);
    EXPECT_FALSE(nobody.is_due(at(1s), at(1s)));
    EXPECT_FALSE(closed.is_due(at(1s), std::nullopt));
}

// The main thread comes back often enough for the shortest patience, and no more often than it did.
TEST(Petting, AsksOftenEnough) {
    EXPECT_EQ(Petting(std::nullopt).look_again(50ms), 50ms);
    EXPECT_EQ(Petting(10s).look_again(50ms), 50ms);
    EXPECT_EQ(Petting(200ms).look_again(50ms), 25ms);
    EXPECT_EQ(Petting(1us).look_again(50ms), 1ms);
}

TEST(Petting, NamesAWatchdogThatWouldEndAnEngineThatIsWell) {
    EXPECT_EQ(Petting(std::nullopt).why_too_short_for(1h), "");
    EXPECT_EQ(Petting(10s).why_too_short_for(10ms), "");
    EXPECT_EQ(Petting(10s).why_too_short_for(4999ms), "");
    EXPECT_THAT(Petting(10s).why_too_short_for(5s), HasSubstr("raise WatchdogSec="));
}

TEST(Status, CountsMembersAndHosts) {
    const auto peers = [](std::vector<State> states) {
        std::vector<Peer> all;
        for (const State state : states) all.emplace_back().state = state;
        return all;
    };
    const auto hosts = [](std::vector<State> states) {
        std::vector<Host> all;
        for (const State state : states) all.emplace_back().state = state;
        return all;
    };
    EXPECT_EQ(members_status({}), "0 members alive");
    EXPECT_EQ(members_status(peers({State::alive})), "1 member alive");
    EXPECT_EQ(members_status(peers({State::alive, State::dead, State::alive, State::suspect, State::dead})), "2 members alive, 1 suspect, 2 dead");
    EXPECT_EQ(hosts_status({}), "");
    EXPECT_EQ(hosts_status(hosts({State::alive})), "; 1 of 1 other host alive");
    EXPECT_EQ(hosts_status(hosts({State::alive, State::suspect, State::dead})), "; 1 of 3 other hosts alive");
}

// A supervisor that cannot take READY now is told later: without it, it would end the engine.
TEST(ServiceNotify, RepeatsWhatASupervisorWaitsForUntilItIsTaken) {
    const std::string name = "@rollcall-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    const shm::Descriptor supervisor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(supervisor.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    // Each sender has a bound of its own, too: others go on, until there is none who may send anything.
    for (bool is_full = false; !is_full;) {
        const shm::Descriptor filler(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        for (is_full = true; ::sendto(filler.get(), "x", 1, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address), size) == 1;) is_full = false;
    }

    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ServiceNotify notify = ServiceNotify::from_environment();
    notify.standing_by("somebody");
    std::array<char, 256> taken{};
    while (::recv(supervisor.get(), taken.data(), taken.size(), MSG_DONTWAIT) > 0) {}
    notify.has_looked_at_lock(at(1s));
    const ssize_t length = ::recv(supervisor.get(), taken.data(), taken.size(), MSG_DONTWAIT);
    ASSERT_GT(length, 0);
    EXPECT_EQ(std::string_view(taken.data(), static_cast<std::size_t>(length)), "READY=1\nSTATUS=standing by: somebody");
    notify.has_looked_at_lock(at(2s));
    EXPECT_LT(::recv(supervisor.get(), taken.data(), taken.size(), MSG_DONTWAIT), 0) << "once";
}

// Whatever this process starts later must not speak for it.
TEST(ServiceNotify, ForgetsTheEnvironmentThatItCameFrom) {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::setenv(name, "/nowhere", 1);
    (void)ServiceNotify::from_environment();
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) EXPECT_EQ(std::getenv(name), nullptr) << name;
}

}  // namespace
}  // namespace rollcall::cli
