// A full /dev/shm: at creation, at each extent, at a join. One clear line each time, nothing lost, and everything works again once there is
// space.
#include <filesystem>
#include <fstream>

#include <fcntl.h>

#include <gmock/gmock.h>

#include "shm/verify.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/other_users.hpp"

namespace rollcall::test {
namespace {

using testing::HasSubstr;

// Takes all that is left of /dev/shm, but for `pages`.
class Filler {
public:
    explicit Filler(std::uint64_t pages = 0) : file_(::open("/dev/shm/filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        // With exponentially smaller pieces until not a page is left.
        for (std::uint64_t piece = std::uint64_t{1} << 30; piece >= shm::page; piece /= 2)
            while (::fallocate(file_.get(), 0, static_cast<off_t>(bytes_), static_cast<off_t>(piece)) == 0) bytes_ += piece;
        if (::ftruncate(file_.get(), static_cast<off_t>(bytes_ - std::min(bytes_, pages * shm::page))) != 0) std::abort();
    }
    ~Filler() { ::unlink("/dev/shm/filler"); }
    Filler(const Filler&) = delete;
    Filler& operator=(const Filler&) = delete;

private:
    shm::Descriptor file_;
    std::uint64_t bytes_ = 0;
};

void expect_sound(const TimedCore& core) {
    const auto found = shm::verify(core.roster(), Stamp{stamp_limit});
    EXPECT_EQ(found.broken_count, 0u) << (found.broken.empty() ? "" : found.broken.front());
}

std::string node(std::uint32_t i) { return "n" + std::to_string(i); }

// From too small for a page to large enough: every size either gives an engine or a line, and after a line nothing lies there that takes space.
TEST(FullMemory, ACreationFailsWithOneLineAtEverySizeAndWorksAtTheNext) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory("64k");
    Commands commands;
    int refused = 0;
    for (int kilobytes = 64;; kilobytes += kilobytes < 512 ? 64 : 256) {
        SCOPED_TRACE(kilobytes);
        ASSERT_LE(kilobytes, 4096);
        PrivateMemory::resize(std::to_string(kilobytes) + "k");
        try {
            commands.start_engine(root);
            break;
        } catch (const std::exception& e) {
            EXPECT_THAT(e.what(),
                        testing::AllOf(HasSubstr("cannot create cluster memory in /dev/shm/rollcall/default"), HasSubstr("No space left on device")));
            ++refused;
        }
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator("/dev/shm/rollcall/default"), std::filesystem::directory_iterator()), 1)
            << "the lock alone";
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(commands.run(root, {"dump", "--verify"}).code, 0);
}

TEST(FullMemory, AJoinFailsWithOneLineAndTheClusterGoesOn) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory("32m");
    Commands commands;
    Process& engine = commands.start_engine(root);
    {
        const Filler filler;
        for (int i = 0; i < 20; ++i) {  // each passes over another cache line of slots
            const Said said = commands.run(root, {"join", "--node", node(static_cast<std::uint32_t>(i)), "--", "true"});
            EXPECT_EQ(said.code, 1);
            EXPECT_THAT(said.err, testing::AllOf(HasSubstr("no memory for /dev/shm/rollcall/default/roster"), HasSubstr("No space left on device")));
            EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
        }
        EXPECT_EQ(commands.run(root, {"members"}).code, 0);
        EXPECT_EQ(commands.run(root, {"set", "--suspect", "40s"}).code, 0);
        EXPECT_EQ(commands.run(root, {"dump", "--verify"}).code, 0);
    }
    commands.start_member(root, "a");
    {
        const Filler filler;
        commands.start_member(root, "b");  // its extents are there already
        EXPECT_EQ(commands.run(root, {"join", "--node", "c", "--tag", "long=" + std::string(400, 'x'), "--", "true"}).code, 1)
            << "its size class has no extent yet";
        EXPECT_THAT(commands.run(root, {"members"}).out, testing::AllOf(HasSubstr("a"), HasSubstr("b")));
        // A new engine needs nothing that is not there.
        engine.signal(SIGKILL);
        engine.wait();
        commands.start_engine(root);
        EXPECT_EQ(commands.run(root, {"wait", "a", "--state", "alive"}).code, 0);
        EXPECT_EQ(commands.run(root, {"wait", "b", "--state", "alive"}).code, 0);
    }
    EXPECT_EQ(commands.run(root, {"join", "--node", "c", "--tag", "long=" + std::string(400, 'x'), "--", "true"}).code, 0);
    EXPECT_EQ(commands.run(root, {"dump", "--verify"}).code, 0);
}

// Extents of records and of blobs of every size class, each met by a full memory with 0, 1, 2... pages left: whoever joined stays, whoever did
// not is told, and joins as soon as there is space.
TEST(FullMemory, EveryExtentMayFailAndNothingIsLost) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory("64m");
    const std::string dir = "/dev/shm/engine";
    TimedCore core({.capacity = 9'000, .ring = 1'024, .dir = dir});
    std::uint32_t joined = 0, refused = 0;
    const auto tags_of = [](std::uint32_t i) { return Tags{{"t", std::string(i * 37 % 500, 'x')}}; };
    while (joined < 9'000) {
        {
            const Filler filler(refused % 40);  // a blob's extent has 16 pages
            for (; joined < 9'000; ++joined) {
                const auto answer = core.join(node(joined), "10.0.0.1:7", tags_of(joined));
                if (!answer.error) continue;
                ASSERT_EQ(answer.error->kind, ErrorKind::full);
                ASSERT_THAT(answer.error->message, HasSubstr("no memory for " + dir + "/test/roster: No space left on device"));
                ++refused;
                break;
            }
            core.step();
        }
        ASSERT_EQ(core.roster().high_water() >= joined, true);
        if (joined == 9'000) break;
        ASSERT_FALSE(core.join(node(joined), "10.0.0.1:7", tags_of(joined)).error);
        ++joined;
    }
    EXPECT_GT(refused, 10u);
    expect_sound(core);
    const auto peers = core.peers();
    ASSERT_EQ(peers.size(), 9'000u);
    for (const Peer& peer : peers) ASSERT_EQ(peer.tags, tags_of(static_cast<std::uint32_t>(std::stoul(peer.node.substr(1)))));
    EXPECT_TRUE(core.join("one-more").error) << "and capacity is capacity";
}

// What Docker gives a container, and what rollcall takes by default: 4,096 peers with the largest endpoint and tags there are, changed and
// replaced while everything else is full.
TEST(FullMemory, SixtyFourMegabytesHoldTheDefaults) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory("64m");
    TimedCore core({.capacity = 0, .ring = 0, .dir = "/dev/shm/engine"});
    ASSERT_EQ(core.roster().capacity(), shm::default_capacity);
    ASSERT_EQ(core.roster().geometry().ring_entries, shm::default_ring);
    const Tags largest{{"k", std::string(500, 'x')}};
    const std::string endpoint(shm::max_endpoint, 'e');
    for (std::uint32_t i = 0; i < shm::default_capacity; ++i) ASSERT_FALSE(core.join(node(i), endpoint, largest).error) << i;
    ASSERT_TRUE(core.join("one-more").error);
    const Filler filler;
    for (std::uint32_t i = 0; i < shm::default_capacity; i += 7) {
        auto again = TimedCore::join_request(node(i), 7, endpoint, largest);
        again.may_replace = again.is_operator = true;
        ASSERT_FALSE(core.ask(std::move(again)).error) << i;
    }
    for (std::uint32_t i = 0; i < shm::default_capacity; i += 5) ASSERT_FALSE(core.leave(node(i)).error) << i;
    core.step_after(std::chrono::milliseconds(20));
    for (std::uint32_t i = 0; i < shm::default_capacity; i += 5) ASSERT_FALSE(core.join(node(i), endpoint, largest).error) << i;
    EXPECT_EQ(core.peers().size(), shm::default_capacity);
    expect_sound(core);
}

}  // namespace
}  // namespace rollcall::test
