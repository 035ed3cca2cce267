// Timeouts with a name: they make sense, they are what the manual says, and unknown names are answered with the known ones.
#include "tools/rollcall/profile.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string manual() {
    std::ostringstream text;
    text << std::ifstream(ROLLCALL_MANUAL).rdbuf();
    return text.str();
}

std::string values_of(const Settings& settings) {
    std::string text;
    for (const SettingName& s : setting_names) text += (text.empty() ? "" : ", ") + to_text(settings.*s.value);
    return text;
}

// From the fastest to the most patient, each reasonable by itself: no warning, and three beats within the time of a suspicion.
TEST(Profiles, MakeSenseAndGrowInPatience) {
    Duration before{};
    for (const Profile& profile : profiles) {
        SCOPED_TRACE(profile.name);
        EXPECT_TRUE(validate(profile.settings));
        EXPECT_EQ(warning(profile.settings), std::nullopt);
        EXPECT_GE(profile.settings.suspect, 3 * profile.settings.heartbeat);
        EXPECT_GT(profile.settings.dead, before);
        before = profile.settings.dead;
    }
}

// A stall that begins right before a beat was due is a silence that is a heartbeat longer, and the first beat after it may be late. 0.8 s of
// `local`, as once said here, were death in four stalls of 120.
TEST(Profiles, TolerateWhatTheySay) {
    for (const Profile& profile : profiles) {
        SCOPED_TRACE(profile.name);
        const Settings& s = profile.settings;
        EXPECT_GT(profile.stall, Duration{});
        EXPECT_LT(profile.stall + s.heartbeat + s.dead / 20, s.dead);
    }
}

TEST(Profiles, LanIsWhatIsInForceWithoutOne) {
    const auto lan = settings_of_profile("lan");
    ASSERT_TRUE(lan);
    EXPECT_EQ(merged({1h, 1h, 1h, 1h, 1h}, *lan), Settings{});
}

TEST(Profiles, SetAllFive) {
    for (const Profile& profile : profiles) {
        const auto change = settings_of_profile(profile.name);
        ASSERT_TRUE(change) << profile.name;
        EXPECT_EQ(merged({1h, 1h, 1h, 1h, 1h}, *change), profile.settings) << profile.name;
    }
}

TEST(Profiles, AreFourByName) {
    EXPECT_EQ(profile_names(), "fast, local, lan, wan");
    for (const char* name : {"", "FAST", "fast ", "slow", "default"}) {
        const auto found = settings_of_profile(name);
        ASSERT_FALSE(found) << name;
        EXPECT_EQ(found.error().kind, ErrorKind::invalid);
        EXPECT_EQ(found.error().message, "there is no profile '" + std::string(name) + "', there are fast, local, lan, wan");
    }
}

// The table of the manual, row by row.
TEST(Profiles, AreWhatTheManualSays) {
    const std::string text = manual();
    for (const Profile& profile : profiles) {
        const std::string row = "|[ " + std::string(profile.name) + "\n:[ " + values_of(profile.settings) + "\n";
        ASSERT_THAT(text, HasSubstr(row));
        const std::string rest = text.substr(text.find(row), 500);
        EXPECT_THAT(rest, HasSubstr(":[ " + tolerance(profile) + "\n:[ " + std::string(profile.when) + "\n"));
    }
}

}  // namespace
}  // namespace rollcall::cli
