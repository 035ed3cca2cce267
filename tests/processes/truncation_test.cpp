// Somebody cuts a file of a living cluster short. Nobody dies of it: the engine makes the memory anew, and everybody comes back by himself.
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Cut {
    const char* name;
    const char* file;  // its name begins like this
    std::uintmax_t keep_bytes;
    int keep_percent;
};

void PrintTo(const Cut& row, std::ostream* out) { *out << row.name; }

class Truncation : public ::testing::TestWithParam<Cut> {
protected:
    std::filesystem::path file() const {
        for (const auto& entry : std::filesystem::directory_iterator(cluster.dir() + "/default"))
            if (entry.path().filename().string().starts_with(GetParam().file)) return entry.path();
        throw std::runtime_error("no such file");
    }
    void cut() {
        const auto path = file();
        std::filesystem::resize_file(path, GetParam().keep_bytes + std::filesystem::file_size(path) / 100 * GetParam().keep_percent);
    }
    bool is_back(const std::string& node, std::uint64_t old_instance) {
        const auto info = cluster.info();
        if (!info || info->instance == old_instance || !info->running) return false;
        const auto peer = cluster.observe().find(node);
        return peer && peer->state == State::alive;
    }

    TemporaryCluster cluster;
};

INSTANTIATE_TEST_SUITE_P(Files, Truncation,
                         ::testing::Values(Cut{"RosterToNothing", "roster", 0, 0}, Cut{"RosterToItsPreamble", "roster", 64, 0}, Cut{"RosterToItsHeader", "roster", 8192, 0},
                                           Cut{"RosterToAQuarter", "roster", 0, 25}, Cut{"RosterByLittle", "roster", 0, 99}, Cut{"PulseToNothing", "pulse", 0, 0},
                                           Cut{"PulseToItsPreamble", "pulse", 4096, 0}, Cut{"PulseByLittle", "pulse", 0, 99}),
                         [](const auto& row) { return std::string(row.param.name); });

// The same processes go on: engine, member, wrapped program, a watch that tells the gap, and an observer in this very process.
TEST_P(Truncation, NobodyDiesAndEverybodyIsBack) {
    cluster.start_engine({"--heartbeat", "100ms", "--suspect", "60s", "--dead", "120s", "--evict", "180s"});
    Process a = cluster.puppet(), wrapper = cluster.wrapped_puppet({"--node", "w"});
    EXPECT_THAT(a.ask("join a endpoint=here:1 tag.k=v; beating a"), StartsWith("ok "));
    wrapper.ask("pid");
    Observer observer = cluster.observe();
    ASSERT_TRUE(observer.find("w"));
    Watch watch(cluster);
    watch.until("joined", "w");
    const std::uint64_t before = cluster.info()->instance;
    cut();
    EXPECT_TRUE(eventually([&] { return is_back("a", before) && is_back("w", before); })) << cluster.said_by_engine();
    EXPECT_FALSE(cluster.engine().has_ended());
    EXPECT_THAT(cluster.said_by_engine(), HasSubstr("was cut short"));
    EXPECT_EQ(cluster.find("a").tags.at("k"), "v");
    EXPECT_EQ(cluster.find("a").endpoint, "here:1");
    EXPECT_TRUE(eventually([&] { return a.ask("beat a").starts_with("counted "); })) << "its other thread is joining";
    wrapper.ask("pid");
    (void)observer.find("w");
    (void)observer.snapshot();
    (void)observer.poll();
    EXPECT_TRUE(observer.is_stale());
    watch.until("gap");
    Process late = cluster.puppet();
    late.ask("join late");
    watch.until("joined", "late");
    for (const SeenEvent& e : watch.seen()) EXPECT_THAT(e.event, ::testing::AnyOf("joined", "updated", "gap", "paused")) << watch.story();
    EXPECT_EQ(cluster.run({"dump", "--verify"}).code, 0);
    late.signal(SIGKILL);
    EXPECT_EQ(watch.until("dead", "late").reason, "process_exit");
}

// Without an engine nobody repairs it, but nobody dies either, and the next engine starts afresh.
TEST_P(Truncation, WithoutAnEngineTheNextOneStartsAfresh) {
    cluster.start_engine({"--heartbeat", "100ms", "--suspect", "60s", "--dead", "120s", "--evict", "180s"});
    Process a = cluster.puppet();
    EXPECT_THAT(a.ask("join a; beating a"), StartsWith("ok "));
    const std::uint64_t before = cluster.info()->instance;
    cluster.kill_engine();
    cut();
    a.ask("beat a");
    const auto members = cluster.run({"members"});
    EXPECT_EQ(members.code, 1) << members.out;
    EXPECT_EQ(std::count(members.err.begin(), members.err.end(), '\n'), 1) << members.err;
    cluster.start_engine({"--heartbeat", "100ms", "--suspect", "60s", "--dead", "120s", "--evict", "180s"});
    EXPECT_TRUE(eventually([&] { return is_back("a", before); })) << cluster.said_by_engine();
    EXPECT_TRUE(eventually([&] { return a.ask("beat a").starts_with("counted "); })) << "its other thread is joining";
}

// A folder that is gone is nobody's to repair, whatever else was done to its files.
TEST(TruncationAndRemoval, EndTheEngine) {
    TemporaryCluster cluster;
    cluster.start_engine(calm);
    const std::string folder = cluster.dir() + "/default";
    cluster.engine().stop();
    std::filesystem::resize_file(folder + "/roster", 0);
    std::filesystem::remove_all(folder);
    cluster.engine().go_on();
    EXPECT_EQ(cluster.engine().wait(), 1);
    EXPECT_THAT(cluster.said_by_engine(), HasSubstr("was removed or replaced"));
    EXPECT_FALSE(std::filesystem::exists(folder + "/roster"));
}

}  // namespace
}  // namespace rollcall::test
