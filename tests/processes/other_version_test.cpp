// A folder that a build with another layout made: everybody refuses it by both versions, and an engine ends and replaces it by the frozen
// 64 bytes alone; see "Promise of versions" in shm/README.md.
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>

#include <gmock/gmock.h>

#include "shm/segment.hpp"
#include "shm/word.hpp"
#include "tests/support/temporary_cluster.hpp"

namespace rollcall::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t instance = 0xfedc'ba98'7654'3210;

struct OtherLayout {
    const char* what;
    std::uint32_t version;
    std::uint64_t words_offset, word_count, roster_bytes, pulse_bytes;
};

// What such a build leaves: two files of sizes of its own, of which we know 64 bytes, and words at the place that they name.
class Foreign {
public:
    Foreign(const std::string& folder, const OtherLayout& layout) : layout_(layout) {
        std::filesystem::create_directory(folder);
        roster_ = make(folder + "/roster", layout.roster_bytes, shm::roster_magic);
        pulse_ = make(folder + "/pulse." + shm::Paths::hex(instance), layout.pulse_bytes, shm::pulse_magic);
        for (std::uint64_t i = 0; i < layout.word_count; ++i) word(i).store(shm::make_word(Stamp{i + 1}, Generation{7}));
    }
    ~Foreign() {
        ::munmap(roster_, layout_.roster_bytes);
        ::munmap(pulse_, layout_.pulse_bytes);
    }
    Foreign(const Foreign&) = delete;
    Foreign& operator=(const Foreign&) = delete;

    shm::Preamble& roster() const { return *static_cast<shm::Preamble*>(roster_); }
    shm::Preamble& pulse() const { return *static_cast<shm::Preamble*>(pulse_); }
    shm::Word& word(std::uint64_t i) const { return reinterpret_cast<shm::Word*>(static_cast<std::byte*>(pulse_) + layout_.words_offset)[i]; }
    // All of the pulse but preamble and words still is as it was made.
    bool is_untouched_elsewhere() const {
        const auto* bytes = static_cast<const unsigned char*>(pulse_);
        for (std::uint64_t i = sizeof(shm::Preamble); i < layout_.pulse_bytes; ++i)
            if ((i < layout_.words_offset || i >= layout_.words_offset + layout_.word_count * 8) && bytes[i] != 0x5A) return false;
        return true;
    }

private:
    void* make(const std::string& path, std::uint64_t bytes, std::uint64_t magic) const {
        std::ofstream(path, std::ios::binary) << std::string(bytes, '\x5A');
        std::filesystem::permissions(path, std::filesystem::perms(0644));
        const shm::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
        if (at == MAP_FAILED) throw std::runtime_error("cannot map " + path);
        auto& p = *static_cast<shm::Preamble*>(at);
        p.magic.store(magic);
        p.version.store(layout_.version);
        p.instance.store(instance);
        p.words_offset.store(layout_.words_offset);
        p.word_count.store(layout_.word_count);
        p.lifecycle.store(static_cast<std::uint32_t>(shm::Lifecycle::live));
        return at;
    }

    OtherLayout layout_;
    void *roster_, *pulse_;
};

class OtherVersion : public testing::TestWithParam<OtherLayout> {};

INSTANTIATE_TEST_SUITE_P(Layouts, OtherVersion,
                         testing::Values(OtherLayout{"the next one", 2, 8192, 100, 40'000, 16'384},
                                         OtherLayout{"a far one, with little in it", 4'000'000'000, 64, 3, 64, 128},
                                         OtherLayout{"with a header shorter than ours", 3, 4096, 1, 5'000, 4'104},
                                         OtherLayout{"an earlier one", 0, 4096, 512, 70'000, 8'192}));

TEST_P(OtherVersion, IsRefusedByNameAndSupersededByAnEngine) {
    TemporaryCluster cluster;
    const Foreign foreign(cluster.dir() + "/default", GetParam());
    const std::string both = "layout version " + std::to_string(GetParam().version) + ", this build reads 1";
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"members"}, {"join", "--node", "x", "--", "true"}, {"dump"}, {"dump", "--verify"}, {"stat"}, {"watch"}}) {
        const auto said = cluster.run(words);
        EXPECT_EQ(said.code, 1) << words.front();
        EXPECT_THAT(said.err, AllOf(HasSubstr(cluster.dir() + "/default/roster"), HasSubstr(both))) << words.front();
        EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
    }
    EXPECT_EQ(foreign.word(0).load(), shm::make_word(Stamp{1}, Generation{7})) << "to look is to change nothing";

    cluster.start_engine();
    EXPECT_TRUE(eventually([&] { return cluster.said_by_engine().find(both) != std::string::npos; })) << cluster.said_by_engine();
    EXPECT_THAT(cluster.said_by_engine(), HasSubstr("replaced what lay in"));
    constexpr auto superseded = static_cast<std::uint32_t>(shm::Lifecycle::superseded);
    EXPECT_EQ(foreign.roster().lifecycle.load(), superseded);
    EXPECT_EQ(foreign.pulse().lifecycle.load(), superseded);
    for (std::uint64_t i = 0; i < GetParam().word_count; ++i) ASSERT_EQ(foreign.word(i).load(), shm::free_word) << "every beat of that build learns";
    EXPECT_TRUE(foreign.is_untouched_elsewhere());
    EXPECT_FALSE(std::filesystem::exists(cluster.dir() + "/default/pulse." + shm::Paths::hex(instance)));
    EXPECT_EQ(cluster.run({"join", "--node", "x", "--", "true"}).code, 0);
    EXPECT_EQ(cluster.run({"dump", "--verify"}).code, 0);
}

}  // namespace
}  // namespace rollcall::test
