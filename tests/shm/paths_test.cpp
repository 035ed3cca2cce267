// Where clusters lie: the folder that is asked for, the environment's, or the user's.
#include "shm/paths.hpp"

#include <cstdlib>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/shm/temporary_folder.hpp"

namespace rollcall::shm {
namespace {

using testing::ElementsAre;

// A variable of the environment for as long as the test lasts.
class Environment {
public:
    Environment(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
    }
    ~Environment() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

private:
    const char* name_;
    std::optional<std::string> before_;
};

TEST(Paths, AreNamedAfterTheirCluster) {
    const Paths paths = Paths::of("/dir", "eu");
    EXPECT_EQ(paths.folder, "/dir/eu");
    EXPECT_EQ(paths.roster(), "/dir/eu/roster");
    EXPECT_EQ(paths.lock(), "/dir/eu/lock");
    EXPECT_EQ(paths.socket(), "/dir/eu/control.sock");
    EXPECT_EQ(paths.pulse(0x1A), "/dir/eu/pulse.000000000000001a");
    EXPECT_EQ(paths.new_roster(~0ull), "/dir/eu/roster.ffffffffffffffff");
}

TEST(Paths, AFolderThatIsAskedForIsTheOnlyOne) {
    const Environment named("ROLLCALL_DIR", "/from/environment");
    EXPECT_EQ(engine_folder("/asked"), "/asked");
    EXPECT_THAT(client_folders("/asked"), ElementsAre("/asked"));
}

TEST(Paths, TheEnvironmentsFolderComesNext) {
    const Environment named("ROLLCALL_DIR", "/from/environment");
    EXPECT_EQ(engine_folder(""), "/from/environment");
    EXPECT_THAT(client_folders(""), ElementsAre("/from/environment"));
}

TEST(Paths, RootsFolderIsTheHosts) {
    const Environment unnamed("ROLLCALL_DIR", nullptr);
    const Environment runtime("XDG_RUNTIME_DIR", "/run/user/me");
    const std::string expected = ::geteuid() == 0 ? "/dev/shm/rollcall" : "/run/user/me/rollcall";
    EXPECT_EQ(engine_folder(""), expected);
    EXPECT_EQ(client_folders("").size(), ::geteuid() == 0 ? 2u : 3u) << "nobody looks twice into one folder";
}

TEST(Paths, OtherUsersHaveTheirOwnAndLookIntoTheServicesAndRootsThen) {
    const Environment unnamed("ROLLCALL_DIR", "");
    const test::WithoutRights not_root;
    {
        const Environment runtime("XDG_RUNTIME_DIR", "/run/user/me");
        EXPECT_EQ(engine_folder(""), "/run/user/me/rollcall");
        EXPECT_THAT(client_folders(""), ElementsAre("/run/user/me/rollcall", "/run/rollcall", "/dev/shm/rollcall"));
    }
    const Environment no_runtime("XDG_RUNTIME_DIR", nullptr);
    const std::string mine = "/dev/shm/rollcall-" + std::to_string(::geteuid());
    EXPECT_EQ(engine_folder(""), mine);
    EXPECT_THAT(client_folders(""), ElementsAre(mine, "/run/rollcall", "/dev/shm/rollcall"));
}

}  // namespace
}  // namespace rollcall::shm
