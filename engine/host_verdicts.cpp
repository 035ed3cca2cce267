#include "engine/host_verdicts.hpp"

#include <utility>

namespace rollcall::engine {

void HostVerdicts::hear(RemoteHost& host, Verdict verdict, Stamp stamp) {
    const Announced before = host.heard;
    switch (verdict) {
        case Verdict::none: break;
        case Verdict::evict: break;  // that is its host's own word to say
        case Verdict::suspect: host.heard = Announced::suspect; break;
        case Verdict::suspect_and_dead:
        case Verdict::dead: host.heard = Announced::dead_silent; break;
        case Verdict::recovered: host.heard = Announced::alive; break;
    }
    books_.table.set(host.word, host.heard, stamp);
    if (host.heard != before) books_.hosts.unsettle(host);
}

void HostVerdicts::note_silence() {
    constexpr std::size_t fewest = 4;
    const Stamp now = books_.ledger.now().stamp;
    const std::uint64_t window = to_stamp_units_up(books_.settings().suspect);
    while (!silences_.empty() && silences_.front().value + window < now.value) silences_.pop_front();
    silences_.push_back(now);
    const bool are_most = books_.hosts.records() >= fewest && silences_.size() * 2 > books_.hosts.records();
    if (!are_most || now < keep_until_) return;
    keep_until_ = Stamp{now.value + 2 * to_stamp_units_up(books_.settings().evict) - window};
    is_mass_due_ = true;  // not between two events of one judgement
}

bool HostVerdicts::run() {
    if (books_.hosts.is_empty()) return false;
    looked_at_ = 0;
    if (is_used_up()) return true;
    if (std::exchange(is_mass_due_, false)) {
        books_.ledger.make_room(1, no_slot, books_.table);
        books_.ledger.plan(EventKind::mass_silence, no_slot, shm::Hot{}, shm::Name{}, State::none);
    }
    if (!tell_orphans()) return true;
    while (!books_.hosts.restless().empty())
        if (!settle(*books_.hosts.of_word(Slot{*books_.hosts.restless().begin()}))) return true;
    return false;
}

// What listens has changed: whose silence is nobody's to judge now? False: the budget is used up.
bool HostVerdicts::tell_orphans() {
    if (std::exchange(changes_seen_, books_.receivers.changes()) != books_.receivers.changes()) {
        orphans_at_ = 0;
        has_orphans_to_tell_ = true;
    }
    if (!has_orphans_to_tell_) return true;
    for (RemoteHost* host = books_.hosts.from_word(Slot{orphans_at_}); host != nullptr; host = books_.hosts.from_word(Slot{orphans_at_})) {
        if (is_used_up()) return false;
        orphans_at_ = host->word.value + 1;
        ++looked_at_;
        const bool is_orphan = books_.receivers.are_gone(host->ways);
        if (std::exchange(host->is_orphaned, is_orphan) == is_orphan || !is_orphan || host->host == no_slot) continue;
        books_.ledger.make_room(1, host->host, books_.table);
        const shm::Hot hot = books_.heard(host->host, books_.hot(host->host));
        if (hot.state != State::dead) books_.plan(EventKind::orphaned, host->host, hot, host->name, hot.state);
    }
    has_orphans_to_tell_ = false;
    return true;
}

// False: the budget is used up.
bool HostVerdicts::settle(RemoteHost& host) {
    if (host.members.empty() && host.is_gone) {
        books_.release_word(host);
        return true;
    }
    for (auto at = host.members.lower_bound(host.cursor); at != host.members.end(); at = host.members.lower_bound(host.cursor)) {
        if (is_used_up()) return false;
        ++looked_at_;
        const bool ends_host = host.is_gone && host.members.size() == 1;
        host.cursor = *at + 1;
        settle(host, Slot{*at});
        if (ends_host) return true;  // and there is no host any more
    }
    books_.hosts.settle(host);
    return true;
}

void HostVerdicts::settle(RemoteHost& host, Slot member) {
    books_.ledger.make_room(1 + events_of_a_standing, member, books_.table);
    const shm::Hot hot = books_.hot(member);
    const shm::Name name = books_.name(member);
    const Said& said = books_.hosts.said(member);
    if (host.is_gone) return remove_member(books_, host, member, name, hot, {State::none, host.said_goodbye ? Reason::goodbye : Reason::host_silence, {}});
    if (said.state == State::none) return remove_member(books_, host, member, name, hot, {State::none, Reason::host_said, {}});
    bring(books_, host, member, name, hot, standing(host, said));
}

}  // namespace rollcall::engine
