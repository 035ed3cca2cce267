// The detector's other half: what the silence of a host means for its members.
//
// Members of other hosts are not scanned. Their host's second word is, like anybody's; when what it says changes, all its members are brought there from a cursor,
// in the order of their slots, as far as a step's budget goes. Nothing is queued: what each should be follows from what is known when the cursor reaches it.
#pragma once

#include <cstdint>
#include <deque>

#include "engine/standing.hpp"

namespace rollcall::engine {

class HostVerdicts {
public:
    static constexpr std::uint32_t most_looked_at = 16'384;  // a step

    explicit HostVerdicts(Books& books) : books_(books) {}

    // Its members' word was judged.
    void hear(RemoteHost& host, Verdict verdict, Stamp stamp);
    // A host was suspected. When most are, of at least four, within one suspect timeout, it may be this host that is cut off: that is told, and nobody is
    // forgotten for one evict timeout longer.
    void note_silence();
    // Not one that was last heard so long ago.
    bool keeps(Stamp last) const noexcept { return books_.ledger.now().stamp < keep_until_ && books_.ledger.now().stamp.value - last.value < 2 * to_stamp_units_up(books_.settings().evict); }
    // Goes on where the last step had to stop. True: something is left for the next one.
    bool run();

private:
    bool tell_orphans();
    bool settle(RemoteHost& host);
    void settle(RemoteHost& host, Slot member);
    bool is_used_up() const noexcept { return looked_at_ >= most_looked_at || books_.ledger.budget() < events_of_a_standing + 1; }

    Books& books_;
    std::uint32_t looked_at_ = 0;
    std::deque<Stamp> silences_;  // when hosts were suspected, of the last suspect timeout
    Stamp keep_until_{};
    bool is_mass_due_ = false;  // and was not told yet
    std::uint64_t changes_seen_ = 0;   // of what listens
    std::uint32_t orphans_at_ = 0;     // hosts below this word were looked at since
    bool has_orphans_to_tell_ = false;
};

}  // namespace rollcall::engine
