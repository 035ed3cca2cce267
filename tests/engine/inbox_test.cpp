// The one way into the detector: bounded, and nobody waits for ever behind somebody else.
#include "engine/inbox.hpp"

#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::engine {
namespace {

Request named(std::string node) {
    Request request;
    request.node = std::move(node);
    return request;
}

TEST(Inbox, KeepsTheOrderOfEachThread) {
    Inbox inbox;
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(inbox.put(named(std::to_string(i))));
    Request request;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(inbox.take(request));
        EXPECT_EQ(request.node, std::to_string(i));
    }
    EXPECT_FALSE(inbox.take(request));
    EXPECT_TRUE(inbox.is_empty());
}

TEST(Inbox, AFloodKeepsNobodyElseWaiting) {
    Inbox inbox;
    std::thread([&] {
        for (int i = 0; i < 20'000; ++i) (void)inbox.put(named("flood"));
    }).join();
    ASSERT_TRUE(inbox.put(named("mark")));
    Request request;
    int before = 0;
    while (inbox.take(request) && request.node != "mark") ++before;
    EXPECT_EQ(request.node, "mark");
    EXPECT_LT(before, 1'000) << "of 20,000 that came first";
}

TEST(Inbox, HasABound) {
    Inbox inbox;
    for (std::size_t i = 0; i < Inbox::bound; ++i) ASSERT_TRUE(inbox.put(Request{}));
    Request one = named("one too many");
    EXPECT_FALSE(inbox.put(std::move(one)));
    EXPECT_EQ(one.node, "one too many") << "it is unharmed";
}

}  // namespace
}  // namespace rollcall::engine
