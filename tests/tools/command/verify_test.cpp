// `dump --verify`: says nothing is wrong where nothing is, and names what is broken where something is.
#include <cstddef>
#include <filesystem>
#include <fstream>

#include "shm/layout.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Verify : public CommandTest {
protected:
    const shm::Geometry layout = shm::Geometry::of(16, 128);

    void SetUp() override {
        engine_ = &start_engine({"--heartbeat", "10s", "--suspect", "30s", "--dead", "50s", "--evict", "100s", "--capacity", "16", "--ring", "128"});
        start_member("a", {"--tag", "role=main"});
    }
    void kill_engine() { kill(*engine_); }

    std::string roster() const { return dir() + "/default/roster"; }
    std::string pulse() const {
        for (const auto& file : fs::directory_iterator(dir() + "/default"))
            if (file.path().filename().string().starts_with("pulse.")) return file.path().string();
        return "";
    }
    static void overwrite(const std::string& file, std::uint64_t at, const std::string& bytes) {
        std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
        f.seekp(static_cast<std::streamoff>(at));
        f << bytes;
    }
    // One damage at a time, on a copy of what the dead engine left.
    void expect_named(const std::string& file, std::uint64_t at, const std::string& bytes, const std::string& name) {
        SCOPED_TRACE(name);
        std::string before(bytes.size(), '\0');
        std::ifstream(file, std::ios::binary).seekg(static_cast<std::streamoff>(at)).read(before.data(), static_cast<std::streamsize>(before.size()));
        overwrite(file, at, bytes);
        const Outcome outcome = run({"dump", "--verify"});
        EXPECT_EQ(outcome.code, 1) << outcome.out;
        EXPECT_THAT(outcome.out, HasSubstr(name));
        overwrite(file, at, before);
        EXPECT_EQ(run({"dump", "--verify"}).code, 0);
    }

private:
    Process* engine_ = nullptr;
};

TEST_F(Verify, FindsNothingInALivingMemoryNorInADeadEngines) {
    EXPECT_THAT(run({"dump", "--verify"}).out, HasSubstr("every invariant holds: 1 slots, event 1"));
    EXPECT_EQ(run({"join", "--node", "b", "--", "true"}).code, 0);
    EXPECT_EQ(run({"dump", "--verify"}).code, 0);
    kill_engine();
    const Outcome outcome = run({"dump", "--verify"});
    EXPECT_EQ(outcome.code, 0) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("event 3"));
}

TEST_F(Verify, NamesEachBrokenInvariant) {
    kill_engine();
    const std::string ones(8, '\xFF'), fives = std::string("\5\0\0\0", 4);
    const std::uint64_t header = sizeof(shm::Preamble);
    expect_named(pulse(), layout.words, ones, "slot 0: the heartbeat word is not of generation 1");
    expect_named(pulse(), layout.words + 8 * 7, std::string(8, '\1'), "slot 7: was never used, but its heartbeat word is not free");
    expect_named(roster(), layout.records + offsetof(shm::Record, hash), fives, "slot 0: the hash is not that of its node id");
    expect_named(roster(), layout.buckets, fives, "leads to slot 5, which was never used");
    expect_named(roster(), layout.records + offsetof(shm::Record, copies) + 1 * shm::hot_words * 8 + 4 * 8, fives, "slot 0: blob 5 does not read");
    expect_named(roster(), layout.records + offsetof(shm::Record, name), std::string(4, '\0'), "slot 0: has no valid node id");
    expect_named(roster(), layout.ring + sizeof(shm::Entry), ones, "ring: event 1 is not in its place");
    expect_named(roster(), header + offsetof(shm::RosterHeader, high_water), std::string("\x20\0\0\0", 4), "high-water mark 32 is above the capacity");
    expect_named(roster(), header + offsetof(shm::RosterHeader, prepared), std::string("\0\0\0\0\0\0\0\0", 8), "cursors: prepared is 0, head 1");
    expect_named(roster(), header + offsetof(shm::RosterHeader, cluster), std::string(8, '\0'), "header: the cluster's name is not valid");
}

}  // namespace
}  // namespace rollcall::test
