// What cgroups leave of memory, read from files as the kernel writes them.
#include "tools/rollcall/doctor/memory_limit.hpp"

#include <filesystem>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "tests/shm/temporary_folder.hpp"

namespace rollcall::cli::doctor {
namespace {

constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

class MemoryLeft : public testing::Test {
protected:
    void write(const std::string& file, const std::string& content) const {
        const std::filesystem::path path = mount_ / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << content << "\n";
    }
    std::uint64_t of(const std::string& cgroups) const { return memory_left(cgroups, mount_.path()); }

    test::TemporaryFolder mount_;
};

TEST_F(MemoryLeft, IsTheLeastOfAllGroupsAbove) {
    write("a/memory.max", "1000");
    write("a/memory.current", "900");
    write("a/b/memory.max", "500");
    write("a/b/memory.current", "300");
    write("a/c/memory.max", "max");
    write("a/c/memory.current", "300");
    EXPECT_EQ(of("0::/a/b\n"), 100u);
    EXPECT_EQ(of("0::/a/c\n"), 100u);
    write("a/memory.current", "600");
    EXPECT_EQ(of("0::/a/b\n"), 200u);
    EXPECT_EQ(of("0::/a/c\n"), 400u);
    write("a/memory.current", "1001");
    EXPECT_EQ(of("0::/a/b\n"), 0u) << "over its limit";
    EXPECT_EQ(of("0::/\n"), none);
}

TEST_F(MemoryLeft, CountsNoFileCache) {
    write("a/memory.max", "1000");
    write("a/memory.current", "900");
    write("a/memory.stat", "anon 100\nactive_file 200\ninactive_file 300\nshmem 5");
    EXPECT_EQ(of("0::/a\n"), 600u);
    write("a/memory.stat", "inactive_file 4000");
    EXPECT_EQ(of("0::/a\n"), 1000u) << "whatever it says";
}

TEST_F(MemoryLeft, KnowsVersionOne) {
    write("memory/memory.limit_in_bytes", "9223372036854771712");
    write("memory/memory.usage_in_bytes", "5000");
    write("memory/a/memory.limit_in_bytes", "1000");
    write("memory/a/memory.usage_in_bytes", "900");
    write("memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 50\ntotal_active_file 0");
    EXPECT_EQ(of("9:name=systemd:/\n4:memory:/a\n0::/\n"), 150u);
    EXPECT_EQ(of("4:hugetlb,memory:/a\n"), 150u);
    EXPECT_EQ(of("4:memory:/\n"), none);
}

// In a namespace the path may lead out of what is mounted, or to what is not there: its root is the container's own group.
TEST_F(MemoryLeft, LooksAtTheRootOfANamespace) {
    write("memory.max", "1000");
    write("memory.current", "400");
    for (const char* path : {"0::/../../x\n", "0::/docker/0123\n", "0::/\n"}) EXPECT_EQ(of(path), 600u) << path;
}

TEST_F(MemoryLeft, IsUnlimitedWhereNothingIsToBeSeen) {
    for (const char* text : {"", "0::/a\n", "nonsense\n", ":\n", "::\n", "4:memory:\n"}) EXPECT_EQ(of(text), none) << text;
    write("a/memory.max", "garbage");
    write("a/memory.current", "7");
    EXPECT_EQ(of("0::/a\n"), none);
}

}  // namespace
}  // namespace rollcall::cli::doctor
