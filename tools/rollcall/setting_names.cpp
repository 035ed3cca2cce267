#include "tools/rollcall/setting_names.hpp"

#include <algorithm>

namespace rollcall::cli {

void declare_settings(OptionSet& set, SettingsChange& change, bool with_defaults) {
    const Settings defaults;
    for (const SettingName& s : setting_names) {
        std::string help(s.help);
        if (with_defaults) help += " (default: " + to_text(defaults.*s.value) + ")";
        set.duration("--" + std::string(s.name) + ",--" + std::string(s.alias), help, change.*s.change);
    }
}

Settings merged(Settings base, const SettingsChange& change) {
    for (const SettingName& s : setting_names) base.*s.value = (change.*s.change).value_or(base.*s.value);
    return base;
}

SettingsChange layered(const SettingsChange& below, const SettingsChange& above) {
    SettingsChange both = below;
    for (const SettingName& s : setting_names)
        if (above.*s.change) both.*s.change = above.*s.change;
    return both;
}

bool is_empty(const SettingsChange& change) {
    return std::none_of(setting_names.begin(), setting_names.end(), [&](const SettingName& s) { return (change.*s.change).has_value(); });
}

std::string describe(const Settings& settings) {
    std::string text;
    for (const SettingName& s : setting_names) text += (text.empty() ? "" : ", ") + std::string(s.name) + " " + to_text(settings.*s.value);
    return text;
}

}  // namespace rollcall::cli
