#include "tools/rollcall/profile.hpp"

#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli {

using namespace std::chrono_literals;

// heartbeat, suspect, dead, evict, scan. The manual has the same table, and a test compares them. A stall may begin right before a beat was due
// and end with one that is late: it, a heartbeat and a twentieth of `dead` for that are less than `dead`.
const std::array<Profile, 4> profiles{{
    // Detection 100 ms. Eight beats in a row may fail. A process that the scheduler leaves out for 50 ms is suspect: real-time priority or
    // cores of their own, no swap. The evict timeout stays long, so that an engine may be restarted by hand.
    {"fast", {10ms, 50ms, 100ms, 10s, 1ms}, "one host whose members have cores to run on: trading, control loops", 80ms, "a stall of %"},
    // Detection 1 s. A busy machine, a page fault from a slow disk, a garbage collector's pause.
    {"local", {200ms, 600ms, 1s, 10s, 10ms}, "one host, ordinary programs", 700ms, "a stall of %: a collector's pause, a busy machine"},
    // Detection 5 s. What spanning trees, failovers of switches and the suspension of a virtual machine for a backup take. Today's defaults.
    {"lan", {1s, 3s, 5s, 10s, 10ms}, "hosts of one network; the defaults", 3500ms, "three lost messages in a row, a switch that fails over in %"},
    // Detection 20 s. Lossy, slow links, and routes that change; the dead are remembered for as long as a line may be down for repair by itself.
    {"wan", {2s, 10s, 20s, 1min, 50ms}, "hosts across lossy or slow lines", 16s, "eight lost messages in a row, a route that is back within %"},
}};

std::string tolerance(const Profile& profile) {
    std::string text(profile.tolerates);
    return text.replace(text.find('%'), 1, rounded(profile.stall));
}

std::string profile_names() {
    std::string names;
    for (const Profile& profile : profiles) names += (names.empty() ? "" : ", ") + std::string(profile.name);
    return names;
}

Result<SettingsChange> settings_of_profile(std::string_view name) {
    for (const Profile& profile : profiles) {
        if (profile.name != name) continue;
        SettingsChange change;
        for (const SettingName& s : setting_names) change.*s.change = profile.settings.*s.value;
        return change;
    }
    return fail(ErrorKind::invalid, "there is no profile '" + std::string(name) + "', there are " + profile_names());
}

void declare_profile(OptionSet& set, std::optional<std::string>& name) {
    set.text("--profile", "NAME", "all five at once: " + profile_names() + ", as rollcall(7) tells; each may be set beside it", name);
}

}  // namespace rollcall::cli
