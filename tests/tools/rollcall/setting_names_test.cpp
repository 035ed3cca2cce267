// The five settings by name, and which layer wins.
#include "tools/rollcall/setting_names.hpp"


#include <gmock/gmock.h>

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Collects what is declared, and fills in nothing.
class DeclaredDurations final : public OptionSet {
public:
    void flag(std::string_view, std::string_view, bool&) override { ADD_FAILURE(); }
    void text(std::string_view, std::string_view, std::string_view, std::optional<std::string>&) override { ADD_FAILURE(); }
    void required_text(std::string_view, std::string_view, std::string_view, std::string&) override { ADD_FAILURE(); }
    void texts(std::string_view, std::string_view, std::string_view, std::vector<std::string>&) override { ADD_FAILURE(); }
    void number(std::string_view, std::string_view, std::string_view, std::uint64_t, std::uint64_t, std::optional<std::uint64_t>&) override { ADD_FAILURE(); }
    void positional(std::string_view, std::string_view, std::string&) override { ADD_FAILURE(); }
    void rest(std::string_view, std::string_view, std::vector<std::string>&, bool&) override { ADD_FAILURE(); }
    void duration(std::string_view name, std::string_view text, std::optional<Duration>& value) override {
        names.emplace_back(name);
        help.emplace_back(text);
        values.push_back(&value);
    }

    std::vector<std::string> names, help;
    std::vector<std::optional<Duration>*> values;
};

TEST(SettingNames, AreFlagsWithTheirLongerAliases) {
    SettingsChange change;
    DeclaredDurations set;
    declare_settings(set, change, true);
    EXPECT_THAT(set.names, ElementsAre("--heartbeat,--heartbeat-interval", "--suspect,--suspect-timeout", "--dead,--dead-timeout", "--evict,--evict-timeout",
                                       "--scan,--scan-interval"));
    EXPECT_THAT(set.values, ElementsAre(&change.heartbeat, &change.suspect, &change.dead, &change.evict, &change.scan));
}

TEST(SettingNames, TellTheirDefaultsWhereTheyApply) {
    SettingsChange change;
    DeclaredDurations with, without;
    declare_settings(with, change, true);
    declare_settings(without, change, false);
    EXPECT_THAT(with.help, ElementsAre(HasSubstr("default: 1s"), HasSubstr("default: 3s"), HasSubstr("default: 5s"), HasSubstr("default: 10s"), HasSubstr("default: 10ms")));
    EXPECT_THAT(without.help, ::testing::Each(Not(HasSubstr("default"))));
}

// Each setting by itself: what is named changes, the other four stay.
TEST(SettingNames, MergeEachIntoItsOwnPlace) {
    for (const SettingName& s : setting_names) {
        SettingsChange change;
        EXPECT_TRUE(is_empty(change)) << s.name;
        change.*s.change = 42s;
        EXPECT_FALSE(is_empty(change)) << s.name;
        Settings expected;
        expected.*s.value = 42s;
        EXPECT_EQ(merged(Settings{}, change), expected) << s.name;
    }
    EXPECT_EQ(merged(Settings{}, {}), Settings{});
}

TEST(SettingNames, LayerTheUpperOverTheLower) {
    for (const SettingName& s : setting_names) {
        SettingsChange below, above;
        below.*s.change = 1s;
        EXPECT_EQ(layered(below, above).*s.change, 1s) << s.name;
        above.*s.change = 2s;
        EXPECT_EQ(layered(below, above).*s.change, 2s) << s.name;
        EXPECT_EQ(layered({}, above).*s.change, 2s) << s.name;
    }
    EXPECT_TRUE(is_empty(layered({}, {})));
}

TEST(SettingNames, AreShownInOneLine) {
    EXPECT_EQ(describe(Settings{}), "heartbeat 1s, suspect 3s, dead 5s, evict 10s, scan 10ms");
    EXPECT_EQ(describe({100ms, 2500us, 90s, 1h, 1ns}), "heartbeat 100ms, suspect 2500us, dead 90s, evict 1h, scan 1ns");
}

}  // namespace
}  // namespace rollcall::cli
