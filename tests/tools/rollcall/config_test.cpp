// The configuration file: what it may say, and every way in which it may be wrong, with the line.
#include "tools/rollcall/config.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ConfigFile : public ::testing::Test {
protected:
    ConfigFile() : folder_(std::filesystem::temp_directory_path() / "rollcall-config-XXXXXX") {
        if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    }
    ~ConfigFile() override { std::filesystem::remove_all(folder_); }

    std::string path() const { return folder_ + "/rollcall.toml"; }
    Result<Config> read(const std::string& content) const {
        std::ofstream(path(), std::ios::binary | std::ios::trunc) << content;
        return read_config(path());
    }

    std::string folder_;
};

TEST_F(ConfigFile, SaysNothingWhereItIsEmpty) {
    for (const char* content : {"", "\n", "# nothing but a comment\n", "\xEF\xBB\xBF# with a byte order mark\n", "\r\n"}) {
        const Result<Config> config = read(content);
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_FALSE(config->cluster || config->dir || config->node || config->group || config->log_level || config->capacity || config->ring);
        EXPECT_FALSE(config->settings.heartbeat || config->settings.suspect || config->settings.dead || config->settings.evict || config->settings.scan);
    }
}

TEST_F(ConfigFile, TakesEveryFlagByItsName) {
    const Result<Config> config = read(R"(
cluster = "orders"
dir = "/dev/shm/elsewhere"   # comments may stand behind
node = "größe"
group = 'staff'
log-level = "debug"
capacity = 16_777_216
ring = 128
heartbeat = "100ms"
suspect = "0.3s"
dead = "1min"
evict = "1h"
scan = "10us"
)");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->cluster, "orders");
    EXPECT_EQ(config->dir, "/dev/shm/elsewhere");
    EXPECT_EQ(config->node, "größe");
    EXPECT_EQ(config->group, "staff");
    EXPECT_EQ(config->log_level, "debug");
    EXPECT_EQ(config->capacity, 16'777'216u);
    EXPECT_EQ(config->ring, 128u);
    EXPECT_EQ(config->settings.heartbeat, 100ms);
    EXPECT_EQ(config->settings.suspect, 300ms);
    EXPECT_EQ(config->settings.dead, 1min);
    EXPECT_EQ(config->settings.evict, 1h);
    EXPECT_EQ(config->settings.scan, 10us);
}

TEST_F(ConfigFile, TakesTheLongerNamesOfSettings) {
    const Result<Config> config = read("heartbeat-interval = \"1ms\"\nsuspect-timeout = \"2ms\"\ndead-timeout = \"3ms\"\nevict-timeout = \"4ms\"\nscan-interval = \"5ms\"\n");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->settings.heartbeat, 1ms);
    EXPECT_EQ(config->settings.suspect, 2ms);
    EXPECT_EQ(config->settings.dead, 3ms);
    EXPECT_EQ(config->settings.evict, 4ms);
    EXPECT_EQ(config->settings.scan, 5ms);
}

// Every kind of bad file: one line that begins with the file and the line of the mistake, and says what is wrong there.
TEST_F(ConfigFile, NamesTheLineOfEveryMistake) {
    struct Row {
        std::string content;
        int line;
        const char* what;
    };
    const Row rows[] = {
        {"a = ", 1, "end-of-file"},
        {"\n\nnode = x\n", 3, "value"},
        {"node \"x\"\n", 1, "expected"},
        {"[engine\nnode = \"x\"\n", 1, "]"},
        {"\nnode = \"x\n", 2, "string"},
        {"node = \"a\"\nnode = \"b\"\n", 2, "redefine"},
        {"node = \"\xFF\"\n", 1, "utf-8"},
        {"\n\nfoo = 1\n", 3, "unknown key 'foo'"},
        {"Suspect = \"3s\"\n", 1, "unknown key 'Suspect'"},
        {"\n[engine]\nnode = \"x\"\n", 2, "unknown key 'engine'"},
        {"engine.node = \"x\"\n", 1, "unknown key 'engine'"},
        {"suspect = \"3s\"\n\nsuspect-timeout = \"4s\"\n", 3, "the same setting"},
        {"scan-interval = \"3s\"\nscan = \"4s\"\n", 1, "the same setting"},
        {"\nnode = 5\n", 2, "'node': takes text in quotes"},
        {"cluster = true\n", 1, "'cluster': takes text in quotes"},
        {"log-level = []\n", 1, "'log-level': takes text in quotes"},
        {"group = {}\n", 1, "'group': takes text in quotes"},
        {"dir = 1979-05-27\n", 1, "'dir': takes text in quotes"},
        {"suspect = 3\n", 1, "takes a duration in quotes"},
        {"suspect = 3.5\n", 1, "takes a duration in quotes"},
        {"heartbeat = \"1s\"\nsuspect = \"3\"\n", 2, "no unit"},
        {"dead = \"-5s\"\n", 1, "no sign"},
        {"evict = \"\"\n", 1, "'evict': '' is not a duration"},
        {"scan = \"10 ms\"\n", 1, "' ms' is no unit"},
        {"evict = \"9999999999h\"\n", 1, "longer than 292 years"},
        {"capacity = 0\n", 1, "'capacity': takes a whole number from 1 to 16777216"},
        {"capacity = -1\n", 1, "takes a whole number from 1 to 16777216"},
        {"capacity = 16777217\n", 1, "takes a whole number from 1 to 16777216"},
        {"capacity = 9223372036854775807\n", 1, "takes a whole number from 1 to 16777216"},
        {"capacity = 9223372036854775808\n", 1, "not representable in 64 bits"},
        {"capacity = 4096.0\n", 1, "takes a whole number from 1 to 16777216"},
        {"capacity = \"4096\"\n", 1, "takes a whole number from 1 to 16777216"},
        {"\n\n\n\nring = 0\n", 5, "'ring': takes a whole number from 1 to 16777216"},
        {"ring = 16777217\n", 1, "'ring': takes a whole number from 1 to 16777216"},
    };
    for (const Row& row : rows) {
        const Result<Config> config = read(row.content);
        ASSERT_FALSE(config) << row.content;
        EXPECT_EQ(config.error().kind, ErrorKind::invalid) << row.content;
        EXPECT_THAT(config.error().message, AllOf(StartsWith(path() + ":" + std::to_string(row.line) + ": "), HasSubstr(row.what))) << row.content;
        EXPECT_THAT(config.error().message, Not(HasSubstr("\n"))) << row.content;
    }
}

TEST_F(ConfigFile, SaysWhyItCannotBeRead) {
    const Result<Config> missing = read_config(folder_ + "/missing.toml");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::system);
    EXPECT_THAT(missing.error().message, AllOf(HasSubstr("'" + folder_ + "/missing.toml'"), EndsWith("No such file or directory")));

    const Result<Config> folder = read_config(folder_);
    ASSERT_FALSE(folder);
    EXPECT_THAT(folder.error().message, EndsWith("not a regular file"));

    // Nobody has written into it yet: an empty file is not what it is, and nobody may wait for ever.
    ASSERT_EQ(::mkfifo((folder_ + "/fifo").c_str(), 0600), 0);
    const Result<Config> fifo = read_config(folder_ + "/fifo");
    ASSERT_FALSE(fifo);
    EXPECT_THAT(fifo.error().message, EndsWith("not a regular file"));

    const Result<Config> below_a_file = read("") ? read_config(path() + "/x") : Result<Config>();
    ASSERT_FALSE(below_a_file);
    EXPECT_THAT(below_a_file.error().message, EndsWith("Not a directory"));
}

// The end of a huge file is never waited for: /dev/zero has none.
TEST_F(ConfigFile, IsNeverHuge) {
    for (const std::string& huge : {std::string("/dev/zero"), path()}) {
        std::ofstream(path(), std::ios::binary) << std::string((1 << 20) + 8192, '#');
        const Result<Config> config = read_config(huge);
        ASSERT_FALSE(config) << huge;
        EXPECT_THAT(config.error().message, EndsWith("File too large")) << huge;
    }
    EXPECT_TRUE(read(std::string((1 << 20) - 1, '#')));
}

}  // namespace
}  // namespace rollcall::cli
