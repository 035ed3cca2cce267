// Who gets what arrives at a shard.
#include "engine/hosts/bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall {
namespace {

using testing::ElementsAre;

Message at_path(std::string path) {
    Message message;
    message.path = std::move(path);
    return message;
}

TEST(Bus, HandsOverWhatBeginsWithThePrefixInTheOrderOfAttaching) {
    Bus bus;
    std::vector<std::string> heard;
    bus.attach("a.", [&](const Message& m, Instant) { heard.push_back("first " + m.path); });
    bus.attach("", [&](const Message& m, Instant) { heard.push_back("all " + m.path); });
    EXPECT_EQ(bus.deliver(at_path("a.x"), Instant{}), 2u);
    EXPECT_EQ(bus.deliver(at_path("ab"), Instant{}), 1u);
    EXPECT_THAT(heard, ElementsAre("first a.x", "all a.x", "all ab"));
}

TEST(Bus, TellsWhenTheMessageCame) {
    Bus bus;
    Instant seen{};
    bus.attach("", [&](const Message&, Instant at) { seen = at; });
    bus.deliver(at_path("x"), instant_from_ns(4711));
    EXPECT_EQ(seen, instant_from_ns(4711));
}

TEST(Bus, WhoIsDetachedHearsNothingMoreAlsoFromInsideACall) {
    Bus bus;
    int first = 0, second = 0;
    Bus::Subscription other = 0;
    bus.attach("", [&](const Message&, Instant) {
        ++first;
        bus.detach(other);
    });
    other = bus.attach("", [&](const Message&, Instant) { ++second; });
    EXPECT_EQ(bus.deliver(at_path("x"), Instant{}), 1u);
    bus.detach(other);
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 0);
}

}  // namespace
}  // namespace rollcall
