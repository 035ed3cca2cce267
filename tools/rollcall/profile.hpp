// Timeouts with a name: whoever knows where his members run need not know five durations.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/client/operator.hpp"
#include "shm/error.hpp"
#include "shm/settings.hpp"
#include "shm/units.hpp"
#include "tools/rollcall/command.hpp"

namespace rollcall::cli {

struct Profile {
    std::string_view name;
    Settings settings;
    std::string_view when;       // to use it
    Duration stall;              // the longest that it tolerates without a false death
    std::string_view tolerates;  // in words; % stands for the stall
};

// "a stall of 700 ms: …"
std::string tolerance(const Profile& profile);

// A silent member is called dead after `dead` plus at most one `scan`; a process that ends is known at once in all of them. In each one
// beat may be lost and the next be late before anybody is suspected.
extern const std::array<Profile, 4> profiles;

// "fast, local, lan, wan"
std::string profile_names();
// All five settings of this profile. Fails with invalid, naming those that there are.
Result<SettingsChange> settings_of_profile(std::string_view name);

void declare_profile(OptionSet& set, std::optional<std::string>& name);

}  // namespace rollcall::cli
