// Durations, settings and sizes that make no sense: typed, set on a living engine, or written in a file.
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

class BadSettings : public CommandTest {
protected:
    void SetUp() override {
        start_engine();
        start_member("a");
    }
};

const std::vector<std::string> flags{"--heartbeat", "--suspect", "--dead", "--evict", "--scan"};

TEST_F(BadSettings, DurationsAreRefusedWhereverOneIsTaken) {
    const std::vector<std::pair<std::string, std::string>> bad{{"5", "no unit"},     {"", "is not a duration"}, {"-5s", "no sign"},  {"5 s", "is no unit"},
                                                               {"5m", "is no unit"}, {"0.1ns", "finer than a nanosecond"}, {"9999999h", "longer than 292 years"}};
    std::vector<Refused> rows;
    for (const auto& [text, why] : bad) {
        const std::string quoted = "'" + text + "'";
        for (const std::string& flag : flags) {
            rows.push_back({{"set", flag, text}, 2, {"option " + flag, quoted, why, "see 'rollcall set --help'"}});
            rows.push_back({{"run", "--cluster", "other", flag, text}, 2, {"option " + flag, quoted, why, "see 'rollcall run --help'"}});
        }
        rows.push_back({{"join", "--node", "x", "--wait", text}, 2, {"option --wait", quoted, why}});
        rows.push_back({{"watch", "--timeout", text}, 2, {"option --timeout", quoted, why}});
        rows.push_back({{"wait", "a", "--state", "dead", "--timeout", text}, 2, {"option --timeout", quoted, why}});
    }
    refuse(rows);
}

// Each pair that must be in order, one at a time, at the very edge. On a living engine: heartbeat 10s, suspect 30s, dead 50s, evict 100s, scan 10ms.
TEST_F(BadSettings, EachPairOutOfOrderIsRefusedByALivingEngine) {
    refuse({
        {{"set", "--scan", "5001ms"}, 2, {"setting 'scan' (5001ms) must be at most half of 'heartbeat' (10s)"}},
        {{"set", "--heartbeat", "19ms"}, 2, {"setting 'scan' (10ms) must be at most half of 'heartbeat' (19ms)"}},
        {{"set", "--suspect", "10s"}, 2, {"setting 'suspect' (10s) must be longer than 'heartbeat' (10s)"}},
        {{"set", "--heartbeat", "30s"}, 2, {"setting 'suspect' (30s) must be longer than 'heartbeat' (30s)"}},
        {{"set", "--dead", "30s"}, 2, {"setting 'dead' (30s) must be longer than 'suspect' (30s)"}},
        {{"set", "--suspect", "50s"}, 2, {"setting 'dead' (50s) must be longer than 'suspect' (50s)"}},
        {{"set", "--evict", "50s"}, 2, {"setting 'evict' (50s) must be longer than 'dead' (50s)"}},
        {{"set", "--dead", "100s"}, 2, {"setting 'evict' (100s) must be longer than 'dead' (100s)"}},
        {{"set", "--suspect", "4s", "--heartbeat", "2s", "--dead", "4s"}, 2, {"setting 'dead' (4s) must be longer than 'suspect' (4s)"}},
        {{"set", "--evict", "2161h"}, 2, {"setting 'evict' is longer than 90 days"}},
        {{"set"}, 2, {"nothing to change", "see 'rollcall set --help'"}},
    });
}

TEST_F(BadSettings, ZeroIsRefusedByName) {
    std::vector<Refused> rows;
    for (const std::string& flag : flags) {
        rows.push_back({{"set", flag, "0"}, 2, {"'" + flag.substr(2) + "' must be longer than zero"}});
        rows.push_back({{"run", "--cluster", "other", flag, "0s"}, 2, {"'" + flag.substr(2) + "' must be longer than zero"}});
    }
    refuse(rows);
}

// The same pairs for an engine that is to start, against the defaults; nothing of it is made.
TEST_F(BadSettings, EachPairOutOfOrderStartsNoEngine) {
    std::vector<Refused> rows;
    const auto add = [&](const Words& given, const std::string& says) {
        Words words{"run", "--cluster", "other"};
        words.insert(words.end(), given.begin(), given.end());
        rows.push_back({words, 2, {says}});
    };
    add({"--scan", "501ms"}, "setting 'scan' (501ms) must be at most half of 'heartbeat' (1s)");
    add({"--heartbeat", "19ms"}, "setting 'scan' (10ms) must be at most half of 'heartbeat' (19ms)");
    add({"--suspect", "1s"}, "setting 'suspect' (1s) must be longer than 'heartbeat' (1s)");
    add({"--heartbeat", "3s"}, "setting 'suspect' (3s) must be longer than 'heartbeat' (3s)");
    add({"--dead", "3s"}, "setting 'dead' (3s) must be longer than 'suspect' (3s)");
    add({"--suspect", "5s"}, "setting 'dead' (5s) must be longer than 'suspect' (5s)");
    add({"--evict", "5s"}, "setting 'evict' (5s) must be longer than 'dead' (5s)");
    add({"--dead", "10s"}, "setting 'evict' (10s) must be longer than 'dead' (10s)");
    add({"--evict", "2161h"}, "setting 'evict' is longer than 90 days");
    add({"--suspect-timeout", "1s"}, "setting 'suspect' (1s) must be longer than 'heartbeat' (1s)");
    refuse(rows);
}

// Neither the flag nor the file is wrong alone: the line says where both come from.
TEST_F(BadSettings, FlagAndFileThatContradictEachOtherAreToldTogether) {
    const std::string file = write("rollcall.toml", "suspect = \"4s\"\n");
    refuse({{{"run", "--cluster", "other", "--config", file, "--dead", "4s"}, 2, {"setting 'dead' (4s) must be longer than 'suspect' (4s)", "'" + file + "'", "flags over"}}});
}

TEST_F(BadSettings, SizesAreWholeNumbersInTheirRange) {
    std::vector<Refused> rows;
    for (const std::string flag : {"--capacity", "--ring"})
        for (const std::string text : {"0", "16777217", "-1", "1e3", "1.0", "x", "", "0x10", "99999999999999999999"})
            rows.push_back({{"run", "--cluster", "other", flag, text}, 2, {"option " + flag, "'" + text + "'", "a whole number from 1 to 16777216", "see 'rollcall run --help'"}});
    for (const std::string text : {"0", "-1", "x", "1.5", ""})
        rows.push_back({{"watch", "--count", text}, 2, {"option --count", "'" + text + "'", "a whole number from 1"}});
    refuse(rows);
}

TEST_F(BadSettings, APositionToWatchFromIsANumberAndPerhapsAStream) {
    std::vector<Refused> rows;
    for (const std::string text : {"", "x", "-1", "1.5", "1@", "@", "@00c0ffee00c0ffee", "1@zz", "1@1c0ffee00c0ffee00", "1@2@3", " 1", "18446744073709551616", "0x1"})
        rows.push_back({{"watch", "--from", text}, 2, {"option --from: '" + text + "' is not SEQ or SEQ@STREAM", "for example 120", "see 'rollcall watch --help'"}});
    refuse(rows);
}

// A living folder keeps its sizes; the answer names both figures and the folder. The same sizes, or none, are no mistake, and lose nobody.
TEST_F(CommandTest, OtherSizesThanTheLivingFolderHasAreRefusedNamingBoth) {
    Words small = calm;
    small.insert(small.end(), {"--capacity", "16", "--ring", "128"});
    Process& engine = start_engine(small);
    start_member("a");
    engine.signal(SIGTERM);
    ASSERT_EQ(engine.wait(), 0);
    const std::string place = dir() + "/default";
    refuse({
        {{"run", "--capacity", "17"}, 2, {"capacity 17", "created with 16", place, "leave it out, or remove the stopped cluster first"}},
        {{"run", "--capacity", "4096"}, 2, {"capacity 4096", "created with 16", place}},
        {{"run", "--ring", "129"}, 2, {"ring of 129", "created with 128", place, "leave it out, or remove the stopped cluster first"}},
        {{"run", "--ring", "64"}, 2, {"ring of 64", "created with 128", place}},
        {{"run", "--capacity", "16", "--ring", "256"}, 2, {"ring of 256", "created with 128"}},
    });
    small.back() = "100";  // rounded up to 128
    start_engine(small);
    EXPECT_EQ(observe().info().capacity, 16u);
    EXPECT_EQ(observe().info().ring, 128u);
    EXPECT_TRUE(has_member("a"));
}

}  // namespace
}  // namespace rollcall::test
