// The five settings by name: as flags, as keys of the configuration file and in what is shown.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/client/operator.hpp"
#include "shm/settings.hpp"
#include "tools/rollcall/command.hpp"

namespace rollcall::cli {

struct SettingName {
    std::string_view name;   // --name, and the key in the file
    std::string_view alias;  // understood as well
    std::string_view help;
    std::optional<Duration> SettingsChange::*change;
    Duration Settings::*value;
};

inline constexpr std::array<SettingName, 5> setting_names{{
    {"heartbeat", "heartbeat-interval", "how often members show a sign of life", &SettingsChange::heartbeat, &Settings::heartbeat},
    {"suspect", "suspect-timeout", "silence before a peer is suspected", &SettingsChange::suspect, &Settings::suspect},
    {"dead", "dead-timeout", "silence before it is announced dead", &SettingsChange::dead, &Settings::dead},
    {"evict", "evict-timeout", "silence, or time since a proof of death, before it is forgotten", &SettingsChange::evict, &Settings::evict},
    {"scan", "scan-interval", "how often the detector looks", &SettingsChange::scan, &Settings::scan},
}};

// Declares --heartbeat, --suspect, --dead, --evict, --scan; where a default applies, their help names it.
void declare_settings(OptionSet& set, SettingsChange& change, bool with_defaults);
// `base` with what `change` names.
Settings merged(Settings base, const SettingsChange& change);
// What `above` leaves out comes from `below`.
SettingsChange layered(const SettingsChange& below, const SettingsChange& above);
bool is_empty(const SettingsChange& change);
// "heartbeat 1s, suspect 3s, dead 5s, evict 10s, scan 10ms"
std::string describe(const Settings& settings);

}  // namespace rollcall::cli
